//! Endpoint 2: the household.

use std::sync::Arc;

use axum::{Json, extract::State};
use ebp_core::contract::Household;
use ebp_survey::Survey;

use crate::{auth::Requester, problem::ApiError};

/// `GET /household`: the registration details.
pub async fn show(
    State(survey): State<Arc<Survey>>,
    Requester(caller): Requester,
) -> Result<Json<Household>, ApiError> {
    Ok(Json(survey.store().household(caller.household()?).await?))
}
