//! What a store does about alerts: which server watches, what is known of devices, episodes,
//! messages and their deliveries.
//!
//! Enters: what a look at all devices found, and how attempts to deliver messages ended. Leaves:
//! facts, what is to be delivered, a log. Absent: when an episode begins and when a message is due
//! (`rule::alert`); how messages are sent.
//!
//! One server watches, by a lease as jobs have them: judged by the database's clock, and every write
//! names worker and term, so that a server that lost the lease changes nothing. What a look decides
//! (episodes, the message that tells them, its deliveries) is one transaction. A delivery is
//! attempted after that; a server that is killed before it has recorded the end of an attempt leaves
//! a delivery that is attempted again, with the same identifier.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use ebp_core::contract::{AlertChannel, AlertItem, AlertKind, AlertMessage, AlertMessageKind};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    JobPolicy, ListPage, ListQuery, StoreError,
    rule::alert::{
        AlertThresholds, Attempted, CONFLICT_OVER, DeviceFacts, ERROR_NEW, Episode, NewEpisode,
        PlannedMessage, Watching, next_attempt,
    },
};

/// How long episodes are kept after their end, and messages that no episode refers to.
pub(crate) const ALERTS_KEPT: Duration = Duration::from_secs(400 * 86_400);

/// By what a server watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchLease {
    /// The server's worker.
    pub worker: Uuid,
    /// Which term of watching it is: each change of the server begins another.
    pub term: i64,
}

/// What is stored of alerts, as far as a look needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertState {
    /// The last look.
    pub watching: Option<Watching>,
    /// Episodes that are open or not told completely.
    pub episodes: Vec<Episode>,
    /// When the messages about devices since that instant were made.
    pub sent: Vec<Timestamp>,
}

/// What a look decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// When, and since when there is no gap.
    pub watching: Watching,
    /// Episodes that begin.
    pub begin: Vec<NewEpisode>,
    /// Episodes that end.
    pub end: Vec<Uuid>,
    /// What is to be told.
    pub message: Option<NewMessage>,
}

/// A message that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Its identifier.
    pub uuid: Uuid,
    /// What it tells.
    pub planned: PlannedMessage,
    /// By which channels.
    pub channels: Vec<AlertChannel>,
}

/// A delivery that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueDelivery {
    /// The message.
    pub message: Uuid,
    /// Why it is sent.
    pub kind: AlertMessageKind,
    /// When it was made.
    pub created_at: Timestamp,
    /// The channel.
    pub channel: AlertChannel,
    /// How often it was attempted.
    pub attempts: u32,
    /// Its changes, as many as were asked for.
    pub items: Vec<AlertItem>,
    /// How many episodes of it began, of those that are left.
    pub began: u64,
    /// How many ended, of those that are left.
    pub ended: u64,
}

/// Counts for the metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertCounts {
    /// Open episodes by kind.
    pub open: Vec<(AlertKind, u64)>,
    /// Deliveries that wait.
    pub pending: u64,
    /// The most attempts that one of them had.
    pub attempts: u32,
    /// Groups of errors that devices have reported.
    pub error_groups: u64,
}

/// What a store does about alerts.
#[async_trait]
pub trait AlertStore: Send + Sync {
    /// Gives the worker the lease of watching, or renews it; nothing if another one has it.
    async fn watch_alerts(
        &self,
        worker: Uuid,
        policy: JobPolicy,
    ) -> Result<Option<WatchLease>, StoreError>;

    /// Gives the lease back, so that another server watches at once.
    async fn release_watch(&self, lease: WatchLease) -> Result<(), StoreError>;

    /// What is known of each device whose household consents and that may be in trouble by these
    /// thresholds at that instant, or has an open episode; and whether it is silenced. Of all others
    /// there is nothing to decide.
    async fn alert_facts(
        &self,
        thresholds: AlertThresholds,
        at: Timestamp,
    ) -> Result<Vec<DeviceFacts>, StoreError>;

    /// What is stored of alerts; messages made since that instant.
    async fn alert_state(&self, since: Timestamp) -> Result<AlertState, StoreError>;

    /// Records a look, in one transaction. An episode does not begin where one of that device and
    /// kind is open, or the household's consent is not granted any more. False if the lease is lost:
    /// nothing is recorded then.
    async fn record_look(&self, lease: WatchLease, look: Arc<Look>) -> Result<bool, StoreError>;

    /// The delivery that is due of each channel: messages go out in their order. At most so many
    /// changes of each.
    async fn due_deliveries(
        &self,
        now: Timestamp,
        items: usize,
    ) -> Result<Vec<DueDelivery>, StoreError>;

    /// Records how an attempt ended. False if the lease is lost, or the delivery has ended.
    async fn record_delivery(
        &self,
        lease: WatchLease,
        delivery: (Uuid, AlertChannel),
        attempted: Attempted,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Adds a message that tests how messages are sent.
    async fn add_alert_test(
        &self,
        channels: Vec<AlertChannel>,
        now: Timestamp,
    ) -> Result<AlertMessage, StoreError>;

    /// Messages, in the order in which they were made.
    async fn alert_messages(&self, query: ListQuery) -> Result<ListPage<AlertMessage>, StoreError>;

    /// A message.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is none.
    async fn alert_message(&self, message: Uuid) -> Result<AlertMessage, StoreError>;

    /// Removes episodes that ended 400 days ago, messages of that age that no episode refers to, and
    /// groups of errors of that age that no device reports any more. Returns how many of all.
    async fn expire_alerts(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// Counts for the metrics.
    async fn alert_counts(&self) -> Result<AlertCounts, StoreError>;
}

/// With what a device's row is compared, so that only those are read that may be in trouble. A rule that
/// is not used selects nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AlertBounds {
    /// A report before this one.
    pub silent: Option<Timestamp>,
    /// A meter's latest measurement before this one.
    pub late: Option<Timestamp>,
    /// A report or measurement after this one was stamped by a clock that was wrong.
    pub future: Timestamp,
    /// A certificate that ends before this one.
    pub certificate: Option<Timestamp>,
    /// A damaged share from this one on, in ten-thousandths.
    pub damaged: Option<i64>,
    /// A conflict after this one.
    pub conflict: Timestamp,
    /// A group of errors that became known after this one.
    pub new_error: Timestamp,
}

impl AlertBounds {
    pub(crate) fn at(at: Timestamp, thresholds: &AlertThresholds) -> Self {
        let before = |age: Duration| at.checked_sub(age).unwrap_or(Timestamp::UNIX_EPOCH);
        let after = |time: Duration| at.checked_add(time).unwrap_or(Timestamp::MAX);
        Self {
            silent: thresholds.silent.map(before),
            late: thresholds.late.map(before),
            future: after(thresholds.longest_gap),
            certificate: thresholds.certificate.map(after),
            // The share of the row is rounded.
            damaged: thresholds.damaged_percent.map(|percent| i64::from(percent) * 100 - 1),
            conflict: at.checked_sub(CONFLICT_OVER).unwrap_or(Timestamp::UNIX_EPOCH),
            new_error: at.checked_sub(ERROR_NEW).unwrap_or(Timestamp::UNIX_EPOCH),
        }
    }
}

/// A stored name that is none.
pub(crate) fn named<T: std::str::FromStr>(name: &str) -> Result<T, StoreError> {
    name.parse().map_err(|_| StoreError::Damaged("alert"))
}

/// The state, end, next attempt and error that an attempt leaves, of a delivery that was attempted
/// so often. A test is attempted once.
pub(crate) fn after_attempt(
    attempted: &Attempted,
    kind: AlertMessageKind,
    attempts: u32,
    now: Timestamp,
) -> AfterAttempt<'_> {
    use ebp_core::contract::DeliveryState::{Dropped, GivenUp, Pending, Sent};
    let ended = |state, error| AfterAttempt { state, next_at: now, ended_at: Some(now), error };
    match attempted {
        Attempted::Accepted => ended(Sent, None),
        Attempted::Empty => ended(Dropped, None),
        Attempted::Refused { error } => ended(GivenUp, Some(&**error)),
        Attempted::Failed { error, pause } => {
            let next_at = match kind {
                AlertMessageKind::Test => None,
                _ => next_attempt(attempts, *pause, now),
            };
            match next_at {
                Some(next_at) => {
                    AfterAttempt { state: Pending, next_at, ended_at: None, error: Some(&**error) }
                }
                None => ended(GivenUp, Some(&**error)),
            }
        }
    }
}

/// What an attempt leaves.
pub(crate) struct AfterAttempt<'a> {
    pub state: ebp_core::contract::DeliveryState,
    pub next_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub error: Option<&'a str>,
}

/// How many telegrams a device's meters received, and how many of them were damaged: of each device
/// those of the meter with the largest damaged share, compared without rounding.
pub(crate) fn most_damaged(
    meters: impl Iterator<Item = (Uuid, i64, i64)>,
) -> HashMap<Uuid, (u64, u64)> {
    let is_larger = |(telegrams, damaged): (u64, u64), other: (u64, u64)| {
        u128::from(damaged) * u128::from(other.0) > u128::from(other.1) * u128::from(telegrams)
    };
    let mut devices = HashMap::new();
    for (device, telegrams, damaged) in meters {
        let next = (telegrams.unsigned_abs(), damaged.unsigned_abs());
        let most = devices.entry(device).or_insert(next);
        if is_larger(next, *most) {
            *most = next;
        }
    }
    devices
}
