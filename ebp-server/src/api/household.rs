//! Endpoint 2: the household.

use std::sync::Arc;

use axum::{Json, extract::State};
use ebp_core::contract::Household;

use crate::{App, auth::Caller, problem::ApiError};

/// `GET /household`: the registration details.
pub async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<Household>, ApiError> {
    Ok(Json(app.store.household(caller.household()?).await?))
}
