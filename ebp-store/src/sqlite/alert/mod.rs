//! Alerts in SQLite.
//!
//! Enters: what [`AlertStore`] is asked. Leaves: facts, episodes, messages. Absent: when an episode
//! begins, which is in `rule::alert`.

mod delivery;
mod facts;
mod list;
mod look;
mod watch;

use std::sync::Arc;

use async_trait::async_trait;
use ebp_core::contract::{AlertChannel, AlertMessage};
use jiff::Timestamp;
use uuid::Uuid;

use super::SqliteStore;
use crate::{
    AlertCounts, AlertState, AlertStore, DueDelivery, JobPolicy, ListPage, ListQuery, Look,
    StoreError, WatchLease,
    rule::alert::{AlertThresholds, Attempted, DeviceFacts},
};

#[async_trait]
impl AlertStore for SqliteStore {
    async fn watch_alerts(
        &self,
        worker: Uuid,
        policy: JobPolicy,
    ) -> Result<Option<WatchLease>, StoreError> {
        self.writer.run(move |tx| watch::take(tx, worker, &policy)).await
    }

    async fn release_watch(&self, lease: WatchLease) -> Result<(), StoreError> {
        self.writer.run(move |tx| watch::release(tx, lease)).await
    }

    async fn alert_facts(
        &self,
        thresholds: AlertThresholds,
        at: Timestamp,
    ) -> Result<Vec<DeviceFacts>, StoreError> {
        self.readers.run(move |db| facts::in_question(db, &thresholds, at)).await
    }

    async fn alert_state(&self, since: Timestamp) -> Result<AlertState, StoreError> {
        self.readers.run(move |db| look::state(db, since)).await
    }

    async fn record_look(&self, lease: WatchLease, look: Arc<Look>) -> Result<bool, StoreError> {
        self.writer.run(move |tx| look::record(tx, lease, &look)).await
    }

    async fn due_deliveries(
        &self,
        now: Timestamp,
        items: usize,
    ) -> Result<Vec<DueDelivery>, StoreError> {
        self.readers.run(move |db| delivery::due(db, now, items)).await
    }

    async fn record_delivery(
        &self,
        lease: WatchLease,
        (message, channel): (Uuid, AlertChannel),
        attempted: Attempted,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.writer
            .run(move |tx| delivery::record(tx, lease, message, channel, &attempted, now))
            .await
    }

    async fn add_alert_test(
        &self,
        channels: Vec<AlertChannel>,
        now: Timestamp,
    ) -> Result<AlertMessage, StoreError> {
        self.writer.run(move |tx| look::add_test(tx, &channels, now)).await
    }

    async fn alert_messages(&self, query: ListQuery) -> Result<ListPage<AlertMessage>, StoreError> {
        self.readers.run(move |db| list::list(db, query)).await
    }

    async fn alert_message(&self, message: Uuid) -> Result<AlertMessage, StoreError> {
        self.readers.run(move |db| list::show(db, message)).await
    }

    async fn expire_alerts(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.writer.run(move |tx| list::expire(tx, now)).await
    }

    async fn alert_counts(&self) -> Result<AlertCounts, StoreError> {
        self.readers.run(list::counts).await
    }
}
