//! Endpoint 1: the participant.

use std::sync::Arc;

use axum::{Json, extract::State};
use ebp_core::contract::Account;

use crate::{App, auth::Caller, problem::ApiError};

/// `GET /account`: the contact details. They are the same for all of a participant's households.
pub async fn show(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Account>, ApiError> {
    Ok(Json(app.store.account(caller.participant()).await?))
}
