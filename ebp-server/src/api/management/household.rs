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
use ebp_survey::{NewHousehold, Survey, log_trouble};

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

/// `POST /management/household?further`: registers a household; all faults are reported at once.
/// With `further=true` the participant may have a household at the same address.
pub async fn register(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    uri: Uri,
    request: Request,
) -> Result<(StatusCode, Json<Registered>), ApiError> {
    let further = further(&uri)?;
    let registration: Registration = body::for_store(&intake, request).await?;
    let NewHousehold { registered, located } = survey.register(registration, further).await?;
    log_trouble(&located);
    Ok((StatusCode::CREATED, Json(registered)))
}

/// `POST /management/household/check?further`: whether a registration would be taken in. Nothing is
/// stored, and no address is looked up.
pub async fn check(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    uri: Uri,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let further = further(&uri)?;
    let registration: Registration = body::for_store(&intake, request).await?;
    survey.check_registration(registration, further).await?;
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
