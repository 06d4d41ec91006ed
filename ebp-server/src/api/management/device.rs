//! Measurement devices, as administrators keep them; the tokens by which they are enrolled, and the
//! codes by which participants sign in to their pages, which researchers make as well.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use ebp_core::contract::{
    DeviceChange, EnrolmentRequest, EnrolmentToken, Listing, Made, ManagedDevice, NewDevice,
    NewSignInCode,
};
use ebp_store::{Edit, HouseholdId, StoreError};
use ebp_survey::Survey;
use uuid::Uuid;

use super::{
    list_query, listing,
    revision::{author, revision, tag},
};
use crate::{
    api::{body, intake::Intake, uuid},
    auth::Manager,
    problem::ApiError,
};

/// `GET /management/device?limit&cursor`: all devices.
pub async fn list(
    State(survey): State<Arc<Survey>>,
    uri: Uri,
) -> Result<Json<Listing<ManagedDevice>>, ApiError> {
    Ok(Json(listing(survey.store().all_devices(list_query(&uri)?).await?)))
}

/// `POST /management/device`: a further device of a household.
pub async fn add(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    Manager(group): Manager,
    request: Request,
) -> Result<(StatusCode, Json<Made>), ApiError> {
    let author = author(group, request.headers())?;
    let NewDevice { household, meters } = body::json(&intake, request).await?;
    let edit = Edit::AddDevice(meters);
    let uuid = survey.edit(HouseholdId(household), edit, author, None).await?;
    let uuid = uuid.ok_or_else(|| ApiError::Internal("nothing was added".to_owned()))?;
    Ok((StatusCode::CREATED, Json(Made { uuid })))
}

/// `GET /management/device/{uuid}`: the device, and its household's version.
pub async fn show(
    State(survey): State<Arc<Survey>>,
    Path(device): Path<String>,
) -> Result<Response, ApiError> {
    shown(&survey, uuid(&device)?).await
}

async fn shown(survey: &Survey, device: Uuid) -> Result<Response, ApiError> {
    let device = survey.store().managed_device(device).await?;
    let household = survey.store().registration(HouseholdId(device.household)).await;
    match household {
        Ok(household) => Ok(([(header::ETAG, tag(&household)?)], Json(device)).into_response()),
        // A withheld household cannot be changed, and has no version.
        Err(StoreError::NotFound) => Ok(Json(device).into_response()),
        Err(error) => Err(error.into()),
    }
}

/// `PATCH /management/device/{uuid}`: which meters of its household it reads; with `If-Match` only of
/// that version of the household.
pub async fn change(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    Manager(group): Manager,
    Path(device): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let device = uuid(&device)?;
    let by = revision(group, request.headers())?;
    let DeviceChange { meters } = body::json(&intake, request).await?;
    if let Some(meters) = meters {
        survey.change_device(device, meters, Some(by)).await?;
    }
    shown(&survey, device).await
}

/// `DELETE /management/device/{uuid}`: one that was added by mistake; with `If-Match` only of that
/// version of the household.
pub async fn remove(
    State(survey): State<Arc<Survey>>,
    Manager(group): Manager,
    Path(device): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let by = revision(group, &headers)?;
    survey.remove_device(uuid(&device)?, Some(by)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /management/device/{uuid}/enrolment`: a one-time token and the sign-in code that the device's
/// page has once the token is used, returned here and stored only as their hashes. An earlier token
/// that was not used is void.
pub async fn enrolment(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    Manager(group): Manager,
    Path(device): Path<String>,
    request: Request,
) -> Result<(StatusCode, Json<EnrolmentToken>), ApiError> {
    let device = uuid(&device)?;
    let by = revision(group, request.headers())?;
    let EnrolmentRequest { scopes, hours } = body::json(&intake, request).await?;
    let token = survey.create_enrolment(device, scopes, hours, Some(by)).await?;
    Ok((StatusCode::CREATED, Json(token)))
}

/// `POST /management/device/{uuid}/sign-in-code`: another sign-in code for the device's page, returned
/// here and stored only as its hash.
pub async fn sign_in_code(
    State(survey): State<Arc<Survey>>,
    Manager(group): Manager,
    Path(device): Path<String>,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<NewSignInCode>), ApiError> {
    let by = revision(group, &headers)?;
    let code = survey.create_sign_in_code(uuid(&device)?, Some(by)).await?;
    Ok((StatusCode::CREATED, Json(code)))
}
