//! Roll-outs of versions of the program, for administrators. Each has a revision as its `ETag`, and is
//! changed with `If-Match` only of that revision.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use ebp_core::contract::{Listing, NewRollout, Rollout, RolloutChange, RolloutReport};
use ebp_survey::Survey;

use super::{list_query, listing, revision};
use crate::{
    api::{body, intake::Intake, uuid},
    auth::Manager,
    problem::ApiError,
    rollout::RolloutWatch,
};

/// `GET /management/rollout?limit&cursor`: roll-outs in the order in which they began.
pub async fn list(
    State(survey): State<Arc<Survey>>,
    uri: Uri,
) -> Result<Json<Listing<Rollout>>, ApiError> {
    Ok(Json(listing(survey.store().rollouts(list_query(&uri)?).await?)))
}

/// `POST /management/rollout`: begins one, unless another one is under way.
pub async fn begin(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    State(watch): State<Arc<RolloutWatch>>,
    Manager(group): Manager,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, ApiError> {
    let by = revision::author(group, &headers)?;
    let new: NewRollout = body::json(&intake, request).await?;
    let rollout = survey.begin_rollout(new, name(by.label)).await?;
    watch.wake();
    let answer = revision::with_number(rollout.revision, rollout);
    Ok((StatusCode::CREATED, answer).into_response())
}

/// `GET /management/rollout/{uuid}`: with its devices, and what was done to it.
pub async fn show(
    State(survey): State<Arc<Survey>>,
    Path(rollout): Path<String>,
) -> Result<Response, ApiError> {
    Ok(with_revision(survey.rollout(uuid(&rollout)?).await?))
}

/// `PATCH /management/rollout/{uuid}`: advances, halts, resumes or ends it; with `If-Match` only of
/// that revision.
pub async fn change(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    State(watch): State<Arc<RolloutWatch>>,
    Manager(group): Manager,
    Path(rollout): Path<String>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, ApiError> {
    let rollout = uuid(&rollout)?;
    let expected = revision::expected_numbers(&headers, "the roll-out")?;
    let by = revision::author(group, &headers)?;
    let RolloutChange { action } = body::json(&intake, request).await?;
    let report = survey.steer_rollout(rollout, action, expected.as_deref(), name(by.label)).await?;
    watch.wake();
    Ok(with_revision(report))
}

/// By what name an administrator's change is recorded.
fn name(label: Option<ebp_store::Label>) -> String {
    label.map_or_else(|| "shared".to_owned(), |label| label.as_str().to_owned())
}

fn with_revision(report: RolloutReport) -> Response {
    revision::with_number(report.rollout.revision, report)
}
