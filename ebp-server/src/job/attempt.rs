//! One attempt at a job: the work beside a lease that is renewed, and the record of its end.

use std::{sync::Arc, time::Duration};

use ebp_core::contract::{JobFault, JobState};
use ebp_store::{ClaimedJob, JobEnd, Recorded, Standing, StoreError};
use ebp_survey::import::LookedUp;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, sleep_until},
};
use tracing::Instrument;

use super::{
    kind::{AnyKind, Done, JobContext, JobFailure},
    progress::Progress,
    shared::Shared,
};

/// Between two tries to record an end.
const PAUSE: Duration = Duration::from_millis(500);

/// An attempt that is under way.
pub struct Attempt<'a> {
    shared: &'a Shared,
    kind: &'a AnyKind,
    claimed: ClaimedJob,
    progress: Progress,
    begun: Instant,
    /// When the lease was asked for last: it lasts from then on at least.
    renewed: Instant,
}

/// The end of the work.
struct Ended {
    end: JobEnd,
    /// Whether what was asked for was refused, which is no failure of the server.
    refused: bool,
    /// The addresses that were looked up for the households of an import.
    looked_up: Option<LookedUp>,
}

impl From<JobEnd> for Ended {
    fn from(end: JobEnd) -> Self {
        Self { end, refused: false, looked_up: None }
    }
}

/// Why the work does not go on.
enum Halt {
    /// This is its end.
    End(Ended),
    /// The job is not this worker's any more.
    Lost,
}

impl<'a> Attempt<'a> {
    /// An attempt at a job that was asked for then.
    pub fn new(shared: &'a Shared, kind: &'a AnyKind, claimed: ClaimedJob, begun: Instant) -> Self {
        Self { shared, kind, claimed, progress: Progress::default(), begun, renewed: begun }
    }

    /// Does the job and records how that ended.
    pub async fn run(mut self, stopping: &mut watch::Receiver<bool>) {
        let (job, attempt) = (self.claimed.lease.job, self.claimed.lease.attempt);
        let kind = self.kind.name;
        tracing::info!(%job, kind, attempt, "a job begins");
        let input = std::mem::take(&mut self.claimed.input);
        let context = JobContext {
            survey: self.shared.survey.clone(),
            progress: self.progress.clone(),
            lease: self.claimed.lease,
            folder: self.shared.settings.folder.clone(),
        };
        let work = self.kind.begin(input, context);
        // A task of its own: a panic ends it and not the worker.
        let mut work = tokio::spawn(work.in_current_span());
        let halt = self.watch(&mut work, stopping).await;
        self.progress.stop();
        work.abort();
        let (recorded, refused) = match halt {
            Halt::End(Ended { end, refused, looked_up }) => {
                // The last steps, and time to record. If it fails so does the record.
                let _ = self.renew().await;
                let (recorded, line_refused) = self.record(end).await;
                match looked_up {
                    Some(looked_up) if recorded == Recorded::As(JobState::Succeeded) => {
                        looked_up.keep();
                    }
                    Some(looked_up) => looked_up.forget().await,
                    None => {}
                }
                (recorded, refused || line_refused)
            }
            Halt::Lost => (Recorded::Lost, false),
        };
        let outcome = match recorded {
            Recorded::Lost => "lost",
            Recorded::As(state) => outcome(state),
        };
        let took = self.begun.elapsed();
        self.shared.telemetry.job_attempted(kind, outcome, took);
        let seconds = took.as_secs_f64();
        match outcome {
            "failed" if refused => {
                tracing::info!(%job, kind, attempt, seconds, "what a job was asked for is refused");
            }
            "failed" => tracing::error!(%job, kind, attempt, seconds, "a job is given up"),
            _ => tracing::info!(%job, kind, attempt, seconds, outcome, "an attempt at a job ended"),
        }
    }

    /// Waits for the work, and renews the lease meanwhile.
    async fn watch(
        &mut self,
        work: &mut JoinHandle<Result<Done, JobFailure>>,
        stopping: &mut watch::Receiver<bool>,
    ) -> Halt {
        let limit = self.begun + self.kind.limit;
        loop {
            tokio::select! {
                biased;
                ended = &mut *work => return Halt::End(end_of(ended)),
                _ = stopping.changed() => return Halt::End(JobEnd::Released.into()),
                () = sleep_until(limit) => {
                    let fault = JobFault::TooLong { seconds: self.kind.limit.as_secs() };
                    return Halt::End(end_of(Ok(Err(JobFailure::of_fault(fault, false)))));
                }
                () = sleep(self.shared.settings.look) => {}
            }
            match self.standing().await {
                Ok(Standing::Held) => {}
                Ok(Standing::CancelRequested) => return Halt::End(JobEnd::Cancelled.into()),
                Ok(Standing::Lost) => return Halt::Lost,
                // Another worker may take it over from now on.
                Err(_) if self.has_lapsed() => return Halt::Lost,
                Err(error) => tracing::warn!(%error, "a lease of a job is not renewed yet"),
            }
        }
    }

    /// Whether the job is still this worker's; renews the lease where a quarter of it is over.
    async fn standing(&mut self) -> Result<Standing, StoreError> {
        if self.renewed.elapsed() < self.shared.settings.policy.lease / 4 {
            return self.shared.survey.store().job_standing(self.claimed.lease).await;
        }
        self.renew().await
    }

    /// Renews the lease, and notes how far the work is.
    async fn renew(&mut self) -> Result<Standing, StoreError> {
        let (store, policy) = (self.shared.survey.store(), self.shared.settings.policy);
        let (asked, steps) = (Instant::now(), self.progress.steps());
        let standing = store.renew_lease(self.claimed.lease, steps, policy).await?;
        self.renewed = asked;
        Ok(standing)
    }

    fn has_lapsed(&self) -> bool {
        self.renewed.elapsed() > self.shared.settings.policy.lease
    }

    /// Records the end, as often as the database is away, as long as the lease lasts. Returns whether
    /// it refused a line of an import, too.
    async fn record(&self, end: JobEnd) -> (Recorded, bool) {
        let (survey, policy) = (&self.shared.survey, self.shared.settings.policy);
        let (mut end, mut refused) = (Arc::new(end), false);
        loop {
            let now = survey.clock().now();
            let recorded =
                survey.store().record_job(self.claimed.lease, end.clone(), policy, now).await;
            match recorded {
                Ok(recorded) => return (recorded, refused),
                Err(error) if error.is_temporary() => {
                    if self.has_lapsed() {
                        return (Recorded::Lost, refused);
                    }
                    tracing::warn!(%error, "the end of a job is not recorded yet");
                    sleep(PAUSE).await;
                }
                Err(error) => {
                    // What cannot be recorded is a failure, which can.
                    if matches!(&*end, JobEnd::Failed { result, .. } if result.bytes.is_empty()) {
                        tracing::error!(%error, "the end of a job cannot be recorded");
                        return (Recorded::Lost, refused);
                    }
                    refused = matches!(error, StoreError::ImportRefused { .. });
                    end = Arc::new(end_of(Ok(Err(error.into()))).end);
                }
            }
        }
    }
}

/// The end that the work's end is.
fn end_of(ended: Result<Result<Done, JobFailure>, tokio::task::JoinError>) -> Ended {
    let end = match ended {
        Ok(Ok(Done::Result(result))) => JobEnd::Succeeded(result),
        Ok(Ok(Done::Registers { lines, looked_up, label })) => {
            let (end, looked_up) = (JobEnd::Registers { lines, label }, Some(looked_up));
            return Ended { end, refused: false, looked_up };
        }
        Ok(Ok(Done::Refused { error, result })) => {
            let end = JobEnd::Failed { error, temporary: false, result };
            return Ended { end, refused: true, looked_up: None };
        }
        Ok(Err(failure)) => failed(failure),
        Err(_) => failed(JobFailure::panicked()),
    };
    end.into()
}

fn failed(failure: JobFailure) -> JobEnd {
    let error = failure.stored();
    let JobFailure { temporary, result, .. } = failure;
    JobEnd::Failed { error, temporary, result }
}

/// What an attempt is counted as.
const fn outcome(state: JobState) -> &'static str {
    match state {
        JobState::Waiting => "put-off",
        JobState::Running => "lost",
        JobState::Succeeded => "succeeded",
        JobState::Failed => "failed",
        JobState::Cancelled => "cancelled",
    }
}
