//! What a device says of its updates, and what it is to run.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
};
use ebp_core::contract::{DeviceUpdate, UpdateWish};
use ebp_survey::Survey;

use super::{body, intake::Intake};
use crate::{auth::DeviceHolder, problem::ApiError, rollout::RolloutWatch};

/// `POST /device/update`: what the device says takes the place of what it said before. It asks once an
/// hour, and says when something of it changes.
pub async fn report(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    State(watch): State<Arc<RolloutWatch>>,
    DeviceHolder { device, .. }: DeviceHolder,
    request: Request,
) -> Result<Json<UpdateWish>, ApiError> {
    let update: DeviceUpdate = body::json(&intake, request).await?;
    let wish = survey.report_update(device, update).await?;
    watch.wake();
    Ok(Json(wish))
}
