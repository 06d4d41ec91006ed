//! Imports as pages ask for them: checked at once, done by a job.

use ebp_core::{
    contract::{ImportReport, ImportedLine, Job, JobKind},
    scope::Group,
};
use ebp_store::{JobOrder, StoreError, Subject};
use uuid::Uuid;

use crate::{
    GroupCaller, Operation, SurveyError,
    import::{ImportOrder, Line, lines},
};

impl GroupCaller {
    /// What would become of each line of an import.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn check_import(&self, lines: Vec<Line>) -> Result<Vec<ImportedLine>, SurveyError> {
        let survey = self.may(Operation::CheckRegistration)?;
        let checked = survey.check_lines(lines, &|| true).await?.unwrap_or_default();
        Ok(checked.into_iter().map(|(line, _)| line).collect())
    }

    /// Asks for an import of a whole file. The same key gives the same job.
    ///
    /// # Errors
    /// [`JobKey`](ebp_store::StoreError::JobKey) if the key is another job's.
    pub async fn import(&self, file: String, key: String) -> Result<Job, SurveyError> {
        let survey = self.may(Operation::AddJob)?;
        Operation::RegisterHousehold.permit(self.group())?;
        let subject =
            |(_, parsed): Line| Some(Subject::Participant(parsed.ok()?.participant.email));
        let subjects = lines(&file).map(|lines| lines.into_iter().filter_map(subject).collect());
        let kind = JobKind::HouseholdImport.name().to_owned();
        let order = ImportOrder { file, dry_run: false, label: self.label() };
        let input = serde_json::to_vec(&order).map_err(|_| StoreError::Damaged("job"))?;
        let order = JobOrder {
            kind,
            input,
            subjects: subjects.unwrap_or_default(),
            created_by: self.group(),
            key: Some(key),
            trace_id: None,
        };
        Ok(survey.store().add_job(order).await?)
    }

    /// A job that the caller's group asked for.
    ///
    /// # Errors
    /// [`NotFound`](ebp_store::StoreError::NotFound).
    pub async fn job(&self, job: Uuid) -> Result<Job, SurveyError> {
        let job = self.may(Operation::ShowJob)?.store().job(job).await?;
        let is_own = self.group() == Group::Administrators || job.created_by == self.group().name();
        if is_own { Ok(job) } else { Err(StoreError::NotFound.into()) }
    }

    /// What an import found.
    ///
    /// # Errors
    /// [`NotFound`](ebp_store::StoreError::NotFound) if there is no result (any more).
    pub async fn import_report(&self, job: Uuid) -> Result<ImportReport, SurveyError> {
        let survey = self.may(Operation::ReadJobResult)?;
        Operation::RegisterHousehold.permit(self.group())?;
        let result = survey.store().job_result(job).await?;
        Ok(serde_json::from_slice(&result).map_err(|_| StoreError::Damaged("job's result"))?)
    }
}
