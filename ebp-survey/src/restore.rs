//! Putting a backup in the SQLite database's place, without what was revoked since it was taken.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use ebp_core::{clock::Clock, scope::Group};
use ebp_store::{Database, Restoration, StoreError, backup::BackupError, open_store};

use crate::{
    OpenError, Survey,
    geocoding::Geocode,
    masking::{MaskingFiles, mask_by},
    register::register_of,
    revocations::{Applied, Revocations},
};

/// What a restoration takes.
pub struct Restore<'a> {
    /// The backup.
    pub input: &'a Path,
    /// The database in whose place it is put.
    pub database: &'a Path,
    /// What is known as revoked besides what the replaced database knows.
    pub revocations: Revocations,
    /// What households are masked by.
    pub masking: &'a MaskingFiles,
    /// Forgets the addresses that are removed.
    pub geocoder: Option<Arc<dyn Geocode>>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// What came of it.
#[derive(Debug)]
pub struct Restored {
    /// What was revoked again.
    pub applied: Applied,
    /// How many households the backup has, revoked ones included.
    pub households: u64,
    /// Where the replaced database is now, if there was one.
    pub replaced: Option<PathBuf>,
    /// Why the households that were revoked are withheld until a server masks them, if they are.
    pub unmasked: Option<OpenError>,
}

/// Why a backup was not put back. The database is then as it was.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The backup is missing or damaged, or the database is in use.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The backup or the replaced database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Puts a backup in the database's place. What `revocations` or the replaced database know as
/// revoked is revoked in the copy before anybody uses it, and the geocoder forgets the addresses
/// that are removed by this. The replaced database's register of certificates and the groups'
/// secrets go over to it.
///
/// # Errors
/// [`RestoreError`]; the database is then as it was.
pub async fn restore(restore: Restore<'_>) -> Result<Restored, RestoreError> {
    let Restore { input, database, mut revocations, masking, geocoder, clock } = restore;
    let (mut certificates, mut secrets) = (Vec::new(), Vec::new());
    let restoration = Restoration::begin(input, database)?;
    if database.exists() {
        // It may know of more than what was kept.
        let replaced = open_store(&Database::Sqlite(database.to_owned())).await?;
        revocations = revocations.and(Revocations::from_store(&*replaced).await?);
        certificates = register_of(&*replaced).await?;
        for group in Group::ALL {
            secrets.extend(replaced.group_hash(group).await?.map(|hash| (group, hash)));
        }
        replaced.close().await?;
    }
    let store = open_store(&Database::Sqlite(restoration.copy().to_owned())).await?;
    // Certificates that were issued since the backup stay valid, and secrets that were replaced void.
    store.add_to_register(certificates).await?;
    for (group, hash) in secrets {
        store.set_group_hash(group, hash).await?;
    }
    let unmasked = mask_by(&store, masking, false).await.err();
    let survey = Survey::new(store, clock).with_geocoder(geocoder);
    let applied = survey.apply_revocations(&revocations).await?;
    survey.store().close().await?;
    let households = restoration.households()?;
    Ok(Restored { applied, households, replaced: restoration.finish()?, unmasked })
}
