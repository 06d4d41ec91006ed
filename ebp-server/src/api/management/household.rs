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
use ebp_store::HouseholdId;
use ebp_survey::{NewHousehold, Survey};

use super::{list_query, listing};
use crate::{
    api::{body, intake::Intake, query, uuid},
    auth::Manager,
    problem::ApiError,
};

/// `GET /management/household?limit&cursor`: registrations and consents to researchers, health of
/// devices and meters to administrators, in the order of registration.
pub async fn list(
    State(survey): State<Arc<Survey>>,
    Manager(group): Manager,
    uri: Uri,
) -> Result<Response, ApiError> {
    let query = list_query(&uri)?;
    Ok(match group {
        Group::Researchers => {
            Json(listing(survey.store().registrations(query).await?)).into_response()
        }
        Group::Administrators => Json(listing(survey.store().health(query).await?)).into_response(),
    })
}

/// `POST /management/household?further&dry_run`: registers a household; all faults are reported at
/// once. With `further=true` the participant may have a household at the same address. With
/// `dry_run=true` it is only checked (204): nothing is stored, and no address is looked up.
pub async fn register(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    uri: Uri,
    request: Request,
) -> Result<Response, ApiError> {
    let [further, dry_run] = flags(&uri, ["further", "dry_run"])?;
    let registration: Registration = body::for_store(&intake, request).await?;
    if dry_run {
        survey.check_registration(registration, further).await?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let NewHousehold { registered, located } = survey.register(registration, further).await?;
    if let Some(located) = located {
        located.log_trouble();
    }
    Ok((StatusCode::CREATED, Json::<Registered>(registered)).into_response())
}

/// `POST /management/household/check?further`: whether a registration would be taken in. Nothing is
/// stored, and no address is looked up.
pub async fn check(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    uri: Uri,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let [further] = flags(&uri, ["further"])?;
    let registration: Registration = body::for_store(&intake, request).await?;
    survey.check_registration(registration, further).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The flags of these names; one that is absent is false.
fn flags<const N: usize>(uri: &Uri, names: [&str; N]) -> Result<[bool; N], ApiError> {
    let mut flags = [false; N];
    query::read(uri, &names, |name, value| {
        let flag = value.parse().map_err(|_| format!("`{name}` must be true or false"))?;
        for (place, _) in names.iter().enumerate().filter(|(_, known)| **known == name) {
            flags[place] = flag;
        }
        Ok(())
    })?;
    Ok(flags)
}

/// `DELETE /management/household/{household}`: one that was registered by mistake.
pub async fn remove(
    State(survey): State<Arc<Survey>>,
    Path(household): Path<String>,
) -> Result<StatusCode, ApiError> {
    survey.remove_household(HouseholdId(uuid(&household)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /management/household/{household}`: a registration with all that belongs to it.
pub async fn show(
    State(survey): State<Arc<Survey>>,
    Path(household): Path<String>,
) -> Result<Json<ManagedHousehold>, ApiError> {
    Ok(Json(survey.store().registration(HouseholdId(uuid(&household)?)).await?))
}

/// `PATCH /management/household/{household}`: changes contact, address, location and metadata.
pub async fn change(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    Path(household): Path<String>,
    request: Request,
) -> Result<Json<ManagedHousehold>, ApiError> {
    let household = HouseholdId(uuid(&household)?);
    let change: HouseholdChange = body::for_store(&intake, request).await?;
    Ok(Json(survey.change_household(household, change).await?))
}
