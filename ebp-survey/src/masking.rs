//! Sets the regions of a store when the server or a command starts.
//!
//! Enters: the files' places. Leaves: a store that masks.

use std::{path::PathBuf, sync::Arc};

use crate::error::OpenError;
use ebp_store::masking::{Masking, RegionsMark, embedded_mark, load_postal_codes, load_regions};
use ebp_store::{Store, StoreError};

/// The files of a masking.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MaskingFiles {
    /// The compact file of regions; without it households are masked by the regions that the program
    /// carries, and withheld when they revoke where it was built without any.
    pub regions: Option<PathBuf>,
    /// Postal codes and their points, for households whose location is unknown.
    pub postal_codes: Option<PathBuf>,
}

/// Loads the files for the store, which from now on masks by them. Other regions than before are
/// refused unless they may `change`, or those of before are the program's own and have masked no
/// household yet.
///
/// # Errors
/// If a file cannot be used, or is another one than the database's households are masked by.
pub async fn mask_by(
    store: &Arc<dyn Store>,
    files: &MaskingFiles,
    change: bool,
) -> Result<(), OpenError> {
    let regions = files.regions.as_deref().map(load_regions).transpose()?;
    let postal_codes = files.postal_codes.as_deref().map(load_postal_codes).transpose()?;
    let masking = match regions {
        Some(regions) => Masking::new(Some(regions), postal_codes),
        None => Masking::by_embedded(postal_codes),
    };
    let mark = masking.mark();
    match (&mark, &files.regions) {
        (Some(mark), Some(file)) => tracing::info!(
            file = %file.display(),
            regions = mark.description,
            "households that revoke their consent are masked"
        ),
        (Some(mark), None) => tracing::info!(
            file = "built in",
            regions = mark.description,
            "households that revoke their consent are masked"
        ),
        (None, _) => tracing::warn!(
            "no regions are configured: households that revoke their consent are withheld from \
             everybody until there are"
        ),
    }
    let change = change || replaces_unused(store, mark.as_ref()).await?;
    store.mask_by(Arc::new(masking), change).await?;
    Ok(())
}

/// Whether these take the place of the program's own regions, by which no household was masked yet.
async fn replaces_unused(
    store: &Arc<dyn Store>,
    given: Option<&RegionsMark>,
) -> Result<bool, StoreError> {
    let kept = store.masked_by().await?.map(|kept| kept.digest);
    let is_embedded = kept.is_some() && kept == embedded_mark().map(|mark| mark.digest);
    if !is_embedded || given.is_none_or(|given| Some(given.digest) == kept) {
        return Ok(false);
    }
    Ok(store.revoked_households().await?.iter().all(|household| household.location.is_none()))
}

/// Masks in the background what was withheld so far.
pub fn mask_pending_soon(store: Arc<dyn Store>) {
    tokio::spawn(async move {
        match store.mask_pending().await {
            Ok(report) if report == ebp_store::PendingReport::default() => {}
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
