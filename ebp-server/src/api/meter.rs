//! Endpoint 6: the household's meters.

use std::sync::Arc;

use axum::{Json, extract::State};
use ebp_core::model::Meter;
use ebp_survey::Survey;

use crate::{auth::Requester, problem::ApiError};

/// `GET /household/meter`: each with its type, model and device.
pub async fn list(
    State(survey): State<Arc<Survey>>,
    Requester(caller): Requester,
) -> Result<Json<Vec<Meter>>, ApiError> {
    Ok(Json(survey.store().meters(caller.household()?).await?))
}
