//! Alerts: by which rules devices are watched, what administrators were told, and a test.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, Uri},
};
use ebp_core::contract::{AlertMessage, AlertRules, Listing};
use ebp_survey::Survey;

use super::{list_query, listing};
use crate::{alert::AlertWatch, api::uuid, problem::ApiError};

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
/// answers.
pub async fn rules(
    State(survey): State<Arc<Survey>>,
    State(watch): State<Arc<AlertWatch>>,
) -> Result<Json<AlertRules>, ApiError> {
    Ok(Json(survey.alert_rules(watch.rules()).await?))
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
