//! Endpoint 10, registering, and changing a registration.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Request, State},
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use ebp_core::{
    contract::{HouseholdChange, ManagedHousehold, Registered, Registration},
    scope::Group,
};

use super::{listing, query};
use crate::{
    App,
    api::{body, uuid},
    auth::Manager,
    problem::ApiError,
    store::HouseholdId,
};

/// `GET /management/household?limit&cursor`: registrations and consents to researchers, health of
/// devices and meters to administrators, in the order of registration.
pub async fn list(
    State(app): State<Arc<App>>,
    Manager(group): Manager,
    uri: Uri,
) -> Result<Response, ApiError> {
    let query = query(&uri)?;
    Ok(match group {
        Group::Researchers => Json(listing(app.store.registrations(query).await?)).into_response(),
        Group::Administrators => Json(listing(app.store.health(query).await?)).into_response(),
    })
}

/// `POST /management/household`: takes in a registration; what is wrong with it is told all at
/// once.
pub async fn register(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<(StatusCode, Json<Registered>), ApiError> {
    let registration: Registration = body::for_store(&app, request).await?;
    let registered = app.store.register(registration, app.clock.now()).await?;
    Ok((StatusCode::CREATED, Json(registered)))
}

/// `GET /management/household/{household}`: a registration with all that belongs to it.
pub async fn show(
    State(app): State<Arc<App>>,
    Path(household): Path<String>,
) -> Result<Json<ManagedHousehold>, ApiError> {
    Ok(Json(app.store.registration(HouseholdId(uuid(&household)?)).await?))
}

/// `PATCH /management/household/{household}`: changes contact, address, location and metadata.
pub async fn change(
    State(app): State<Arc<App>>,
    Path(household): Path<String>,
    request: Request,
) -> Result<Json<ManagedHousehold>, ApiError> {
    let household = HouseholdId(uuid(&household)?);
    let change: HouseholdChange = body::for_store(&app, request).await?;
    app.store.change_household(household, change).await?;
    Ok(Json(app.store.registration(household).await?))
}
