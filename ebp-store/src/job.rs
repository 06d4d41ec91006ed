//! What a store does about jobs: a queue with leases, results, and whom they are about.
//!
//! Enters: jobs that are asked for, workers and what they found. Leaves: jobs to do, states,
//! results. Absent: what a job does; the server's runner knows that.
//!
//! A worker has a job by a lease that it renews. A lease is judged by the database's clock alone, so
//! that servers whose clocks differ agree. Every write of a worker names its lease (worker and
//! attempt): one that has lost it changes nothing. What a job changes in the database is written in
//! the transaction that records its end, so that it happens once, whenever a worker is killed.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use ebp_core::{
    contract::{ImportReport, ImportedLine, Job, JobState, Registration},
    scope::Group,
    trace::TraceId,
};
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use uuid::Uuid;

use crate::{Faults, JobPolicy, Label, ListPage, ListQuery, StoreError, faults};

/// Octets in a part of a result.
pub const RESULT_PART: usize = 1 << 20;

/// Octets of a result, at most.
pub const RESULT_LIMIT: usize = 16 << 20;

/// Parts of an archive, at most: 4 GiB.
const ARCHIVE_PARTS: u64 = 4 << 10;

/// How long input and result of a job are kept after its end.
pub(crate) const CONTENT_KEPT: Duration = Duration::from_secs(7 * 86_400);

/// How long a job is listed after its end.
pub(crate) const JOB_KEPT: Duration = Duration::from_secs(30 * 86_400);

/// Whom the input or the result of a job is about. `Debug` would show addresses: it has none.
#[derive(Clone, PartialEq, Eq)]
pub enum Subject {
    /// A household, by its identifier.
    Household(Uuid),
    /// A participant, by the e-mail address; only its hash is kept.
    Participant(String),
}

impl Subject {
    /// How databases keep it.
    pub(crate) fn octets(&self) -> Vec<u8> {
        match self {
            Self::Household(uuid) => uuid.as_bytes().to_vec(),
            Self::Participant(email) => {
                digest(&SHA256, email.to_ascii_lowercase().as_bytes()).as_ref().to_vec()
            }
        }
    }
}

/// A job that is asked for.
#[derive(Clone)]
pub struct JobOrder {
    /// What it does.
    pub kind: String,
    /// What its kind has to know.
    pub input: Vec<u8>,
    /// Whom that is about.
    pub subjects: Vec<Subject>,
    /// Who asks for it.
    pub created_by: Group,
    /// By this the same group gets the same job again.
    pub key: Option<String>,
    /// The identifier of the request that asks for it.
    pub trace_id: Option<TraceId>,
}

/// By what a worker has a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: Uuid,
    /// The worker.
    pub worker: Uuid,
    /// The attempt: a worker that has the same job once more has another lease.
    pub attempt: u32,
}

/// A job that a worker has.
#[derive(Clone)]
pub struct ClaimedJob {
    /// By what.
    pub lease: Lease,
    /// What it does.
    pub kind: String,
    /// What its kind has to know.
    pub input: Vec<u8>,
    /// The identifier of the request that asked for it.
    pub trace_id: Option<TraceId>,
}

/// How a worker and its job stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The worker has it.
    Held,
    /// The worker has it and is to stop.
    CancelRequested,
    /// The worker has it no more.
    Lost,
}

/// What a job found, and whom that is about.
#[derive(Clone, Default)]
pub struct JobResult {
    /// The result, JSON; nothing is kept if it is empty.
    pub bytes: Vec<u8>,
    /// Whom it is about.
    pub subjects: Vec<Subject>,
}

impl JobResult {
    /// The result of an import: it is about every household that it names.
    #[must_use]
    pub fn of_import(report: &ImportReport) -> Self {
        let registered = |line: &ImportedLine| line.registered.as_ref().map(|made| made.household);
        let subjects = report
            .lines
            .iter()
            .flat_map(|line| [line.household, registered(line)])
            .flatten()
            .map(Subject::Household)
            .collect();
        // Identifiers and texts: there is nothing in it that JSON cannot say.
        Self { bytes: serde_json::to_vec(report).unwrap_or_default(), subjects }
    }
}

/// How an attempt ends.
#[derive(Clone)]
pub enum JobEnd {
    /// With a result. An input that is about anybody is erased: it is not needed again.
    Succeeded(JobResult),
    /// With the registration of the households of those lines that have one; all of them in this
    /// transaction, or none. The result is an [`ImportReport`] of
    /// all lines.
    Registers {
        /// The lines.
        lines: Vec<(ImportedLine, Option<Registration>)>,
        /// The initials of who asked, for the histories of the households.
        label: Option<Label>,
    },
    /// With an error.
    Failed {
        /// What it is, without values; as [`JobFault::store`](ebp_core::contract::JobFault::store) writes it where it is known as data.
        error: String,
        /// Whether another attempt may succeed.
        temporary: bool,
        /// What there is to tell nevertheless.
        result: JobResult,
    },
    /// Since that was asked for.
    Cancelled,
    /// Since the server stops: another worker begins it again at once.
    Released,
}

impl JobEnd {
    /// The faults of the registrations, whatever is stored: they are found before the transaction, in
    /// which others wait. One for each line.
    #[must_use]
    pub(crate) fn faults(&self) -> Vec<Faults> {
        let Self::Registers { lines, .. } = self else { return Vec::new() };
        let found = |registration: &Option<Registration>| registration.as_ref().map(faults);
        lines.iter().map(|(_, registration)| found(registration).unwrap_or_default()).collect()
    }

    /// The same, where that does not hold up other tasks of the runtime.
    pub(crate) async fn faults_aside(self: &Arc<Self>) -> Result<Vec<Faults>, StoreError> {
        let end = self.clone();
        let found = tokio::task::spawn_blocking(move || end.faults()).await;
        found.map_err(|_| StoreError::Damaged("job"))
    }
}

/// The result of ending an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is recorded: the job is in this state.
    As(JobState),
    /// Nothing is recorded: the worker has the job no more.
    Lost,
}

/// How many jobs are in each state.
pub type JobCounts = Vec<(JobState, u64)>;

/// What a store does about jobs.
#[async_trait]
pub trait JobStore: Send + Sync {
    /// Adds a job. With the key of one that the same group asked for before, that one is answered.
    ///
    /// # Errors
    /// [`StoreError::JobKey`] if that one is of another kind, or has another input, as long as its
    /// input is kept.
    async fn add_job(&self, order: JobOrder) -> Result<Job, StoreError>;

    /// Jobs in the order in which they were asked for; those of one group, or all.
    async fn jobs(&self, of: Option<Group>, query: ListQuery) -> Result<ListPage<Job>, StoreError>;

    /// A job.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is none.
    async fn job(&self, job: Uuid) -> Result<Job, StoreError>;

    /// A job's result.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is none (any more).
    async fn job_result(&self, job: Uuid) -> Result<Vec<u8>, StoreError>;

    /// Keeps a part of the archive that a job makes: all have [`RESULT_PART`] octets but the last
    /// one. They are there for others when the job has succeeded; another end erases them.
    ///
    /// # Errors
    /// [`StoreError::ResultTooLong`] beyond 4 GiB.
    async fn put_archive_part(
        &self,
        lease: Lease,
        part: u64,
        bytes: Vec<u8>,
    ) -> Result<Standing, StoreError>;

    /// A part of the archive that this attempt at a job made.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is none (any more).
    async fn archive_part(&self, job: Uuid, attempt: u32, part: u64)
    -> Result<Vec<u8>, StoreError>;

    /// Gives the worker a job of one of these kinds that is due, if there is one. Jobs whose workers
    /// are lost become due by this.
    async fn claim_job(
        &self,
        worker: Uuid,
        kinds: Vec<&'static str>,
        policy: JobPolicy,
    ) -> Result<Option<ClaimedJob>, StoreError>;

    /// How worker and job stand; changes nothing.
    async fn job_standing(&self, lease: Lease) -> Result<Standing, StoreError>;

    /// Renews the lease and notes how many of how many steps are done.
    async fn renew_lease(
        &self,
        lease: Lease,
        steps: (u64, Option<u64>),
        policy: JobPolicy,
    ) -> Result<Standing, StoreError>;

    /// Records the end of an attempt, with all that it changes, in one transaction. Where a household
    /// of the result has revoked meanwhile the job becomes due again instead. What was recorded
    /// before is answered as [`Recorded::Lost`] and changes nothing.
    ///
    /// # Errors
    /// [`StoreError::ImportRefused`] if a line cannot be registered; nothing is stored then.
    async fn record_job(
        &self,
        lease: Lease,
        end: Arc<JobEnd>,
        policy: JobPolicy,
        at: Timestamp,
    ) -> Result<Recorded, StoreError>;

    /// Ends a job that waits, and asks the worker of one that runs to stop.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::JobState`] if it has ended.
    async fn cancel_job(&self, job: Uuid) -> Result<Job, StoreError>;

    /// Makes a job due again that failed or was cancelled, or whose result was erased.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::JobState`] if it is in another state;
    /// [`StoreError::JobErased`] if its input is not kept any more.
    async fn retry_job(&self, job: Uuid) -> Result<Job, StoreError>;

    /// Removes what jobs that ended have left: input and result after 7 days, the job after 30.
    /// Returns how many jobs lost something.
    async fn expire_jobs(&self) -> Result<u64, StoreError>;

    /// How many jobs are in each state.
    async fn job_counts(&self) -> Result<JobCounts, StoreError>;

    /// When the oldest job that has not ended was asked for; none without one.
    async fn oldest_job(&self) -> Result<Option<Timestamp>, StoreError>;
}

/// Why a job's content is gone.
pub(crate) const ERASED: &str = "a household in it revoked its consent or was removed";

/// Why a job is given up that is in the way of its workers.
pub(crate) const WORKERS_LOST: &str = "its workers were lost too often";

/// Whether a part of an archive may be kept.
pub(crate) fn check_part(part: u64, bytes: &[u8]) -> Result<(), StoreError> {
    match part < ARCHIVE_PARTS && bytes.len() <= RESULT_PART {
        true => Ok(()),
        false => Err(StoreError::ResultTooLong),
    }
}

/// A number of the database's that cannot be negative.
pub(crate) fn unsigned<T: TryFrom<i64>>(number: i64) -> Result<T, StoreError> {
    T::try_from(number).map_err(|_| StoreError::Damaged("job"))
}

/// A number as databases keep it.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// That instant later; the last one there is if that is none.
pub(crate) fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// That instant earlier; the first one there is if that is none.
pub(crate) fn earlier(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// From when to when a lease's end means that a worker has the job: before, it is lost; later, the
/// database's clock was set back since.
pub(crate) fn valid_leases(now: Timestamp, policy: &JobPolicy) -> (Timestamp, Timestamp) {
    (earlier(now, policy.allowance), later(now, policy.lease + policy.allowance))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_participant_is_kept_as_a_hash_that_has_no_case() {
        let kept = Subject::Participant("Erika@Example.org".into()).octets();
        assert_eq!(kept, Subject::Participant("erika@example.org".into()).octets());
        assert_eq!(kept.len(), 32);
        assert_eq!(Subject::Household(Uuid::max()).octets(), [0xff; 16]);
    }

    #[test]
    fn a_lease_from_before_the_clock_was_set_back_is_void() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let (first, last) = valid_leases(now, &JobPolicy::default());
        assert_eq!(first.to_string(), "2025-12-31T23:59:50Z");
        assert_eq!(last.to_string(), "2026-01-01T00:01:10Z");
    }
}
