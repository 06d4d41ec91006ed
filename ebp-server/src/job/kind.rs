//! A kind of job: a struct that is stored as JSON, with the function that does the work.

use std::{path::PathBuf, pin::Pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use ebp_core::contract::{ImportedLine, JobFault, JobKind, Registration};
use ebp_store::{JobResult, Label, Lease, StoreError};
use ebp_survey::{Survey, import::LookedUp};
use serde::{Serialize, de::DeserializeOwned};

use super::progress::Progress;

/// What an attempt at a job has to work with.
#[derive(Clone)]
#[cfg_attr(not(feature = "export"), allow(dead_code, reason = "exports keep files"))]
pub struct JobContext {
    /// The survey.
    pub survey: Arc<Survey>,
    /// How far the attempt is, and whether it is to stop.
    pub progress: Progress,
    /// By what the attempt has the job.
    pub lease: Lease,
    /// The folder of this server in which attempts may keep files.
    pub folder: PathBuf,
}

/// A kind of job. A job may be begun any number of times and must have the same effect each time:
/// what it changes in the database is returned, and recorded together with its end.
#[async_trait]
pub trait Kind: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name of the kind.
    const KIND: JobKind;

    /// How long an attempt may take; an attempt that takes longer ends the job.
    const LIMIT: Duration = Duration::from_secs(3600);

    /// Does the job's work. A long computation belongs on a thread of its own
    /// ([`spawn_blocking`](tokio::task::spawn_blocking)) and stops when
    /// [`Progress::advance`] says so.
    ///
    /// # Errors
    /// Returns [`JobFailure`] if the work fails; it says whether another attempt may succeed.
    async fn run(self, context: &JobContext) -> Result<Done, JobFailure>;
}

/// The outcome of an attempt that succeeded.
pub enum Done {
    /// A result.
    Result(JobResult),
    /// Households to register, all of them in the transaction that records the job's end.
    Registers {
        /// The lines, with the registrations of those that have one.
        lines: Vec<(ImportedLine, Option<Registration>)>,
        /// The addresses that were looked up for them.
        looked_up: LookedUp,
        /// The initials of who asked.
        label: Option<Label>,
    },
    /// What was asked for cannot be done, and would not be by another attempt: the job fails, but no
    /// administrator has to see to it.
    Refused {
        /// The reason in words, without values of households; with its data behind it, if it is one
        /// of those that are known.
        error: String,
        /// The result, for whoever asked.
        result: JobResult,
    },
}

/// Why an attempt failed.
#[derive(Default)]
pub struct JobFailure {
    /// The reason in words, without values of households.
    pub error: String,
    /// The reason as data, if it is one of those that are known.
    pub fault: Option<JobFault>,
    /// Whether another attempt may succeed.
    pub temporary: bool,
    /// A result that is stored although the attempt failed.
    pub result: JobResult,
}

impl From<StoreError> for JobFailure {
    fn from(error: StoreError) -> Self {
        let temporary = error.is_temporary();
        let fault = match &error {
            StoreError::ImportRefused { line, .. } => Some(JobFault::LineRefused { line: *line }),
            _ => temporary.then_some(JobFault::DatabaseAway),
        };
        Self { error: error.to_string(), fault, temporary, ..Self::default() }
    }
}

impl JobFailure {
    /// A failure that every further attempt would repeat.
    pub fn lasting(error: impl Into<String>) -> Self {
        Self { error: error.into(), ..Self::default() }
    }

    /// A failure of that kind; `temporary` if another attempt may succeed.
    pub fn of_fault(fault: JobFault, temporary: bool) -> Self {
        Self { error: fault.to_string(), fault: Some(fault), temporary, ..Self::default() }
    }

    /// The text as it is stored: with the data behind it.
    pub fn stored(&self) -> String {
        self.fault.as_ref().map_or_else(|| self.error.clone(), |fault| fault.store(&self.error))
    }

    /// The failure of an attempt whose thread panicked.
    pub fn panicked() -> Self {
        Self::of_fault(JobFault::Panicked, true)
    }

    /// The failure of an attempt that was told to stop. The caller that stopped it records why.
    pub fn stopped() -> Self {
        Self::of_fault(JobFault::Stopped, true)
    }
}

type Running = Pin<Box<dyn Future<Output = Result<Done, JobFailure>> + Send>>;

/// A kind of job without its type, so that the runner can hold all kinds in one list.
pub struct AnyKind {
    /// Its name.
    pub name: &'static str,
    /// How long an attempt may take.
    pub limit: Duration,
    begin: fn(Vec<u8>, JobContext) -> Running,
}

impl AnyKind {
    /// The kind `K`, without its type.
    #[must_use]
    pub fn for_kind<K: Kind>() -> Self {
        Self { name: K::KIND.name(), limit: K::LIMIT, begin: begin::<K> }
    }

    /// Does a job of this kind.
    pub fn begin(&self, input: Vec<u8>, context: JobContext) -> Running {
        (self.begin)(input, context)
    }
}

fn begin<K: Kind>(input: Vec<u8>, context: JobContext) -> Running {
    Box::pin(async move {
        // Its text would quote the input.
        let kind: K = serde_json::from_slice(&input)
            .map_err(|_| JobFailure::of_fault(JobFault::InputUnreadable, false))?;
        kind.run(&context).await
    })
}
