//! Endpoint 9: the household's photovoltaic systems.

use std::sync::Arc;

use axum::{Json, extract::State};
use ebp_core::model::PvSystem;
use ebp_survey::Survey;

use crate::{auth::Requester, problem::ApiError};

/// `GET /household/pv_system`: each with its power, orientation, age and generation meter.
pub async fn list(
    State(survey): State<Arc<Survey>>,
    Requester(caller): Requester,
) -> Result<Json<Vec<PvSystem>>, ApiError> {
    Ok(Json(survey.store().pv_systems(caller.household()?).await?))
}
