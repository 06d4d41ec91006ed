//! Endpoint 6: the household's meters.

use std::sync::Arc;

use axum::{Json, extract::State};
use ebp_core::model::Meter;

use crate::{App, auth::Caller, problem::ApiError};

/// `GET /household/meter`: each with its type, model and device.
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<Vec<Meter>>, ApiError> {
    Ok(Json(app.store.meters(caller.household()?).await?))
}
