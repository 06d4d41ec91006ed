//! What was there last, for pages that show the latest first.
//!
//! Enters: a list, how many of its items. Leaves: where the page that the list itself gives in its own
//! order has to begin; a device's tunnel and last sessions. Absent: the lists.

use async_trait::async_trait;
use ebp_core::contract::{Tunnel, TunnelSession};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{ListCursor, StoreError};

/// A list that is kept in the order in which its items were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeOrderedList {
    /// Messages about devices.
    AlertMessages,
    /// Jobs of all groups.
    Jobs,
}

/// What was there last.
#[async_trait]
pub trait LatestStore: Send + Sync {
    /// After which item the last so many items begin: all of them, or those up to that item. None if
    /// they begin with the list's first item.
    async fn place_before(
        &self,
        list: TimeOrderedList,
        until: Option<ListCursor>,
        count: usize,
    ) -> Result<Option<ListCursor>, StoreError>;

    /// A device's tunnel, if it ever had one. `now` decides which servers are forgotten.
    async fn device_tunnel(
        &self,
        device: Uuid,
        now: Timestamp,
    ) -> Result<Option<Tunnel>, StoreError>;

    /// A device's last sessions, the latest first.
    async fn device_tunnel_sessions(
        &self,
        device: Uuid,
        limit: usize,
    ) -> Result<Vec<TunnelSession>, StoreError>;
}
