//! The ledger of the data set's releases: what left the research group, to whom, by which two persons,
//! and how fine each household was shown.
//!
//! Enters: confirmed releases. Leaves: the same. Absent: the rules of a release, files, signatures'
//! validity.
//!
//! A release is kept for good. Which households were in it is forgotten with a household's consent.

use async_trait::async_trait;
use ebp_core::contract::ReleaseTier;
use jiff::Timestamp;
use uuid::Uuid;

use crate::{HouseholdId, StoreError};

/// A release that two persons made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataRelease {
    /// Counts releases from 1.
    pub number: u64,
    /// The name of the set.
    pub name: String,
    /// How far it may go.
    pub tier: ReleaseTier,
    /// Who received it; nobody in particular where it is public.
    pub recipient: Option<String>,
    /// Measurements that were received later are not in it.
    pub as_of: Timestamp,
    /// The finest detail that it could have.
    pub finest: String,
    /// Households in it.
    pub households: u64,
    /// The SHA-256 of what its random numbers were made of, hexadecimal digits.
    pub seed_fingerprint: String,
    /// The SHA-256 of its list of sums, which both persons signed.
    pub digest: String,
    /// Who made it.
    pub made_by: String,
    /// Their signature of the digest.
    pub made_signature: String,
    /// Who confirmed it.
    pub confirmed_by: String,
    /// Their signature of the digest.
    pub confirmed_signature: String,
    /// When.
    pub confirmed_at: Timestamp,
}

/// A household in a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleasedHousehold {
    /// The release.
    pub release: u64,
    /// The household.
    pub household: Uuid,
    /// How far the release may go.
    pub tier: ReleaseTier,
    /// How fine the household was shown.
    pub detail: String,
}

/// What a store does about releases.
#[async_trait]
pub trait LedgerStore: Send + Sync {
    /// All releases, the first first.
    async fn data_releases(&self) -> Result<Vec<DataRelease>, StoreError>;

    /// The households of all releases whose consent holds, and how fine each was shown.
    async fn released_households(&self) -> Result<Vec<ReleasedHousehold>, StoreError>;

    /// The releases that a household is in, the first first, each with how fine it was shown.
    async fn releases_of(
        &self,
        household: HouseholdId,
    ) -> Result<Vec<(DataRelease, String)>, StoreError>;

    /// Adds a release with its households, each with how fine it is shown. Those of a revoked household
    /// are counted but not named.
    ///
    /// # Errors
    /// [`StoreError::Changed`] if its number is not the next one.
    async fn add_data_release(
        &self,
        release: DataRelease,
        households: Vec<(Uuid, String)>,
    ) -> Result<(), StoreError>;
}

/// A number that was kept.
///
/// # Errors
/// [`StoreError::Damaged`] if it is negative.
pub(crate) fn from_number(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Damaged("data_release"))
}

/// A tier that was kept.
///
/// # Errors
/// [`StoreError::Damaged`] if there is no such tier.
pub(crate) fn tier(name: &str) -> Result<ReleaseTier, StoreError> {
    ReleaseTier::from_name(name).ok_or(StoreError::Damaged("data_release"))
}
