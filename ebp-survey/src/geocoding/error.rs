//! Errors of looking up an address.

use std::{io, path::PathBuf, sync::Arc};

use ebp_store::masking::MaskingError;

/// Errors of looking up an address. It does not say which.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum GeocodeError {
    /// The service's address is none, or everybody on the way could read the addresses.
    #[error("the geocoding service must be an https:// address, or http:// of this very machine")]
    Url,
    /// Nobody to write to.
    #[error("the geocoding service's operator needs a contact: an e-mail or web address")]
    NoContact,
    /// TLS cannot be set up.
    #[error("cannot set up the way to the geocoding service: {0}")]
    SetUp(String),
    /// The table of postal codes cannot be used.
    #[error(transparent)]
    PostalCodes(#[from] MaskingError),
    /// The cache cannot be used.
    #[error("the folder of geocoding {}: {source}", path.display())]
    Cache {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
    /// Too many ask.
    #[error("the geocoding service may not be asked yet: others are before, or it said so")]
    Busy,
    /// It cannot be reached.
    #[error("the geocoding service cannot be reached: {0}")]
    Unreachable(String),
    /// It refused.
    #[error("the geocoding service answered with status {0}")]
    Status(u16),
    /// It said something else than a service like Nominatim.
    #[error("the geocoding service answered something that is no result of a search")]
    Answer,
}
