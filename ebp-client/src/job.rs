//! What researchers and administrators ask of jobs.

use ebp_core::contract::{Job, Listing, NewJob, paths};
use reqwest::Method;
use uuid::Uuid;

use crate::{ClientError, Manager};

impl Manager {
    /// A page of jobs, in the order in which they were asked for; researchers see those of their
    /// group.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn jobs(&self, cursor: Option<&str>) -> Result<Listing<Job>, ClientError> {
        let query = cursor.map(|cursor| format!("?cursor={cursor}")).unwrap_or_default();
        self.client.get(&format!("{}{query}", paths::MANAGEMENT_JOB))
    }

    /// Asks for a job.
    ///
    /// # Errors
    /// [`ClientError`]; a problem of status 403 if the group may not ask for it, one of status 400 or
    /// 422 lists every fault.
    pub fn start_job(&self, job: &NewJob) -> Result<Job, ClientError> {
        self.send(Method::POST, paths::MANAGEMENT_JOB, job)
    }

    /// A job.
    ///
    /// # Errors
    /// [`ClientError`]; a problem of status 404 if there is none that the group may see.
    pub fn job(&self, job: Uuid) -> Result<Job, ClientError> {
        self.client.get(&path(paths::MANAGED_JOB, job))
    }

    /// A job's result, JSON.
    ///
    /// # Errors
    /// [`ClientError`]; a problem of status 404 if there is none, or it is another group's.
    pub fn job_result(&self, job: Uuid) -> Result<serde_json::Value, ClientError> {
        self.client.get(&path(paths::JOB_RESULT, job))
    }

    /// Ends a job that waits, and stops one that runs.
    ///
    /// # Errors
    /// [`ClientError`]; a problem of status 409 if it has ended.
    pub fn cancel_job(&self, job: Uuid) -> Result<Job, ClientError> {
        self.client.send(Method::POST, &path(paths::JOB_CANCEL, job))
    }

    /// Begins a job anew that failed or was cancelled, or whose result was erased.
    ///
    /// # Errors
    /// [`ClientError`]; a problem of status 409 if it is in another state, or its input is erased.
    pub fn retry_job(&self, job: Uuid) -> Result<Job, ClientError> {
        self.client.send(Method::POST, &path(paths::JOB_RETRY, job))
    }
}

fn path(template: &str, job: Uuid) -> String {
    template.replace("{uuid}", &job.to_string())
}
