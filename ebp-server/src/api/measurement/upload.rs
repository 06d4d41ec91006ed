//! Endpoint 8: a report of measurements.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
};
use ebp_core::{
    contract::{UploadItem, UploadOutcome, UploadResponse, limits},
    model::Measurement,
};
use uuid::Uuid;

use super::body::{self, Item, Packing};
use crate::{
    App,
    api::body::receive,
    auth::Caller,
    problem::ApiError,
    store::{HouseholdId, Outcome, Refusal},
    telemetry::UploadCounts,
};

/// Bodies of more bytes, and packed ones, are read on a thread that may be kept busy.
const SMALL: usize = 16 << 10;

/// `POST /household/meter/measurement`: stores up to 10,000 measurements, plain, as gzip or as zstd, and
/// says of each whether it is accepted, was there before, or is refused or deferred and why. What is
/// answered as accepted is on disk. What is deferred is beyond its meter's quota; if all of it is, the
/// upload is answered so (429).
pub async fn upload(
    State(app): State<Arc<App>>,
    caller: Caller,
    request: Request,
) -> Result<Json<UploadResponse>, ApiError> {
    let household = caller.household()?;
    let (parts, body) = request.into_parts();
    let packing = Packing::of(&parts.headers)?;
    let packed = receive(body, limits::UPLOAD_BYTES, app.limits.body).await?;
    let items = if packing == Packing::Plain && packed.len() <= SMALL {
        body::read(&packed)?
    } else {
        let _permit = app.unpacking.acquire().await;
        let read = move || body::read(&body::unpack(packed, packing)?);
        tokio::task::spawn_blocking(read)
            .await
            .map_err(|error| ApiError::Internal(error.to_string()))??
    };
    let items = store(&app, caller, household, items).await?;
    let mut counts = UploadCounts::default();
    for item in &items {
        *match item.outcome {
            UploadOutcome::Accepted => &mut counts.accepted,
            UploadOutcome::Duplicate => &mut counts.duplicate,
            UploadOutcome::Refused | UploadOutcome::Deferred => &mut counts.refused,
        } += 1;
    }
    app.telemetry.uploaded(counts);
    Ok(Json(UploadResponse { items }))
}

async fn store(
    app: &App,
    caller: Caller,
    household: HouseholdId,
    items: Vec<Item>,
) -> Result<Vec<UploadItem>, ApiError> {
    let mut measurements: Vec<Measurement> = Vec::with_capacity(items.len());
    let named: Vec<(Uuid, Option<Refusal>)> = items
        .into_iter()
        .map(|item| match item {
            Item::Malformed(uuid, refusal) => (uuid, Some(refusal)),
            Item::Measurement(measurement) => {
                let uuid = measurement.uuid;
                measurements.push(measurement);
                (uuid, None)
            }
        })
        .collect();
    let (source, now) = (caller.source(), app.clock.now());
    let outcomes = app.store.insert_measurements_of(source, household, measurements, now).await?;
    let is_deferred = |outcome: &Outcome| *outcome == Outcome::Refused(Refusal::QuotaUsedUp);
    if outcomes.len() == named.len() && !outcomes.is_empty() && outcomes.iter().all(is_deferred) {
        let next = app.quota.map(|quota| quota.devices.until_next(now).as_secs());
        return Err(ApiError::QuotaUsedUp(next.unwrap_or(0).max(1)));
    }
    let mut outcomes = outcomes.into_iter();
    named
        .into_iter()
        .map(|(uuid, refusal)| {
            let outcome = match refusal {
                Some(refusal) => Outcome::Refused(refusal),
                None => outcomes
                    .next()
                    .ok_or_else(|| ApiError::Internal("an outcome is missing".to_owned()))?,
            };
            Ok(answer(uuid, outcome))
        })
        .collect()
}

fn answer(uuid: Uuid, outcome: Outcome) -> UploadItem {
    let (outcome, reason) = match outcome {
        Outcome::Accepted => (UploadOutcome::Accepted, None),
        Outcome::Duplicate => (UploadOutcome::Duplicate, None),
        Outcome::Refused(refusal @ Refusal::QuotaUsedUp) => {
            (UploadOutcome::Deferred, Some(refusal.to_string()))
        }
        Outcome::Refused(refusal) => (UploadOutcome::Refused, Some(refusal.to_string())),
    };
    UploadItem { uuid, outcome, reason }
}
