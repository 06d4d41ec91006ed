//! Bodies under `/management/job`: work that a server does after its answer.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ExportRequest, JobFault, LineFault, Registered};
use crate::trace::TraceId;

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum JobKind {
    /// Estimates how well masked locations hide households.
    RiskReport,
    /// Registers all households of a file, or none.
    HouseholdImport,
    /// Exports the survey's data set into an archive.
    Export,
}

impl JobKind {
    /// Its name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RiskReport => "risk-report",
            Self::HouseholdImport => "household-import",
            Self::Export => "export",
        }
    }
}

/// A job that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewJob {
    /// What it does.
    pub kind: JobKind,
    /// The households of an import, as JSON Lines or CSV (at most 1,000).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 2_097_152))]
    pub file: Option<String>,
    /// Whether an import only checks its file; nothing is stored then, and no address is looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// What an export holds; all that can be exported if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export: Option<ExportRequest>,
    /// A name of the caller's choice. A job of the same group and name that exists is answered
    /// instead of a new one, so that a request can be repeated. It is refused (409) where that job
    /// is of another kind, or has another file while that is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._-]+$")
    )]
    pub key: Option<String>,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    /// It waits for a worker, or for its next attempt.
    Waiting,
    /// A worker is at it.
    Running,
    /// It is done.
    Succeeded,
    /// It is given up.
    Failed,
    /// It was cancelled.
    Cancelled,
}

impl JobState {
    /// Every state, in the order of a job's life.
    pub const ALL: [Self; 5] =
        [Self::Waiting, Self::Running, Self::Succeeded, Self::Failed, Self::Cancelled];

    /// Its name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether no worker will be at it any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A state that no job has.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown state of a job")]
pub struct UnknownJobState;

impl FromStr for JobState {
    type Err = UnknownJobState;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|state| state.name() == text).ok_or(UnknownJobState)
    }
}

/// A job. Nothing in it names a household.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Job {
    /// Its identifier.
    pub uuid: Uuid,
    /// What it does; a newer server may know kinds that this one does not.
    pub kind: String,
    /// How far it is.
    pub state: JobState,
    /// The group that asked for it: researchers or administrators.
    pub created_by: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// The identifier of the request that asked for it, by which every server logs its attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, pattern = "^[0-9a-f]{32}$"))]
    pub trace_id: Option<TraceId>,
    /// How often a worker has begun it.
    pub attempt: u32,
    /// How many attempts ended with an error since it was asked for, or last retried.
    pub failures: u32,
    /// Before which instant no worker begins it.
    pub run_after: Timestamp,
    /// How many of its steps are done.
    pub progress: u64,
    /// How many steps it has, once that is known.
    pub total: Option<u64>,
    /// Whether its worker is to stop.
    pub cancel_requested: bool,
    /// When it came to its end.
    pub ended_at: Option<Timestamp>,
    /// Why its last attempt failed, or why it was cancelled.
    pub error: Option<String>,
    /// The same as data. Absent where only the text is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<JobFault>,
    /// How long its result is, octets, if there is one.
    pub result: Option<u64>,
    /// Whether its input or result was erased, since a household in it revoked its consent or was
    /// removed. Where the input is left, `retry` makes the result anew.
    pub erased: bool,
}

/// The result of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportReport {
    /// Whether nothing was to be stored.
    pub dry_run: bool,
    /// Whether the households are registered: all of them or none.
    pub stored: bool,
    /// The result of each line that is not empty.
    pub lines: Vec<ImportedLine>,
}

/// The result of a line of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LineOutcome {
    /// Its household is registered now.
    Registered,
    /// Its household was registered before, and stays as it is.
    Known,
    /// Its household would be registered.
    New,
    /// It has faults.
    Refused,
}

/// A line of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportedLine {
    /// Its number, from 1.
    pub line: u64,
    /// Its result.
    pub outcome: LineOutcome,
    /// The line before that has the same participant and address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as_line: Option<u64>,
    /// What is wrong with it, without its values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The same as data. Absent in reports of servers before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<LineFault>,
    /// The household that was registered before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub household: Option<Uuid>,
    /// The identifiers of a household that is registered now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered: Option<Registered>,
}

/// How well masked locations hide households: estimates that follow from the masked locations alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RiskReport {
    /// By which regions and densities it was estimated.
    pub regions: String,
    /// Households that revoked their consent.
    pub households: u64,
    /// Those of them without a masked location: nothing was measured, or they are withheld.
    pub without_location: u64,
    /// Those whose masked location lies in no region.
    pub outside: u64,
    /// Among how many equally likely persons a household is, over all masked households; absent if
    /// there is none.
    pub persons_possible: Option<Spread>,
    /// Each masked household, the one that is hidden worst first.
    pub items: Vec<HouseholdRisk>,
}

/// How values are spread.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Spread {
    /// The least value.
    pub least: f64,
    /// The value that 5 % do not exceed.
    pub low: f64,
    /// The value that half do not exceed.
    pub median: f64,
    /// The value that 95 % do not exceed.
    pub high: f64,
}

/// How well a masked location hides its household.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HouseholdRisk {
    /// The household, by the identifier that it has since its revocation.
    pub household: Uuid,
    /// The region that the masked location lies in, if any.
    pub nuts3: Option<String>,
    /// Among how many equally likely persons it is for somebody who knows the masked location and
    /// nothing else (estimate).
    pub persons_possible: f64,
}
