//! The state of the fleet, for administrators: all devices with their states, one device's coverage,
//! history and silence.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, Uri},
};
use ebp_core::{
    contract::{Coverage, DeviceHistory, FleetPage, FleetSort, NewSilence, Silence, limits},
    plain_text::find_hidden,
};
use ebp_store::{Cursor, Fleet, FleetCursor, FleetQuery};
use ebp_survey::Survey;
use jiff::{ToSpan, Unit, civil::Date, tz::TimeZone};

use super::revision::revision;
use crate::{
    api::{body, intake::Intake, query, uuid},
    auth::Manager,
    problem::ApiError,
};

/// Devices in a page by default.
const PAGE: usize = 100;

/// Devices in a page, at most: each is shown with its meters.
const PAGE_MAX: usize = 1_000;

/// `GET /management/fleet?state&version&q&sort&cursor&limit`: devices with their states, and how many
/// there are of each.
pub async fn list(
    State(survey): State<Arc<Survey>>,
    uri: Uri,
) -> Result<Json<FleetPage>, ApiError> {
    let Fleet { page, next } = survey.fleet(fleet_query(&uri)?).await?;
    let next = next
        .map(|FleetCursor { key, device }| Cursor { measured_at: key, uuid: device }.to_string());
    Ok(Json(FleetPage { next, ..page }))
}

fn fleet_query(uri: &Uri) -> Result<FleetQuery, ApiError> {
    let mut query = FleetQuery {
        state: None,
        version: None,
        search: None,
        sort: FleetSort::default(),
        descending: false,
        after: None,
        limit: PAGE,
    };
    let known = ["state", "version", "q", "sort", "cursor", "limit"];
    query::read(uri, &known, |name, value| {
        match name {
            "state" => {
                let state = value.parse();
                query.state = Some(state.map_err(|_| "`state` is not one of those known")?);
            }
            "version" => query.version = Some(text("version", value, 64)?),
            "q" => query.search = Some(text("q", value, limits::SEARCH_CHARS)?),
            "sort" => {
                let (descending, name) = match value.strip_prefix('-') {
                    Some(name) => (true, name),
                    None => (false, value),
                };
                query.sort = name.parse().map_err(|_| "`sort` is not one of those known")?;
                query.descending = descending;
            }
            "cursor" => {
                let Cursor { measured_at, uuid } = query::cursor(value)?;
                query.after = Some(FleetCursor { key: measured_at, device: uuid });
            }
            _ => {
                let limit = value.parse().ok().filter(|limit| (1..=PAGE_MAX).contains(limit));
                query.limit = limit.ok_or_else(|| format!("`limit` must be 1 to {PAGE_MAX}"))?;
            }
        }
        Ok(())
    })?;
    Ok(query)
}

/// A short text without control and invisible characters.
fn text(name: &str, value: &str, most: usize) -> Result<String, String> {
    let fits = (1..=most).contains(&value.chars().count()) && find_hidden(value).is_none();
    let wrong = || format!("`{name}` must be 1 to {most} characters without control characters");
    fits.then(|| value.to_owned()).ok_or_else(wrong)
}

/// `GET /management/device/{uuid}/coverage?from&to`: in which slots the device's meters were measured,
/// from one day (UTC) to another, which is not included. Without them the last 30 days.
pub async fn coverage(
    State(survey): State<Arc<Survey>>,
    Path(device): Path<String>,
    uri: Uri,
) -> Result<Json<Coverage>, ApiError> {
    let device = uuid(&device)?;
    let (mut from, mut to) = (None, None);
    query::read(&uri, &["from", "to"], |name, value| {
        let day: Date =
            value.parse().map_err(|_| format!("`{name}` must be a day, such as 2026-01-31"))?;
        let day = Some(day).filter(|day| (1970..=9998).contains(&day.year()));
        let day = day.ok_or_else(|| format!("`{name}` must be a day of the years 1970 to 9998"))?;
        *(if name == "from" { &mut from } else { &mut to }) = Some(day);
        Ok(())
    })?;
    let wrong = || {
        ApiError::Invalid(format!("`from` must be 1 to {} days before `to`", limits::COVERAGE_DAYS))
    };
    let today = TimeZone::UTC.to_datetime(survey.clock().now()).date();
    let to = to
        .or_else(|| from.and_then(|from: Date| from.checked_add(30.days()).ok()))
        .or_else(|| today.tomorrow().ok())
        .ok_or_else(wrong)?;
    let from = from.or_else(|| to.checked_sub(30.days()).ok()).ok_or_else(wrong)?;
    let days = from.until((Unit::Day, to)).map_err(|_| wrong())?.get_days();
    if !(1..=limits::COVERAGE_DAYS).contains(&days) {
        return Err(wrong());
    }
    let days = usize::try_from(days).map_err(|_| wrong())?;
    Ok(Json(survey.coverage(device, from, days).await?))
}

/// `GET /management/device/{uuid}/history`: every incident, and the statuses by day.
pub async fn history(
    State(survey): State<Arc<Survey>>,
    Path(device): Path<String>,
) -> Result<Json<DeviceHistory>, ApiError> {
    Ok(Json(survey.device_history(uuid(&device)?).await?))
}

/// `GET /management/device/{uuid}/silence`.
pub async fn silence(
    State(survey): State<Arc<Survey>>,
    Path(device): Path<String>,
) -> Result<Json<Silence>, ApiError> {
    Ok(Json(survey.device_silence(uuid(&device)?).await?))
}

/// `POST /management/device/{uuid}/silence`: in place of one that is there.
pub async fn silence_device(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    Manager(group): Manager,
    Path(device): Path<String>,
    request: Request,
) -> Result<(StatusCode, Json<Silence>), ApiError> {
    let device = uuid(&device)?;
    let by = revision(group, request.headers())?;
    let new: NewSilence = body::for_store(&intake, request).await?;
    Ok((StatusCode::CREATED, Json(survey.silence_device(device, new, Some(by)).await?)))
}

/// `DELETE /management/device/{uuid}/silence`.
pub async fn end_silence(
    State(survey): State<Arc<Survey>>,
    Manager(group): Manager,
    Path(device): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let by = revision(group, &headers)?;
    survey.end_silence(uuid(&device)?, Some(by)).await?;
    Ok(StatusCode::NO_CONTENT)
}
