//! Jobs: asked for, listed, cancelled, retried, and their results.
//!
//! Administrators see all jobs, researchers those of their group. A result is for the group that
//! asked for it alone: that of an import names households.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use ebp_core::{
    contract::{ExportReport, Job, JobKind, JobState, Listing, NewJob},
    scope::Group,
};
use ebp_store::StoreError;
use ebp_survey::Survey;

use super::{archive, list_query, listing};
use crate::{
    api::{body, intake::Intake, uuid},
    auth::Manager,
    job::{self, JobAdded},
    problem::ApiError,
    trace,
};

/// Octets of a body that asks for a job: it may hold a file.
const BODY: usize = 4 << 20;

/// `GET /management/job?limit&cursor`: jobs in the order in which they were asked for.
pub async fn list(
    State(survey): State<Arc<Survey>>,
    Manager(group): Manager,
    uri: Uri,
) -> Result<Json<Listing<Job>>, ApiError> {
    let of = Some(group).filter(|group| *group != Group::Administrators);
    Ok(Json(listing(survey.store().jobs(of, list_query(&uri)?).await?)))
}

/// `POST /management/job`: asks for a job. It is begun soon, by any server of the database.
pub async fn add(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    State(added): State<Arc<JobAdded>>,
    Manager(group): Manager,
    request: Request,
) -> Result<(StatusCode, Json<Job>), ApiError> {
    let trace_id = trace::trace_id();
    let new: NewJob = body::json_within(&intake, request, BODY).await?;
    // A file is read on another thread.
    let make = {
        let (now, survey) = (survey.clock().now(), Arc::clone(&survey));
        move || job::order(new, group, trace_id, (now, survey.zone()))
    };
    let order = tokio::task::spawn_blocking(make)
        .await
        .map_err(|_| ApiError::Internal("a job was not read".to_owned()))??;
    let job = survey.store().add_job(order).await?;
    added.tell();
    Ok((StatusCode::ACCEPTED, Json(job)))
}

/// `GET /management/job/{uuid}`.
pub async fn show(
    State(survey): State<Arc<Survey>>,
    Manager(group): Manager,
    Path(job): Path<String>,
) -> Result<Json<Job>, ApiError> {
    Ok(Json(visible(&survey, group, &job).await?))
}

/// `POST /management/job/{uuid}/cancel`: ends a job that waits, and stops one that runs within a few
/// seconds.
pub async fn cancel(
    State(survey): State<Arc<Survey>>,
    Manager(group): Manager,
    Path(job): Path<String>,
) -> Result<Json<Job>, ApiError> {
    let Job { uuid, .. } = visible(&survey, group, &job).await?;
    Ok(Json(survey.store().cancel_job(uuid).await?))
}

/// `POST /management/job/{uuid}/retry`: begins a job anew that failed or was cancelled, or whose
/// result was erased. Whoever may not ask for a job of its kind may not begin it anew.
pub async fn retry(
    State(survey): State<Arc<Survey>>,
    State(added): State<Arc<JobAdded>>,
    Manager(group): Manager,
    Path(job): Path<String>,
) -> Result<Json<Job>, ApiError> {
    let Job { uuid, kind, .. } = visible(&survey, group, &job).await?;
    if !job::may_ask(&kind, group) {
        return Err(ApiError::Group);
    }
    let job = survey.store().retry_job(uuid).await?;
    added.tell();
    Ok(Json(job))
}

/// `GET /management/job/{uuid}/result`: what it found, as its kind writes it.
pub async fn result(
    State(survey): State<Arc<Survey>>,
    Manager(group): Manager,
    Path(job): Path<String>,
) -> Result<Response, ApiError> {
    let job = visible(&survey, group, &job).await?;
    let bytes = found(&survey, group, &job).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes).into_response())
}

/// `GET /management/job/{uuid}/archive`: the archive of an export, or a range of it.
pub async fn archive(
    State(survey): State<Arc<Survey>>,
    Manager(group): Manager,
    Path(job): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let job = visible(&survey, group, &job).await?;
    if job.created_by == group.name() && job.kind != JobKind::Export.name() {
        return Err(ApiError::JobState(format!(
            "a job of kind {} has no archive, which only an export has: ask for its result",
            job.kind
        )));
    }
    let report = found(&survey, group, &job).await?;
    let report: ExportReport = serde_json::from_slice(&report)
        .map_err(|_| ApiError::Internal("the result of an export cannot be read".to_owned()))?;
    archive::send(survey.store().clone(), (job.uuid, job.attempt), &report, &headers)
}

/// The result of a job that the group asked for.
async fn found(survey: &Survey, group: Group, job: &Job) -> Result<Vec<u8>, ApiError> {
    let Job { uuid, ref created_by, state, erased, .. } = *job;
    if created_by != group.name() {
        return Err(ApiError::NotFound);
    }
    survey.store().job_result(uuid).await.map_err(|error| match (error, state) {
        (StoreError::NotFound, JobState::Waiting | JobState::Running) => ApiError::JobState(format!(
            "the job is {state} and has no result yet: ask for the job until it has ended, then for \
             its result"
        )),
        (StoreError::NotFound, JobState::Failed | JobState::Cancelled) if !erased => {
            ApiError::JobState(format!(
                "the job is {state} and has no result: `retry` begins it anew"
            ))
        }
        (error, _) => error.into(),
    })
}

/// A job that the group may see.
async fn visible(survey: &Survey, group: Group, job: &str) -> Result<Job, ApiError> {
    let job = survey.store().job(uuid(job)?).await?;
    match group == Group::Administrators || job.created_by == group.name() {
        true => Ok(job),
        false => Err(ApiError::NotFound),
    }
}
