//! Jobs in SQLite.
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

use super::SqliteStore;
use crate::{
    ClaimedJob, JobCounts, JobEnd, JobOrder, JobPolicy, JobStore, Lease, ListPage, ListQuery,
    Recorded, Standing, StoreError,
};

#[async_trait]
impl JobStore for SqliteStore {
    async fn add_job(&self, order: JobOrder) -> Result<Job, StoreError> {
        self.writer.run(move |tx| queue::add(tx, &order)).await
    }

    async fn jobs(&self, of: Option<Group>, query: ListQuery) -> Result<ListPage<Job>, StoreError> {
        self.readers.run(move |db| list::list(db, of, query)).await
    }

    async fn job(&self, job: Uuid) -> Result<Job, StoreError> {
        self.readers.run(move |db| list::show(db, job)).await
    }

    async fn job_result(&self, job: Uuid) -> Result<Vec<u8>, StoreError> {
        self.readers.run(move |db| list::result(db, job)).await
    }

    async fn put_archive_part(
        &self,
        lease: Lease,
        part: u64,
        bytes: Vec<u8>,
    ) -> Result<Standing, StoreError> {
        self.writer.run(move |tx| packing::put(tx, lease, part, &bytes)).await
    }

    async fn archive_part(
        &self,
        job: Uuid,
        attempt: u32,
        part: u64,
    ) -> Result<Vec<u8>, StoreError> {
        self.readers.run(move |db| archive::read(db, job, attempt, part)).await
    }

    async fn claim_job(
        &self,
        worker: Uuid,
        kinds: Vec<&'static str>,
        policy: JobPolicy,
    ) -> Result<Option<ClaimedJob>, StoreError> {
        // Most of the time nothing is due, and nobody has to wait for the writer.
        if !self.readers.run(move |db| queue::is_any_due(db, &policy)).await? {
            return Ok(None);
        }
        self.writer.run(move |tx| queue::claim(tx, worker, &kinds, &policy)).await
    }

    async fn job_standing(&self, lease: Lease) -> Result<Standing, StoreError> {
        self.readers.run(move |db| queue::standing(db, lease)).await
    }

    async fn renew_lease(
        &self,
        lease: Lease,
        steps: (u64, Option<u64>),
        policy: JobPolicy,
    ) -> Result<Standing, StoreError> {
        self.writer.run(move |tx| queue::renew(tx, lease, steps, &policy)).await
    }

    async fn record_job(
        &self,
        lease: Lease,
        end: Arc<JobEnd>,
        policy: JobPolicy,
        at: Timestamp,
    ) -> Result<Recorded, StoreError> {
        let faults = end.faults_aside().await?;
        self.writer.run(move |tx| record::record(tx, lease, (&*end, &*faults), &policy, at)).await
    }

    async fn cancel_job(&self, job: Uuid) -> Result<Job, StoreError> {
        self.writer.run(move |tx| queue::cancel(tx, job)).await
    }

    async fn retry_job(&self, job: Uuid) -> Result<Job, StoreError> {
        self.writer.run(move |tx| queue::retry(tx, job)).await
    }

    async fn expire_jobs(&self) -> Result<u64, StoreError> {
        self.writer.run(erase::expire).await
    }

    async fn job_counts(&self) -> Result<JobCounts, StoreError> {
        self.readers.run(list::counts).await
    }

    async fn oldest_job(&self) -> Result<Option<Timestamp>, StoreError> {
        self.readers.run(list::oldest).await
    }
}
