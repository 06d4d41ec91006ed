//! Endpoint 10, registering, and changing a registration.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use ebp_core::{
    contract::{
        HouseholdChange, HouseholdFilter, HouseholdListing, Listing, Registered, Registration,
        RegistrationChange, limits,
    },
    model::ConsentState,
    scope::Group,
};
use ebp_store::{HouseholdId, HouseholdPage, HouseholdQuery};
use ebp_survey::{NewHousehold, Revision, Survey};

use super::{
    list_query, listing,
    revision::{author, expected, revision, with_version},
};
use crate::{
    api::{body, intake::Intake, query, uuid},
    auth::Manager,
    problem::ApiError,
};

/// `GET /management/household`: to researchers registrations and consents, searched for by `q`,
/// those with a state of `consent`, in an order (`sort`); to administrators health of devices and
/// meters, in the order of registration.
pub async fn list(
    State(survey): State<Arc<Survey>>,
    Manager(group): Manager,
    uri: Uri,
) -> Result<Response, ApiError> {
    Ok(match group {
        Group::Researchers => {
            let page = survey.store().search_households(search_query(&uri)?).await?;
            let HouseholdPage { items, next, counts } = page;
            let next = next.map(|next| next.to_string());
            Json(HouseholdListing { items, next, counts }).into_response()
        }
        Group::Administrators => {
            Json(listing(survey.store().health(list_query(&uri)?).await?)).into_response()
        }
    })
}

/// `?q&consent&sort&limit&cursor`.
fn search_query(uri: &Uri) -> Result<HouseholdQuery, ApiError> {
    let mut found = HouseholdQuery {
        filter: HouseholdFilter::default(),
        after: None,
        limit: limits::PAGE_DEFAULT,
    };
    query::read(uri, &["q", "consent", "sort", "limit", "cursor"], |name, value| {
        let filter = &mut found.filter;
        match name {
            "q" => filter.search = Some(value.to_owned()),
            "consent" => {
                let states =
                    [ConsentState::NotGranted, ConsentState::Granted, ConsentState::Revoked];
                let state = states.into_iter().find(|state| state.name() == value);
                let state = state.ok_or("`consent` must be not-granted, granted or revoked");
                filter.consent = Some(state?);
            }
            "sort" => filter.sort = value.parse().map_err(|reason| format!("`sort` {reason}"))?,
            "limit" => found.limit = query::limit(value)?,
            _ => {
                let cursor = value.parse().map_err(|()| query::WRONG_CURSOR.to_owned())?;
                found.after = Some(cursor);
            }
        }
        Ok(())
    })?;
    Ok(found)
}

/// `POST /management/household?further&dry_run`: registers a household; all faults are reported at
/// once. With `further=true` the participant may have a household at the same address. With
/// `dry_run=true` it is only checked (204): nothing is stored, and no address is looked up.
pub async fn register(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    Manager(group): Manager,
    uri: Uri,
    request: Request,
) -> Result<Response, ApiError> {
    let [further, dry_run] = flags(&uri, ["further", "dry_run"])?;
    let author = author(group, request.headers())?;
    let registration: Registration = body::for_store(&intake, request).await?;
    if dry_run {
        survey.check_registration(registration, further).await?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let registering = survey.register(registration, further, Some(author));
    let NewHousehold { registered, located } = registering.await?;
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

/// `DELETE /management/household/{household}`: one that was registered by mistake; with `If-Match` only
/// of that version.
pub async fn remove(
    State(survey): State<Arc<Survey>>,
    Path(household): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let household = HouseholdId(uuid(&household)?);
    survey.remove_household(household, expected(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /management/household/{household}`: a registration with all that belongs to it, and its
/// version.
pub async fn show(
    State(survey): State<Arc<Survey>>,
    Path(household): Path<String>,
) -> Result<Response, ApiError> {
    with_version(survey.store().registration(HouseholdId(uuid(&household)?)).await?)
}

/// `PATCH /management/household/{household}`: changes contact, address, location and metadata; with
/// `If-Match` only of that version.
pub async fn change(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    Manager(group): Manager,
    Path(household): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let household = HouseholdId(uuid(&household)?);
    let Revision { author, expected } = revision(group, request.headers())?;
    let change: HouseholdChange = body::for_store(&intake, request).await?;
    let changed = survey.change_household(household, change, Some(author), expected).await?;
    with_version(changed)
}

/// `GET /management/household/{household}/change?limit&cursor`: the history of a registration, oldest
/// first, without any value.
pub async fn changes(
    State(survey): State<Arc<Survey>>,
    Path(household): Path<String>,
    uri: Uri,
) -> Result<Json<Listing<RegistrationChange>>, ApiError> {
    let household = HouseholdId(uuid(&household)?);
    Ok(Json(listing(survey.store().changes(household, list_query(&uri)?).await?)))
}
