//! Endpoint 1: the participant.

use std::sync::Arc;

use axum::{Json, extract::State};
use ebp_core::contract::Account;
use ebp_survey::Survey;

use crate::{auth::Requester, problem::ApiError};

/// `GET /account`: the contact details. They are the same for all of a participant's households.
pub async fn show(
    State(survey): State<Arc<Survey>>,
    Requester(caller): Requester,
) -> Result<Json<Account>, ApiError> {
    Ok(Json(survey.store().account(caller.participant).await?))
}
