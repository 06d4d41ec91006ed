//! In which releases of the data set a household is.

use std::sync::Arc;

use axum::{Json, extract::State};
use ebp_core::contract::HouseholdRelease;
use ebp_survey::Survey;

use crate::{auth::Requester, problem::ApiError};

/// `GET /household/release`: what left the research group with the household in it, the first first.
pub async fn list(
    State(survey): State<Arc<Survey>>,
    Requester(caller): Requester,
) -> Result<Json<Vec<HouseholdRelease>>, ApiError> {
    Ok(Json(survey.own_releases(&caller).await?))
}
