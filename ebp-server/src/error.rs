//! Why the server cannot start or end.

use ebp_core::private_file::Exposed;
use ebp_store::{StoreError, masking::MaskingError};

use crate::{
    auth::{TlsError, TokenError},
    authority::AuthorityError,
    geocoding::GeocodeError,
    revocations::KeptRevocationsError,
};

/// Why the server cannot start or end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The authority cannot be used.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Others than its owner may use the file of the shared secrets' hashes.
    #[error("the hashes of the secrets: {0}")]
    Exposed(#[from] Exposed),
    /// Tokens cannot be accepted.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Households cannot be masked by what is configured.
    #[error(transparent)]
    Masking(#[from] MaskingError),
    /// Addresses cannot be located as it is configured.
    #[error(transparent)]
    Geocoding(#[from] GeocodeError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The server's own list of revocations cannot be used.
    #[error(transparent)]
    Revocations(#[from] KeptRevocationsError),
}
