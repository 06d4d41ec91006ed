//! Endpoint 5: the household's measurement devices.

use std::sync::Arc;

use axum::{Json, extract::State};
use ebp_core::contract::MeasurementDevice;

use crate::{App, auth::Caller, problem::ApiError};

/// `GET /household/measurement_device`: each with its version, last activity and meters.
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<Vec<MeasurementDevice>>, ApiError> {
    Ok(Json(app.store.devices(caller.household()?).await?))
}
