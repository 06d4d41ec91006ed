//! A household's meters and photovoltaic systems, as researchers change and remove them.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Request, State},
    http::StatusCode,
};
use ebp_core::contract::{
    Made, ManagedHousehold, MeterChange, NewMeter, NewPvSystem, PvSystemChange,
};
use ebp_store::HouseholdId;
use ebp_survey::Survey;

use crate::{
    api::{body, intake::Intake, uuid},
    problem::ApiError,
};

/// `POST /management/household/{household}/meter`: a further meter.
pub async fn add_meter(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    Path(household): Path<String>,
    request: Request,
) -> Result<(StatusCode, Json<Made>), ApiError> {
    let household = HouseholdId(uuid(&household)?);
    let meter: NewMeter = body::for_store(&intake, request).await?;
    let uuid = survey.store().add_meter(household, meter).await?;
    Ok((StatusCode::CREATED, Json(Made { uuid })))
}

/// `PATCH /management/household/{household}/meter/{uuid}`: type, model, and which device reads it.
pub async fn change_meter(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    Path((household, meter)): Path<(String, String)>,
    request: Request,
) -> Result<Json<ManagedHousehold>, ApiError> {
    let (household, meter) = (HouseholdId(uuid(&household)?), uuid(&meter)?);
    let change: MeterChange = body::for_store(&intake, request).await?;
    survey.store().change_meter(household, meter, change).await?;
    Ok(Json(survey.store().registration(household).await?))
}

/// `POST /management/household/{household}/pv_system`: a further photovoltaic system.
pub async fn add_pv_system(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    Path(household): Path<String>,
    request: Request,
) -> Result<(StatusCode, Json<Made>), ApiError> {
    let household = HouseholdId(uuid(&household)?);
    let system: NewPvSystem = body::for_store(&intake, request).await?;
    let uuid = survey.store().add_pv_system(household, system).await?;
    Ok((StatusCode::CREATED, Json(Made { uuid })))
}

/// `PATCH /management/household/{household}/pv_system/{uuid}`.
pub async fn change_pv_system(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    Path((household, system)): Path<(String, String)>,
    request: Request,
) -> Result<Json<ManagedHousehold>, ApiError> {
    let (household, system) = (HouseholdId(uuid(&household)?), uuid(&system)?);
    let change: PvSystemChange = body::for_store(&intake, request).await?;
    survey.store().change_pv_system(household, system, change).await?;
    Ok(Json(survey.store().registration(household).await?))
}

/// `DELETE /management/household/{household}/meter/{uuid}`: one that was registered by mistake.
pub async fn remove_meter(
    State(survey): State<Arc<Survey>>,
    Path((household, meter)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    survey.store().remove_meter(HouseholdId(uuid(&household)?), uuid(&meter)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /management/household/{household}/pv_system/{uuid}`: one that was registered by mistake.
pub async fn remove_pv_system(
    State(survey): State<Arc<Survey>>,
    Path((household, system)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    survey.store().remove_pv_system(HouseholdId(uuid(&household)?), uuid(&system)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
