//! Groups of errors of devices: what the store does about them, and what both databases share.
//!
//! Enters: the groups of a device's status. Leaves: the groups of all devices. Absent: which of them
//! administrators are told of (`rule::alert`).
//!
//! A device has at most as many groups as its status may name. What a group is (part, types, place) is
//! kept once for all devices, with the instant at which it became known and the device that was the
//! first to report it; a revocation forgets that device. A database knows so many groups at most:
//! further ones are not stored until old ones, which no device reports any more, have expired.

use async_trait::async_trait;
use ebp_core::contract::{FleetErrorGroup, FleetVersion, ReportedErrorGroup};
use jiff::Timestamp;

use crate::StoreError;

/// Groups that a database knows, at most.
pub(crate) const MOST_GROUPS: i64 = 10_000;

/// What a store does about groups of errors.
#[async_trait]
pub trait ErrorGroupStore: Send + Sync {
    /// The groups of errors that devices report, those that occurred last first.
    async fn error_groups(&self, limit: usize) -> Result<Vec<FleetErrorGroup>, StoreError>;
}

/// First and last time of a group by the server's clock: a device's may be ahead.
pub(crate) fn seen(group: &ReportedErrorGroup, at: Timestamp) -> (Timestamp, Timestamp) {
    let last = group.last_seen.min(at);
    (group.first_seen.min(last), last)
}

/// Types as databases keep them: no type has a space in it.
pub(crate) fn stored_types(types: &[String]) -> String {
    types.join(" ")
}

/// A group as a row has it.
pub(crate) struct GroupRow {
    pub fingerprint: String,
    pub component: String,
    pub types: String,
    pub place: String,
    pub known_at: Timestamp,
    pub devices: i64,
    pub count: i64,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
}

/// The groups with the versions of their devices: fingerprint, version and how many run it.
pub(crate) fn with_versions(
    rows: Vec<GroupRow>,
    versions: &[(String, String, i64)],
) -> Result<Vec<FleetErrorGroup>, StoreError> {
    let unsigned =
        |count: i64| u64::try_from(count).map_err(|_| StoreError::Damaged("error group"));
    let group = |row: GroupRow| {
        let own = versions.iter().filter(|(fingerprint, ..)| *fingerprint == row.fingerprint);
        let version = |(_, version, devices): &(String, String, i64)| {
            Ok(FleetVersion { version: version.clone(), devices: unsigned(*devices)? })
        };
        Ok(FleetErrorGroup {
            versions: own.map(version).collect::<Result<_, StoreError>>()?,
            types: row.types.split(' ').map(str::to_owned).collect(),
            fingerprint: row.fingerprint,
            component: row.component,
            place: row.place,
            devices: unsigned(row.devices)?,
            count: unsigned(row.count)?,
            first_seen: row.first_seen,
            last_seen: row.last_seen,
            known_at: row.known_at,
        })
    };
    rows.into_iter().map(group).collect()
}
