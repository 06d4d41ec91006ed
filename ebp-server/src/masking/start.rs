//! A store is told what it masks by, as the server or a command starts.
//!
//! Enters: the files' places. Leaves: a store that masks.

use std::{path::PathBuf, sync::Arc};

use super::{Masking, load_postal_codes, load_regions};
use crate::{ServeError, store::Store};

/// The files of a masking.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MaskingFiles {
    /// The compact file of regions; without it households that revoke are withheld.
    pub regions: Option<PathBuf>,
    /// Postal codes and their points, for households whose location nobody knows.
    pub postal_codes: Option<PathBuf>,
}

/// Loads the files and tells the store, which from now on masks by them. Other regions than before
/// are refused unless they may `change`.
///
/// # Errors
/// If a file cannot be used, or is another one than the database's households are masked by.
pub async fn mask_by(
    store: &Arc<dyn Store>,
    files: &MaskingFiles,
    change: bool,
) -> Result<(), ServeError> {
    let regions = files.regions.as_deref().map(load_regions).transpose()?;
    let postal_codes = files.postal_codes.as_deref().map(load_postal_codes).transpose()?;
    if regions.is_none() {
        tracing::warn!(
            "no regions are configured: households that revoke their consent are withheld from \
             everybody until there are"
        );
    }
    store.mask_by(Arc::new(Masking::new(regions, postal_codes)), change).await?;
    Ok(())
}

/// Masks in the background what was withheld so far.
pub fn mask_pending_soon(store: Arc<dyn Store>) {
    tokio::spawn(async move {
        match store.mask_pending().await {
            Ok(report) if report == crate::store::PendingReport::default() => {}
            Ok(report) => tracing::info!(
                masked = report.masked,
                outside = report.outside,
                without_location = report.without_location,
                "households that were withheld"
            ),
            Err(error) => tracing::warn!(
                %error,
                "households stay withheld; `ebp household mask --pending` masks them, or the next \
                 start"
            ),
        }
    });
}
