//! A household's meters and photovoltaic systems, as researchers change and remove them: with
//! `If-Match` only of that version of the household.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use ebp_core::{
    contract::{Made, MeterChange, NewMeter, NewPvSystem, PvSystemChange},
    scope::Group,
};
use ebp_store::{Edit, HouseholdId};
use ebp_survey::{Revision, Survey};

use super::revision::{revision, with_version};
use crate::{
    api::{body, intake::Intake, uuid},
    auth::Manager,
    problem::ApiError,
};

/// `POST /management/household/{household}/meter`: a further meter.
pub async fn add_meter(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    Manager(group): Manager,
    Path(household): Path<String>,
    request: Request,
) -> Result<(StatusCode, Json<Made>), ApiError> {
    let household = HouseholdId(uuid(&household)?);
    let revision = revision(group, request.headers())?;
    let meter: NewMeter = body::for_store(&intake, request).await?;
    added(&survey, household, Edit::AddMeter(meter), revision).await
}

/// `PATCH /management/household/{household}/meter/{uuid}`: type, model, and which device reads it.
pub async fn change_meter(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    Manager(group): Manager,
    Path((household, meter)): Path<(String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    let (household, meter) = (HouseholdId(uuid(&household)?), uuid(&meter)?);
    let Revision { author, expected } = revision(group, request.headers())?;
    let change: MeterChange = body::for_store(&intake, request).await?;
    survey.edit(household, Edit::ChangeMeter(meter, change), author, expected).await?;
    with_version(survey.store().registration(household).await?)
}

/// `POST /management/household/{household}/pv_system`: a further photovoltaic system.
pub async fn add_pv_system(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    Manager(group): Manager,
    Path(household): Path<String>,
    request: Request,
) -> Result<(StatusCode, Json<Made>), ApiError> {
    let household = HouseholdId(uuid(&household)?);
    let revision = revision(group, request.headers())?;
    let system: NewPvSystem = body::for_store(&intake, request).await?;
    added(&survey, household, Edit::AddPvSystem(system), revision).await
}

/// `PATCH /management/household/{household}/pv_system/{uuid}`.
pub async fn change_pv_system(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    Manager(group): Manager,
    Path((household, system)): Path<(String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    let (household, system) = (HouseholdId(uuid(&household)?), uuid(&system)?);
    let Revision { author, expected } = revision(group, request.headers())?;
    let change: PvSystemChange = body::for_store(&intake, request).await?;
    survey.edit(household, Edit::ChangePvSystem(system, change), author, expected).await?;
    with_version(survey.store().registration(household).await?)
}

/// `DELETE /management/household/{household}/meter/{uuid}`: one that was registered by mistake.
pub async fn remove_meter(
    State(survey): State<Arc<Survey>>,
    Manager(group): Manager,
    Path((household, meter)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let edit = Edit::RemoveMeter(uuid(&meter)?);
    removed(&survey, HouseholdId(uuid(&household)?), edit, (group, &headers)).await
}

/// `DELETE /management/household/{household}/pv_system/{uuid}`: one that was registered by mistake.
pub async fn remove_pv_system(
    State(survey): State<Arc<Survey>>,
    Manager(group): Manager,
    Path((household, system)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let edit = Edit::RemovePvSystem(uuid(&system)?);
    removed(&survey, HouseholdId(uuid(&household)?), edit, (group, &headers)).await
}

async fn added(
    survey: &Survey,
    household: HouseholdId,
    edit: Edit,
    Revision { author, expected }: Revision,
) -> Result<(StatusCode, Json<Made>), ApiError> {
    let uuid = survey.edit(household, edit, author, expected).await?;
    let uuid = uuid.ok_or_else(|| ApiError::Internal("nothing was added".to_owned()))?;
    Ok((StatusCode::CREATED, Json(Made { uuid })))
}

async fn removed(
    survey: &Survey,
    household: HouseholdId,
    edit: Edit,
    (group, headers): (Group, &HeaderMap),
) -> Result<StatusCode, ApiError> {
    let Revision { author, expected } = revision(group, headers)?;
    survey.edit(household, edit, author, expected).await?;
    Ok(StatusCode::NO_CONTENT)
}
