//! Endpoints 11, 12 and 13: what is wrong with a meter.
//!
//! An incident that is reported while it is open, or resolved when it has ended, stays as it is;
//! one that is reported again afterwards is open again.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Request, State},
};
use ebp_core::{contract::IncidentRequest, model::Incident};
use ebp_survey::Survey;
use jiff::Timestamp;
use uuid::Uuid;

use super::{body, intake::Intake, uuid};
use crate::{auth::Requester, problem::ApiError};

/// `GET /household/meter/{uuid}/incident`: open and ended ones.
pub async fn list(
    State(survey): State<Arc<Survey>>,
    Requester(caller): Requester,
    Path(meter): Path<String>,
) -> Result<Json<Vec<Incident>>, ApiError> {
    let meter: Uuid = uuid(&meter)?;
    Ok(Json(survey.store().incidents(caller.household()?, meter).await?))
}

/// `POST /household/meter/{uuid}/incident/report`: opens it.
pub async fn report(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    Requester(caller): Requester,
    Path(meter): Path<String>,
    request: Request,
) -> Result<Json<Incident>, ApiError> {
    let meter = uuid(&meter)?;
    let IncidentRequest { kind, at } = body::json(&intake, request).await?;
    let at = not_after(at, survey.clock().now());
    Ok(Json(survey.store().report_incident(caller.household()?, meter, kind, at).await?))
}

/// `POST /household/meter/{uuid}/incident/resolve`: ends it; 404 if it never was reported.
pub async fn resolve(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    Requester(caller): Requester,
    Path(meter): Path<String>,
    request: Request,
) -> Result<Json<Incident>, ApiError> {
    let meter = uuid(&meter)?;
    let IncidentRequest { kind, at } = body::json(&intake, request).await?;
    let at = not_after(at, survey.clock().now());
    Ok(Json(survey.store().resolve_incident(caller.household()?, meter, kind, at).await?))
}

/// What a device says, unless that is still to come.
fn not_after(at: Option<Timestamp>, now: Timestamp) -> Timestamp {
    at.map_or(now, |at| at.min(now))
}
