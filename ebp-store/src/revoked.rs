//! The operations for households that revoked their consent: masked locations, and what a that have
//! to be applied to a database that is restored from a backup.
//!
//! Enters: what is masked by; households that were revoked elsewhere. Leaves: how many households are
//! masked and how many are not yet. Absent: where a household is.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use ebp_core::{
    contract::Withdrawal,
    model::{Address, Location, Masked, Precision},
};
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::StoreError;
use crate::masking::{Masking, RegionsMark};

/// By what a participant who revoked is known: what certificates name them by is not kept.
pub fn participant_digest(participant: Uuid) -> [u8; 32] {
    let mut octets = [0; 32];
    octets.copy_from_slice(digest(&SHA256, participant.as_bytes()).as_ref());
    octets
}

/// How the households are that had to be withheld.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PendingReport {
    /// Masked now, and shown again.
    pub masked: u64,
    /// Still withheld: these regions do not have their location, or there are no regions.
    pub outside: u64,
    /// Still withheld, because their location is unknown.
    pub without_location: u64,
}

/// A household that revoked its consent, as everybody sees it. Nothing says what it was called
/// before: only a backup of before knows that, by the identifier that was drawn at registration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokedHousehold {
    /// What it is called now.
    pub household: Uuid,
    /// In which month consent was granted.
    pub granted_at: Timestamp,
    /// In which month it was revoked.
    pub revoked_at: Timestamp,
    /// Its masked location; absent while it is withheld, and of one without measurements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// How and in which month it was withdrawn, if researchers recorded that; older lists lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawal: Option<Withdrawal>,
}

/// A further purpose that a household withdrew. Nothing says which household, or which purpose:
/// only a database that has both finds them by the digest, since the identifier is random.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithdrawnPurpose {
    /// The digest of the household's identifier and the purpose's name, in hexadecimal digits.
    pub purpose: String,
    /// When it was withdrawn: whoever agreed to it again later did not withdraw that.
    pub withdrawn_at: Timestamp,
}

/// How many revocations a store knows: by this it is seen whether there are more than before, without
/// reading them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RevocationCounts {
    /// Households that revoked their consent.
    pub households: i64,
    /// Those of them that have a masked location.
    pub masked: i64,
    /// Devices of households that revoked their consent.
    pub devices: i64,
    /// Revoked certificates.
    pub certificates: i64,
    /// Further purposes that are withdrawn.
    pub purposes: usize,
    /// When the last of them was: one may be agreed to and withdrawn again.
    pub last_purpose: Option<Timestamp>,
}

/// What came of revoking a household again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevokedAgain {
    /// It was revoked by this. Its address was removed.
    Revoked(Option<Address>),
    /// It was revoked there already, and withheld: now it is masked.
    Masked,
    /// It was revoked there already, in the same way.
    Already,
    /// It is not there: registered after the backup.
    Unknown,
}

/// What a store does about households that revoked their consent.
///
/// A household is masked once, within the transaction that revokes its consent or, where that could
/// not be, by [`mask_pending`](Self::mask_pending): each is drawn independently, with the operating
/// system's random numbers. What was masked never changes; the database enforces that.
#[async_trait]
pub trait MaskingStore: Send + Sync {
    /// By which regions this database's households are masked, if there were ever any.
    async fn masked_by(&self) -> Result<Option<RegionsMark>, StoreError>;

    /// What this store masks by since [`mask_by`](Self::mask_by).
    fn masking(&self) -> Option<Arc<Masking>>;

    /// From now on this store masks by these. The database remembers the regions' fingerprint;
    /// others than it remembers are accepted only if they may `change`.
    ///
    /// # Errors
    /// Returns [`StoreError::Masking`] if the location cannot be masked.
    async fn mask_by(&self, masking: Arc<Masking>, change: bool) -> Result<(), StoreError>;

    /// Masks the households that are withheld, as far as that is possible. Of their true locations
    /// no byte stays in the database's files.
    async fn mask_pending(&self) -> Result<PendingReport, StoreError>;

    /// How many revocations it knows.
    async fn revocation_counts(&self) -> Result<RevocationCounts, StoreError>;

    /// The households that revoked their consent, by their identifiers.
    async fn revoked_households(&self) -> Result<Vec<RevokedHousehold>, StoreError>;

    /// The devices of those households, which say nothing of which was whose.
    async fn revoked_devices(&self) -> Result<Vec<Uuid>, StoreError>;

    /// Revokes a household as it was revoked elsewhere, with the same identifiers and the same
    /// masked location, in a database that was put back from a backup of before. Withheld
    /// elsewhere, it is masked by what this store masks by.
    async fn revoke_again(&self, revoked: &RevokedHousehold) -> Result<RevokedAgain, StoreError>;

    /// The further purposes that households withdrew, by their digests.
    async fn withdrawn_purposes(&self) -> Result<Vec<WithdrawnPurpose>, StoreError>;

    /// Withdraws further purposes as they were withdrawn elsewhere, in a database that was put back
    /// from a backup of before, unless they were agreed to later. How many this withdrew.
    async fn withdraw_again(&self, withdrawn: &[WithdrawnPurpose]) -> Result<usize, StoreError>;

    /// Remembers a device as one of a household that revoked its consent, unless it is known.
    async fn remember_revoked_device(&self, device: Uuid) -> Result<(), StoreError>;
}

/// The regions that a store masks by, once set.
#[derive(Default)]
pub(super) struct MaskedBy(OnceLock<Arc<Masking>>);

impl MaskedBy {
    pub(super) fn get(&self) -> Option<Arc<Masking>> {
        self.0.get().cloned()
    }

    /// The first one stays.
    pub(super) fn set(&self, masking: Arc<Masking>) {
        let _ = self.0.set(masking);
    }
}

/// A location from its columns; the last is there if it is masked.
pub(super) fn location(
    (latitude, longitude): (f64, f64),
    precision: &str,
    masked: Option<Masked>,
) -> Location {
    Location {
        latitude,
        longitude,
        precision: Precision::ALL
            .into_iter()
            .find(|known| known.name() == precision && masked.is_none()),
        masked,
    }
}

/// The region of a masked location.
pub(super) fn region(location: &Location) -> Option<&str> {
    location.masked.as_ref()?.nuts3.as_deref()
}
