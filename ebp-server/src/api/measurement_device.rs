//! Endpoint 5: the household's measurement devices, and a device's status.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
};
use ebp_core::contract::{DeviceStatus, MeasurementDevice};
use ebp_survey::Survey;

use super::{body, intake::Intake};
use crate::{
    auth::{DeviceHolder, Requester},
    problem::ApiError,
    telemetry::Telemetry,
};

/// `GET /household/measurement_device`: each with its components' versions, last activity,
/// meters and health.
pub async fn list(
    State(survey): State<Arc<Survey>>,
    Requester(caller): Requester,
) -> Result<Json<Vec<MeasurementDevice>>, ApiError> {
    Ok(Json(survey.store().devices(caller.household()?).await?))
}

/// `PUT /household/measurement_device/status`: replaces the device's previous status. All faults
/// are reported at once.
pub async fn report(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    State(telemetry): State<Arc<Telemetry>>,
    holder: DeviceHolder,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let status: DeviceStatus = body::for_store(&intake, request).await?;
    let heard = status.meters.iter().map(|told| (told.telegrams, told.damaged));
    let (telegrams, damaged) = heard.fold((0, 0), |(all, bad), (more, worse)| {
        (u64::saturating_add(all, more), u64::saturating_add(bad, worse))
    });
    survey.store().report_status(holder.device, status, survey.clock().now()).await?;
    telemetry.heard(telegrams, damaged);
    Ok(StatusCode::NO_CONTENT)
}
