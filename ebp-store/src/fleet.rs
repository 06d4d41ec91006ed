//! The operations on the fleet of devices.
//!
//! Enters: filters, an order, an instant. Leaves: the contract's pages. Absent: which cycles the survey
//! has; the caller says so.

use async_trait::async_trait;
use ebp_core::{
    contract::{Coverage, DeviceHistory, FleetPage, FleetSort, FleetState, Silence},
    model::Incident,
};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use crate::{HouseholdId, StoreError, rule::fleet::SurveyCycles};

/// Where a page of the fleet ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FleetCursor {
    /// What the last device was sorted by, where that is a number or an instant.
    pub key: i64,
    /// That device.
    pub device: Uuid,
}

/// Which devices of the fleet are wanted, and in which order.
#[derive(Clone, PartialEq, Eq)]
pub struct FleetQuery {
    /// Those in this state.
    pub state: Option<FleetState>,
    /// Those that run this version.
    pub version: Option<String>,
    /// Those whose participant's name contains this, or whose identifier or household's identifier
    /// begins so.
    pub search: Option<String>,
    /// Their order.
    pub sort: FleetSort,
    /// Whether the order is reversed.
    pub descending: bool,
    /// Those after this.
    pub after: Option<FleetCursor>,
    /// How many at most, at least 1.
    pub limit: usize,
}

/// Does not show what is searched for: it is a name.
impl std::fmt::Debug for FleetQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { state, version, sort, descending, after, limit, .. } = self;
        f.debug_struct("FleetQuery")
            .field("state", state)
            .field("version", version)
            .field("sort", sort)
            .field("descending", descending)
            .field("after", after)
            .field("limit", limit)
            .finish_non_exhaustive()
    }
}

/// A page of the fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fleet {
    /// The devices with counts, without the text of the next page's cursor.
    pub page: FleetPage,
    /// Where the next page starts.
    pub next: Option<FleetCursor>,
}

/// How long a device may take to notice that consent is revoked and to stop.
pub const STOPS_WITHIN_HOURS: u8 = 24;

/// What administrators ask about the fleet.
#[async_trait]
pub trait FleetStore: Send + Sync {
    /// A page of devices, each with its state at that instant, and how many devices are in each
    /// state: all of one snapshot, in a constant number of statements.
    async fn fleet(
        &self,
        query: FleetQuery,
        cycles: SurveyCycles,
        at: Timestamp,
    ) -> Result<Fleet, StoreError>;

    /// In which slots the device's meters were measured, from that day on.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if there is no such device, [`StoreError::ConsentRevoked`].
    async fn coverage(
        &self,
        device: Uuid,
        from: Date,
        days: usize,
        cycles: SurveyCycles,
        at: Timestamp,
    ) -> Result<Coverage, StoreError>;

    /// The device's incidents and statuses since that instant.
    ///
    /// # Errors
    /// Returns the same errors as [`coverage`](Self::coverage).
    async fn device_history(
        &self,
        device: Uuid,
        since: Timestamp,
    ) -> Result<DeviceHistory, StoreError>;

    /// The device's silence at that instant.
    ///
    /// # Errors
    /// Returns the same errors as [`coverage`](Self::coverage), and [`StoreError::NotFound`] if it is
    /// not silenced.
    async fn device_silence(
        &self,
        device: Uuid,
        cycles: SurveyCycles,
        at: Timestamp,
    ) -> Result<Silence, StoreError>;

    /// The meter's incidents of 400 days that had ended when another one of their type began.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if the household has no such meter.
    async fn past_incidents(
        &self,
        household: HouseholdId,
        meter: Uuid,
    ) -> Result<Vec<Incident>, StoreError>;

    /// For how many hours a device was told that consent is revoked; 0 of another device.
    async fn told_hours(&self, device: Uuid) -> Result<u8, StoreError>;

    /// Notes for how many hours a device was told that consent is revoked, unless more are noted; after
    /// [`STOPS_WITHIN_HOURS`] that it speaks on. Of another device it changes nothing.
    async fn note_told_hours(&self, device: Uuid, hours: u8) -> Result<(), StoreError>;

    /// Ends every silence that is over at that instant: by its end, or because its device has
    /// recovered. Returns how many ended.
    async fn end_silences(&self, cycles: SurveyCycles, at: Timestamp) -> Result<u64, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_does_not_show_a_name() {
        let query = FleetQuery {
            state: None,
            version: None,
            search: Some("Mustermann".to_owned()),
            sort: FleetSort::State,
            descending: false,
            after: None,
            limit: 1,
        };
        assert!(!format!("{query:?}").contains("Muster"));
    }
}
