//! Alerts: by which rules devices are watched and how those were changed, what administrators were told,
//! and a test.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Request, State},
    http::{StatusCode, Uri},
    response::Response,
};
use ebp_core::contract::{AlertMessage, AlertRules, ChangedRules, Listing};
use ebp_survey::Survey;

use super::{list_query, listing, revision};
use crate::{
    alert::AlertWatch,
    api::{body, intake::Intake, uuid},
    problem::ApiError,
};

/// Versions of the rules that are listed.
const CHANGES: usize = 100;

/// `GET /management/alert?limit&cursor`: messages in the order in which they were made.
pub async fn list(
    State(survey): State<Arc<Survey>>,
    uri: Uri,
) -> Result<Json<Listing<AlertMessage>>, ApiError> {
    Ok(Json(listing(survey.store().alert_messages(list_query(&uri)?).await?)))
}

/// `GET /management/alert/{uuid}`.
pub async fn show(
    State(survey): State<Arc<Survey>>,
    Path(message): Path<String>,
) -> Result<Json<AlertMessage>, ApiError> {
    Ok(Json(survey.store().alert_message(uuid(&message)?).await?))
}

/// `GET /management/alert/rule`: the rules that hold, with the ways of sending of the server that
/// answers; their version is the `ETag`.
pub async fn rules(
    State(survey): State<Arc<Survey>>,
    State(watch): State<Arc<AlertWatch>>,
) -> Result<Response, ApiError> {
    Ok(with_version(survey.alert_rules(watch.rules()).await?))
}

/// `PUT /management/alert/rule`: other rules for all servers of the database, in place of those that
/// hold; with `If-Match` only of that version. A rule that is left out is not used.
pub async fn change_rules(
    State(survey): State<Arc<Survey>>,
    State(watch): State<Arc<AlertWatch>>,
    State(intake): State<Arc<Intake>>,
    request: Request,
) -> Result<Response, ApiError> {
    let expected = revision::expected_numbers(request.headers(), "the rules")?;
    let rules = body::json(&intake, request).await?;
    survey.replace_alert_rules(rules, expected.as_deref()).await?;
    Ok(with_version(survey.alert_rules(watch.rules()).await?))
}

fn with_version(rules: AlertRules) -> Response {
    revision::with_number(rules.version, rules)
}

/// `GET /management/alert/rule/change`: the last versions of the rules, the newest first.
pub async fn rule_changes(
    State(survey): State<Arc<Survey>>,
) -> Result<Json<Vec<ChangedRules>>, ApiError> {
    Ok(Json(survey.store().alert_rules(CHANGES).await?))
}

/// `POST /management/alert/test`: a message by every channel that the server has. The server that
/// watches sends it soon, in quiet hours, too.
pub async fn test(
    State(survey): State<Arc<Survey>>,
    State(watch): State<Arc<AlertWatch>>,
) -> Result<(StatusCode, Json<AlertMessage>), ApiError> {
    let message = survey.test_alerts(watch.rules().channels.clone()).await?;
    watch.wake();
    Ok((StatusCode::ACCEPTED, Json(message)))
}
