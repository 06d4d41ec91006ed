//! The import of households: checked line by line, registered all at once.

use async_trait::async_trait;
use ebp_core::contract::{ImportReport, JobKind, LineOutcome};
use ebp_store::{JobResult, Subject};
use ebp_survey::{
    SurveyError,
    import::{CheckedLine, IMPORT_LIMIT, Line, lines},
};
use serde::{Deserialize, Serialize};

use super::kind::{Done, JobContext, JobFailure, Kind};

/// Imports a file. `Debug` would show people: it has none.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportJob {
    /// JSON Lines or CSV.
    pub file: String,
    /// Whether it is checked only.
    pub dry_run: bool,
}

impl ImportJob {
    /// Whom the file is about.
    ///
    /// # Errors
    /// Why it is not taken in.
    pub fn subjects(&self) -> Result<Vec<Subject>, String> {
        let participant =
            |(_, parsed): Line| Some(Subject::Participant(parsed.ok()?.participant.email));
        Ok(self.lines()?.into_iter().filter_map(participant).collect())
    }

    fn lines(&self) -> Result<Vec<Line>, String> {
        let lines =
            lines(&self.file).map_err(|error| format!("line {}: {}", error.line, error.reason))?;
        if lines.is_empty() {
            return Err("holds no registration".to_owned());
        }
        if lines.len() > IMPORT_LIMIT {
            return Err(format!("holds more than {IMPORT_LIMIT} registrations"));
        }
        Ok(lines)
    }
}

#[async_trait]
impl Kind for ImportJob {
    const KIND: JobKind = JobKind::HouseholdImport;

    async fn run(self, context: &JobContext) -> Result<Done, JobFailure> {
        let JobContext { survey, progress, .. } = context;
        let dry_run = self.dry_run;
        // Hundreds of registrations against their schema take their time.
        let lines = tokio::task::spawn_blocking(move || self.lines())
            .await
            .map_err(|_| JobFailure::panicked())?
            .map_err(JobFailure::lasting)?;
        let count = u64::try_from(lines.len()).unwrap_or(u64::MAX);
        progress.expect(if dry_run { count } else { count.saturating_mul(2) });
        let step = || progress.advance();
        let checked = survey
            .check_lines(lines, &step)
            .await
            .map_err(failure)?
            .ok_or_else(JobFailure::stopped)?;
        let refused =
            checked.iter().filter(|(line, _)| line.outcome == LineOutcome::Refused).count();
        if dry_run {
            return Ok(Done::Result(JobResult::of_import(&report(checked, true))));
        }
        if refused > 0 {
            let count = checked.len();
            return Ok(Done::Refused {
                error: format!("{refused} of {count} lines are refused, and nothing is registered"),
                result: JobResult::of_import(&report(checked, false)),
            });
        }
        let mut lines = checked;
        let looked_up = survey.locate_lines(&mut lines, &step).await;
        let looked_up = looked_up.ok_or_else(JobFailure::stopped)?;
        Ok(Done::Registers { lines, looked_up })
    }
}

/// The report of lines of which none is stored.
fn report(checked: Vec<CheckedLine>, dry_run: bool) -> ImportReport {
    ImportReport {
        dry_run,
        stored: false,
        lines: checked.into_iter().map(|(line, _)| line).collect(),
    }
}

fn failure(error: SurveyError) -> JobFailure {
    match error {
        SurveyError::Store(error) => error.into(),
        error => JobFailure::lasting(error.to_string()),
    }
}
