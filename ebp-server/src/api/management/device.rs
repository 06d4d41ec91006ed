//! Measurement devices, as administrators keep them, and the tokens by which they are enrolled.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Request, State},
    http::{StatusCode, Uri},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ebp_core::{
    contract::{
        DeviceChange, EnrolmentRequest, EnrolmentToken, Listing, Made, ManagedDevice, NewDevice,
    },
    scope::Scopes,
};
use jiff::SignedDuration;
use ring::rand::{SecureRandom, SystemRandom};

use super::{list_query, listing};
use crate::{
    App,
    api::{body, device::digest, uuid},
    problem::ApiError,
};
use ebp_store::{Enrolment, HouseholdId};

/// For how many hours a token is good, if the request does not say.
const TOKEN_HOURS: u16 = 72;

/// `GET /management/device?limit&cursor`: all devices.
pub async fn list(
    State(app): State<Arc<App>>,
    uri: Uri,
) -> Result<Json<Listing<ManagedDevice>>, ApiError> {
    Ok(Json(listing(app.store.all_devices(list_query(&uri)?).await?)))
}

/// `POST /management/device`: a further device of a household.
pub async fn add(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<(StatusCode, Json<Made>), ApiError> {
    let NewDevice { household, meters } = body::json(&app, request).await?;
    let uuid = app.store.add_device(HouseholdId(household), meters).await?;
    Ok((StatusCode::CREATED, Json(Made { uuid })))
}

/// `GET /management/device/{uuid}`.
pub async fn show(
    State(app): State<Arc<App>>,
    Path(device): Path<String>,
) -> Result<Json<ManagedDevice>, ApiError> {
    Ok(Json(app.store.managed_device(uuid(&device)?).await?))
}

/// `PATCH /management/device/{uuid}`: which meters of its household it reads.
pub async fn change(
    State(app): State<Arc<App>>,
    Path(device): Path<String>,
    request: Request,
) -> Result<Json<ManagedDevice>, ApiError> {
    let device = uuid(&device)?;
    let DeviceChange { meters } = body::json(&app, request).await?;
    if let Some(meters) = meters {
        app.store.change_device(device, meters).await?;
    }
    Ok(Json(app.store.managed_device(device).await?))
}

/// `DELETE /management/device/{uuid}`: one that was added by mistake.
pub async fn remove(
    State(app): State<Arc<App>>,
    Path(device): Path<String>,
) -> Result<StatusCode, ApiError> {
    app.store.remove_device(uuid(&device)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /management/device/{uuid}/enrolment`: a one-time token, told here and kept only as its
/// hash. An earlier one that was not used is void.
pub async fn enrolment(
    State(app): State<Arc<App>>,
    Path(device): Path<String>,
    request: Request,
) -> Result<(StatusCode, Json<EnrolmentToken>), ApiError> {
    let device = uuid(&device)?;
    let EnrolmentRequest { scopes, hours } = body::json(&app, request).await?;
    let hours = hours.unwrap_or(TOKEN_HOURS);
    let scopes = scopes.unwrap_or_else(Scopes::of_a_device);
    let mut random = [0; 32];
    SystemRandom::new()
        .fill(&mut random)
        .map_err(|_| ApiError::Internal("there is no randomness".to_owned()))?;
    let token = BASE64_URL_SAFE_NO_PAD.encode(random);
    let expires_at = app.clock.now() + SignedDuration::from_hours(i64::from(hours));
    let enrolment = Enrolment { token: digest(token.as_bytes()), device, scopes, expires_at };
    app.store.create_enrolment(enrolment).await?;
    Ok((StatusCode::CREATED, Json(EnrolmentToken { device, token, expires_at })))
}
