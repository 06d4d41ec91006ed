//! Sessions of researchers and administrators in pages, for administrators: listed and ended.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use ebp_core::contract::{Listing, WebSession};
use ebp_survey::Survey;

use crate::{api::uuid, problem::ApiError};

/// `GET /management/session`: those that go on, oldest first.
pub async fn list(
    State(survey): State<Arc<Survey>>,
) -> Result<Json<Listing<WebSession>>, ApiError> {
    Ok(Json(Listing { items: survey.web_sessions().await?, next: None }))
}

/// `DELETE /management/session/{uuid}`: ends it, at all servers.
pub async fn end(
    State(survey): State<Arc<Survey>>,
    Path(session): Path<String>,
) -> Result<StatusCode, ApiError> {
    survey.end_web_session(uuid(&session)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
