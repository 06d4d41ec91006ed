//! The import of households: checked line by line, registered all at once.

use async_trait::async_trait;
use ebp_core::contract::{ImportReport, JobFault, JobKind, LineOutcome};
use ebp_store::{JobResult, Subject};
use ebp_survey::{
    SurveyError,
    import::{CheckedLine, IMPORT_LIMIT, ImportOrder, Line, lines},
};

use super::kind::{Done, JobContext, JobFailure, Kind};

/// Whom an order's file is about.
///
/// # Errors
/// Why it is not taken in.
pub fn subjects(order: &ImportOrder) -> Result<Vec<Subject>, String> {
    let participant =
        |(_, parsed): Line| Some(Subject::Participant(parsed.ok()?.participant.email));
    Ok(read(order)?.into_iter().filter_map(participant).collect())
}

fn read(order: &ImportOrder) -> Result<Vec<Line>, String> {
    let lines =
        lines(&order.file).map_err(|error| format!("line {}: {}", error.line, error.reason))?;
    if lines.is_empty() {
        return Err("holds no registration".to_owned());
    }
    if lines.len() > IMPORT_LIMIT {
        return Err(format!("holds more than {IMPORT_LIMIT} registrations"));
    }
    Ok(lines)
}

#[async_trait]
impl Kind for ImportOrder {
    const KIND: JobKind = JobKind::HouseholdImport;

    async fn run(self, context: &JobContext) -> Result<Done, JobFailure> {
        let JobContext { survey, progress, .. } = context;
        let (dry_run, label) = (self.dry_run, self.label.clone());
        // Hundreds of registrations against their schema take their time.
        let lines = tokio::task::spawn_blocking(move || read(&self))
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
            let [refused, lines] =
                [refused, checked.len()].map(|count| u64::try_from(count).unwrap_or(u64::MAX));
            let fault = JobFault::LinesRefused { refused, lines };
            return Ok(Done::Refused {
                error: fault.store(&fault.to_string()),
                result: JobResult::of_import(&report(checked, false)),
            });
        }
        let mut lines = checked;
        let looked_up = survey.locate_lines(&mut lines, &step).await;
        let looked_up = looked_up.ok_or_else(JobFailure::stopped)?;
        Ok(Done::Registers { lines, looked_up, label })
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
