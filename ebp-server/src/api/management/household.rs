//! Endpoint 10, registering, and changing a registration.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Path, Request, State},
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use ebp_core::{
    contract::{HouseholdChange, ManagedHousehold, Registered, Registration},
    model::{Address, Location},
    scope::Group,
};

use super::{list_query, listing};
use crate::{
    App,
    api::{body, query, uuid},
    auth::Manager,
    problem::ApiError,
};
use ebp_store::{Faults, HouseholdId, faults};

/// `GET /management/household?limit&cursor`: registrations and consents to researchers, health of
/// devices and meters to administrators, in the order of registration.
pub async fn list(
    State(app): State<Arc<App>>,
    Manager(group): Manager,
    uri: Uri,
) -> Result<Response, ApiError> {
    let query = list_query(&uri)?;
    Ok(match group {
        Group::Researchers => Json(listing(app.store.registrations(query).await?)).into_response(),
        Group::Administrators => Json(listing(app.store.health(query).await?)).into_response(),
    })
}

/// `POST /management/household?further`: takes in a registration; what is wrong with it is told all
/// at once. With `further=true` the participant may have a household at the same address.
pub async fn register(
    State(app): State<Arc<App>>,
    uri: Uri,
    request: Request,
) -> Result<(StatusCode, Json<Registered>), ApiError> {
    let further = further(&uri)?;
    let mut registration: Registration = body::for_store(&app, request).await?;
    // Don't geocode a registration that will be rejected.
    if registration.location.is_none() && faults(&registration).is_empty() {
        app.store.check_registration(registration.clone(), further).await?;
        registration.location = locate(&app, &registration.address).await;
    }
    let now = app.clock.now();
    let registered = match further {
        true => app.store.register_further(registration, now).await?,
        false => app.store.register(registration, now).await?,
    };
    Ok((StatusCode::CREATED, Json(registered)))
}

/// `POST /management/household/check?further`: whether a registration would be taken in. Nothing is
/// stored, and no address is looked up.
pub async fn check(
    State(app): State<Arc<App>>,
    uri: Uri,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let further = further(&uri)?;
    let registration: Registration = body::for_store(&app, request).await?;
    app.store.check_registration(registration, further).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `?further`: whether the participant may have a household at the same address.
fn further(uri: &Uri) -> Result<bool, ApiError> {
    let mut further = false;
    query::read(uri, &["further"], |_, value| {
        further = value.parse().map_err(|_| "`further` must be true or false".to_owned())?;
        Ok(())
    })?;
    Ok(further)
}

/// `DELETE /management/household/{household}`: one that was registered by mistake.
pub async fn remove(
    State(app): State<Arc<App>>,
    Path(household): Path<String>,
) -> Result<StatusCode, ApiError> {
    let household = HouseholdId(uuid(&household)?);
    let address = match &app.geocoder {
        Some(_) => app.store.registration(household).await?.address,
        None => None,
    };
    app.store.remove_household(household, app.clock.now()).await?;
    // Its devices' certificates were revoked.
    app.revocations.complete(&*app.store).await;
    if let Some(address) = address {
        forget_address(&app, address).await;
    }
    Ok(StatusCode::NO_CONTENT)
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
    let mut change: HouseholdChange = body::for_store(&app, request).await?;
    // Who moves is somewhere else; if that is not found the location stays.
    if let (Some(address), None) = (&change.address, &change.location)
        && Faults::against_schema(&change).is_empty()
    {
        change.location = locate(&app, address).await;
    }
    // Also what was answered for the address of before goes.
    let before = match (&app.geocoder, &change.address) {
        (Some(_), Some(new)) => {
            let known = app.store.registration(household).await?.address;
            known.filter(|known| known != new)
        }
        _ => None,
    };
    app.store.change_household(household, change, app.clock.now()).await?;
    // Another e-mail address revokes the certificates of the one before.
    app.revocations.complete(&*app.store).await;
    if let Some(address) = before {
        forget_address(&app, address).await;
    }
    Ok(Json(app.store.registration(household).await?))
}

/// Forgets what the geocoding service answered for an address that is removed.
pub async fn forget_address(app: &App, address: Address) {
    let Some(geocoder) = app.geocoder.clone() else { return };
    // Files are waited for elsewhere; if that goes wrong what is left is sealed.
    let _ = tokio::task::spawn_blocking(move || geocoder.forget(&address)).await;
}

/// How long a registration waits for the location of its address.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where an address is, if a way to find out is configured and it is found.
async fn locate(app: &App, address: &Address) -> Option<Location> {
    let (geocoder, address) = (app.geocoder.clone()?, address.clone());
    let turn = app.locating.clone().acquire_owned();
    // Threads are everybody's: no more than a few wait for the service, also when whoever asked has
    // gone. Who finds all of them waiting goes without a location, as where none is found.
    let turn = tokio::time::timeout(PATIENCE, turn).await.ok()?.ok()?;
    let look_up = move || {
        let looked_up = geocoder.locate(&address, PATIENCE);
        drop(turn);
        looked_up
    };
    let looked_up = tokio::task::spawn_blocking(look_up).await.ok()?;
    if let Some(error) = looked_up.trouble {
        tracing::warn!(%error, "an address was not looked up");
    }
    looked_up.location
}
