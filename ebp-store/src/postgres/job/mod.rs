//! Jobs in PostgreSQL.
//!
//! Enters: what [`JobStore`] is asked. Leaves: jobs, leases, results. Absent: when a job is tried
//! again, which is in `rule::job`.

mod archive;
pub mod clock;
pub mod erase;
mod list;
mod packing;
mod queue;
mod record;
mod subject;

use std::sync::Arc;

use async_trait::async_trait;
use ebp_core::{contract::Job, scope::Group};
use jiff::Timestamp;
use uuid::Uuid;

use super::{PostgresStore, patience::SURVEY};
use crate::{
    ClaimedJob, JobCounts, JobEnd, JobOrder, JobPolicy, JobStore, Lease, ListPage, ListQuery,
    Recorded, Standing, StoreError,
};

/// Does `$work` in a transaction.
macro_rules! in_transaction {
    ($store:expr, $tx:ident, $work:expr) => {{
        let mut client = $store.client().await?;
        let work = async {
            let $tx = client.transaction().await?;
            let done = $work.await?;
            $tx.commit().await?;
            Ok(done)
        };
        $store.change(work).await
    }};
}
pub(super) use in_transaction;

#[async_trait]
impl JobStore for PostgresStore {
    async fn add_job(&self, order: JobOrder) -> Result<Job, StoreError> {
        in_transaction!(self, tx, queue::add(&tx, &order))
    }

    async fn jobs(&self, of: Option<Group>, query: ListQuery) -> Result<ListPage<Job>, StoreError> {
        let client = self.client().await?;
        self.look_up(list::list(&client, of, query)).await
    }

    async fn job(&self, job: Uuid) -> Result<Job, StoreError> {
        let client = self.client().await?;
        self.look_up(list::show(&client, job)).await
    }

    async fn job_result(&self, job: Uuid) -> Result<Vec<u8>, StoreError> {
        let client = self.client().await?;
        self.look_up(list::result(&client, job)).await
    }

    async fn put_archive_part(
        &self,
        lease: Lease,
        part: u64,
        bytes: Vec<u8>,
    ) -> Result<Standing, StoreError> {
        in_transaction!(self, tx, packing::put(&tx, lease, part, &bytes))
    }

    async fn archive_part(
        &self,
        job: Uuid,
        attempt: u32,
        part: u64,
    ) -> Result<Vec<u8>, StoreError> {
        let client = self.client().await?;
        self.look_up(archive::read(&client, job, attempt, part)).await
    }

    async fn claim_job(
        &self,
        worker: Uuid,
        kinds: Vec<&'static str>,
        policy: JobPolicy,
    ) -> Result<Option<ClaimedJob>, StoreError> {
        let client = self.client().await?;
        // Most of the time nothing is due.
        if !self.look_up(queue::is_any_due(&client, &policy)).await? {
            return Ok(None);
        }
        drop(client);
        in_transaction!(self, tx, queue::claim(&tx, worker, &kinds, &policy))
    }

    async fn job_standing(&self, lease: Lease) -> Result<Standing, StoreError> {
        let client = self.client().await?;
        self.look_up(queue::standing(&client, lease)).await
    }

    async fn renew_lease(
        &self,
        lease: Lease,
        steps: (u64, Option<u64>),
        policy: JobPolicy,
    ) -> Result<Standing, StoreError> {
        in_transaction!(self, tx, queue::renew(&tx, lease, steps, &policy))
    }

    async fn record_job(
        &self,
        lease: Lease,
        end: Arc<JobEnd>,
        policy: JobPolicy,
        at: Timestamp,
    ) -> Result<Recorded, StoreError> {
        let faults = end.faults_aside().await?;
        let mut client = self.client().await?;
        let work = async {
            let tx = client.transaction().await?;
            let recorded = record::record(&tx, lease, (&*end, faults), &policy, at).await?;
            tx.commit().await?;
            Ok(recorded)
        };
        // An import registers hundreds of households.
        self.connections.within(SURVEY, work).await
    }

    async fn cancel_job(&self, job: Uuid) -> Result<Job, StoreError> {
        in_transaction!(self, tx, queue::cancel(&tx, job))
    }

    async fn retry_job(&self, job: Uuid) -> Result<Job, StoreError> {
        in_transaction!(self, tx, queue::retry(&tx, job))
    }

    async fn expire_jobs(&self) -> Result<u64, StoreError> {
        in_transaction!(self, tx, erase::expire(&tx))
    }

    async fn job_counts(&self) -> Result<JobCounts, StoreError> {
        let client = self.client().await?;
        self.look_up(list::counts(&client)).await
    }

    async fn oldest_job(&self) -> Result<Option<Timestamp>, StoreError> {
        let client = self.client().await?;
        self.look_up(list::oldest(&client)).await
    }
}
