//! Endpoint 8: a report of measurements.
//!
//! What an upload takes up (its body, its place, its turn) belongs to the work and not to the
//! request: when the client disconnects the request is cancelled, and the work continues until it
//! is done.

use std::sync::Arc;

use axum::{
    Json,
    body::HttpBody,
    extract::{Request, State},
};
use ebp_core::{
    contract::{UploadItem, UploadOutcome, UploadResponse, limits},
    model::Measurement,
};
use ebp_store::{HouseholdId, InsertOutcome, Quota, Refusal};
use ebp_survey::{Caller, Survey, finish};
use tracing::Instrument;
use uuid::Uuid;

use super::{
    body::{self, Upload},
    item::Item,
    packing::Packing,
};
use crate::{
    api::{
        intake::Intake,
        receive::{Received, check_length, receive},
    },
    auth::Requester,
    limit::{ClientId, Share},
    problem::ApiError,
    telemetry::{Telemetry, UploadCounts},
};

/// Bodies of more bytes, and packed ones, are read on a thread that may be kept busy.
const SMALL: usize = 16 << 10;

/// `POST /household/meter/measurement`: stores up to 10,000 measurements, plain, as gzip or as zstd, and
/// says of each whether it is accepted, was there before, or is refused or deferred and why. What is
/// answered as accepted is on disk. What is deferred is beyond its meter's quota; if all of it is, the
/// upload is answered so (429).
pub async fn upload(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    State(telemetry): State<Arc<Telemetry>>,
    Requester(caller): Requester,
    client: ClientId,
    request: Request,
) -> Result<Json<UploadResponse>, ApiError> {
    let (parts, body) = request.into_parts();
    check_length(&body, limits::UPLOAD_BYTES)?;
    // One without a body is malformed in any case; any other is not read without consent.
    let empty = HttpBody::is_end_stream(&body);
    let household = if empty { caller.household()? } else { caller.consenting_household()? };
    let packing = Packing::from_headers(&parts.headers)?;
    let body = receive(&intake, client, body, limits::UPLOAD_BYTES).await?;
    let place = intake.overload.take(client, body.as_ref().len())?;
    let work = Work {
        survey,
        intake: intake.clone(),
        telemetry,
        caller,
        household,
        client,
        body,
        packing,
        place,
    };
    let done = finish(work.perform().in_current_span()).await;
    intake.overload.answered();
    Ok(Json(UploadResponse { items: done? }))
}

/// An upload that is in, and what it takes up.
struct Work {
    survey: Arc<Survey>,
    intake: Arc<Intake>,
    telemetry: Arc<Telemetry>,
    caller: Caller,
    household: HouseholdId,
    client: ClientId,
    body: Received,
    packing: Packing,
    place: Share,
}

impl Work {
    async fn perform(self) -> Result<Vec<UploadItem>, ApiError> {
        let Self { survey, intake, telemetry, caller, household, client, body, packing, mut place } =
            self;
        let upload = if packing == Packing::Plain && body.as_ref().len() <= SMALL {
            body::read(body.as_ref(), packing)?
        } else {
            read(&intake, client, body, packing).await?
        };
        // By its length as sent it was a guess.
        intake.overload.weigh(&mut place, upload.octets)?;
        let items = store(&survey, intake.quota, caller, household, upload.items).await?;
        drop(place);
        if let Some(device) = caller.device {
            survey.note_report(device).await;
        }
        let mut counts = UploadCounts::default();
        for item in &items {
            *match item.outcome {
                UploadOutcome::Accepted => &mut counts.accepted,
                UploadOutcome::Duplicate => &mut counts.duplicate,
                UploadOutcome::Refused | UploadOutcome::Deferred => &mut counts.refused,
            } += 1;
        }
        telemetry.uploaded(counts);
        Ok(items)
    }
}

async fn read(
    intake: &Intake,
    client: ClientId,
    body: Received,
    packing: Packing,
) -> Result<Upload, ApiError> {
    let turn = intake.unpacking.enter(client).await;
    let read = move || {
        let upload = body::read(body.as_ref(), packing);
        // Body and turn are the thread's, and end with what it does.
        drop((body, turn));
        upload
    };
    tokio::task::spawn_blocking(read)
        .await
        .map_err(|error| ApiError::Internal(error.to_string()))?
}

async fn store(
    survey: &Survey,
    quota: Option<Quota>,
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
    let (source, now) = (caller.source, survey.clock().now());
    let outcomes =
        survey.store().insert_measurements_of(source, household, measurements, now).await?;
    let is_deferred =
        |outcome: &InsertOutcome| *outcome == InsertOutcome::Refused(Refusal::QuotaUsedUp);
    if outcomes.len() == named.len() && !outcomes.is_empty() && outcomes.iter().all(is_deferred) {
        let next = quota.map(|quota| quota.devices.until_next(now).as_secs());
        return Err(ApiError::QuotaUsedUp(next.unwrap_or(0).max(1)));
    }
    let mut outcomes = outcomes.into_iter();
    named
        .into_iter()
        .map(|(uuid, refusal)| {
            let outcome = match refusal {
                Some(refusal) => InsertOutcome::Refused(refusal),
                None => outcomes
                    .next()
                    .ok_or_else(|| ApiError::Internal("an outcome is missing".to_owned()))?,
            };
            Ok(answer(uuid, outcome))
        })
        .collect()
}

fn answer(uuid: Uuid, outcome: InsertOutcome) -> UploadItem {
    let (outcome, reason) = match outcome {
        InsertOutcome::Accepted => (UploadOutcome::Accepted, None),
        InsertOutcome::Duplicate => (UploadOutcome::Duplicate, None),
        InsertOutcome::Refused(refusal @ Refusal::QuotaUsedUp) => {
            (UploadOutcome::Deferred, Some(refusal.to_string()))
        }
        InsertOutcome::Refused(refusal) => (UploadOutcome::Refused, Some(refusal.to_string())),
    };
    UploadItem { uuid, outcome, reason }
}
