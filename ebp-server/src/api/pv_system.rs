//! Endpoint 9: the household's photovoltaic systems.

use std::sync::Arc;

use axum::{Json, extract::State};
use ebp_core::model::PvSystem;

use crate::{App, auth::Caller, problem::ApiError};

/// `GET /household/pv_system`: each with its power, orientation, age and generation meter.
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<Vec<PvSystem>>, ApiError> {
    Ok(Json(app.store.pv_systems(caller.household()?).await?))
}
