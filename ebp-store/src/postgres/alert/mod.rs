//! Alerts in PostgreSQL.
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

use super::{PostgresStore, job::in_transaction, patience::SURVEY};
use crate::{
    AlertCounts, AlertState, AlertStore, DueDelivery, JobPolicy, ListPage, ListQuery, Look,
    StoreError, WatchLease,
    rule::alert::{AlertThresholds, Attempted, DeviceFacts},
};

#[async_trait]
impl AlertStore for PostgresStore {
    async fn watch_alerts(
        &self,
        worker: Uuid,
        policy: JobPolicy,
    ) -> Result<Option<WatchLease>, StoreError> {
        in_transaction!(self, tx, watch::take(&tx, worker, &policy))
    }

    async fn release_watch(&self, lease: WatchLease) -> Result<(), StoreError> {
        in_transaction!(self, tx, watch::release(&tx, lease))
    }

    async fn alert_facts(
        &self,
        thresholds: AlertThresholds,
        at: Timestamp,
    ) -> Result<Vec<DeviceFacts>, StoreError> {
        let client = self.client().await?;
        // All devices of the survey.
        self.connections.within(SURVEY, facts::in_question(&client, &thresholds, at)).await
    }

    async fn alert_state(&self, since: Timestamp) -> Result<AlertState, StoreError> {
        let client = self.client().await?;
        self.look_up(look::state(&client, since)).await
    }

    async fn record_look(&self, lease: WatchLease, look: Arc<Look>) -> Result<bool, StoreError> {
        in_transaction!(self, tx, look::record(&tx, lease, &look))
    }

    async fn due_deliveries(
        &self,
        now: Timestamp,
        items: usize,
    ) -> Result<Vec<DueDelivery>, StoreError> {
        let client = self.client().await?;
        self.look_up(delivery::due(&client, now, items)).await
    }

    async fn record_delivery(
        &self,
        lease: WatchLease,
        (message, channel): (Uuid, AlertChannel),
        attempted: Attempted,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let attempted = &attempted;
        in_transaction!(self, tx, delivery::record(&tx, lease, (message, channel), attempted, now))
    }

    async fn add_alert_test(
        &self,
        channels: Vec<AlertChannel>,
        now: Timestamp,
    ) -> Result<AlertMessage, StoreError> {
        in_transaction!(self, tx, look::add_test(&tx, &channels, now))
    }

    async fn alert_messages(&self, query: ListQuery) -> Result<ListPage<AlertMessage>, StoreError> {
        let client = self.client().await?;
        self.look_up(list::list(&client, query)).await
    }

    async fn alert_message(&self, message: Uuid) -> Result<AlertMessage, StoreError> {
        let client = self.client().await?;
        self.look_up(list::show(&client, message)).await
    }

    async fn expire_alerts(&self, now: Timestamp) -> Result<u64, StoreError> {
        in_transaction!(self, tx, list::expire(&tx, now))
    }

    async fn alert_counts(&self) -> Result<AlertCounts, StoreError> {
        let client = self.client().await?;
        self.look_up(list::counts(&client)).await
    }
}
