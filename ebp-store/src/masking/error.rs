//! Errors of masking.

use std::{io, path::PathBuf, sync::Arc};

use ebp_anon::{MaskError, UnusableGeodata, geocode::PostalCodesError, geodata::CompactError};

/// Why the files for masking cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum MaskingError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
    /// It is no compact file, or damaged.
    #[error("the regions {}: {source}", path.display())]
    Compact {
        /// The file.
        path: PathBuf,
        /// Why.
        source: CompactError,
    },
    /// No lookup can be built from it.
    #[error("the regions {} cannot be used", path.display())]
    Regions {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Arc<UnusableGeodata>,
    },
    /// The table of postal codes cannot be used.
    #[error("the postal codes {}: {source}", path.display())]
    PostalCodes {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Arc<PostalCodesError>,
    },
}

/// The database's households are masked by other regions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MaskingMismatch {
    /// Other borders or densities.
    #[error(
        "these regions are of another vintage than those that households of this database are \
         masked by: they are {given}, and until now {kept}"
    )]
    Regions {
        /// The description of the earlier regions.
        kept: String,
        /// The description of the given ones.
        given: String,
    },
}

/// Why a household is not masked yet, without its location.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unmasked {
    /// No regions are configured.
    #[error("no regions are configured")]
    NoRegions,
    /// Its location is unknown.
    #[error("its location is not known")]
    NoLocation,
    /// It cannot be masked by these regions.
    #[error(transparent)]
    Mask(#[from] MaskError),
}
