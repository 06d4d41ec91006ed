//! Everything about the household, to take away (GDPR, Articles 15 and 20).

use std::sync::Arc;

use askama::Template;
use axum::{
    body::Body,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use ebp_core::{
    contract::{HouseholdRelease, ReleaseTier, StoredMeasurement},
    model::Meter,
    obis::ObisCode,
};
use futures_util::stream;
use tokio::sync::mpsc::{self, Sender};
use uuid::Uuid;

use super::{
    cloud::CloudError,
    problem,
    registration::meter_kind,
    state::DeviceWeb,
    visitor::{SignedIn, Visitor},
};
use crate::kit::{
    defence::Defence,
    frame::{Frame, Link},
};

/// So many parts wait for a slow browser.
const WAITING_PARTS: usize = 4;
/// The size of a part, bytes.
const PART: usize = 16 * 1024;

#[derive(Template)]
#[template(path = "device/data.html")]
struct Page {
    frame: Frame,
    files: Vec<Link>,
    /// Why there are no files at the moment.
    fault: Option<String>,
    /// The releases of the data set that the household is in; absent where the server does not say.
    releases: Option<Vec<ShownRelease>>,
}

/// A release as it is shown.
struct ShownRelease {
    title: String,
    /// Who received what of it.
    what: String,
    /// How fine the household was shown, where single households are.
    detail: Option<String>,
}

/// `GET /data`.
pub async fn show(State(web): State<Arc<DeviceWeb>>, SignedIn(visitor, _): SignedIn) -> Response {
    let language = visitor.language();
    let frame = visitor.frame(language.say("menu-data"));
    let link = |address: String, text: String| Link {
        address,
        text,
        lang: language.code(),
        is_current: false,
    };
    let page = match web.ask(|cloud| Ok((cloud.meters()?, known(cloud.releases())?))).await {
        Ok((meters, releases)) => {
            let mut files = vec![link("/data.json".into(), language.say("everything-json"))];
            files.extend(meters.iter().map(|meter| file_of(&visitor, meter)));
            let show = |releases: Vec<_>| releases.iter().map(|of| release(&frame, of)).collect();
            Page { files, fault: None, releases: releases.map(show), frame }
        }
        Err(CloudError::Away) => {
            let fault = Some(language.say("away"));
            Page { files: Vec::new(), fault, releases: None, frame }
        }
        Err(error) => return problem::cloud(&visitor, error),
    };
    visitor.show(&page)
}

/// None of a server that is older than the question.
fn known<T>(answer: Result<T, CloudError>) -> Result<Option<T>, CloudError> {
    match answer {
        Err(CloudError::Refused(404)) => Ok(None),
        answer => answer.map(Some),
    }
}

fn release(frame: &Frame, release: &HouseholdRelease) -> ShownRelease {
    let day = frame.moments.instant(release.confirmed_at, frame.now);
    let what = match (release.tier, &release.recipient) {
        (ReleaseTier::Research, Some(recipient)) => {
            frame.say_one("release-research", "recipient", recipient.clone())
        }
        (ReleaseTier::Research, None) => frame.say("release-research-unnamed"),
        (ReleaseTier::Public, _) => frame.say("release-public"),
    };
    let detail = (release.tier == ReleaseTier::Research).then(|| shown(frame, &release.detail));
    ShownRelease { title: format!("{}, {day}", release.name), what, detail }
}

fn shown(frame: &Frame, detail: &str) -> String {
    match detail {
        "nuts3" => frame.say("release-detail-nuts3"),
        "nuts2" => frame.say("release-detail-nuts2"),
        "nuts1" => frame.say("release-detail-nuts1"),
        "country" => frame.say("release-detail-country"),
        "no-year" => frame.say("release-detail-no-year"),
        "no-tilt" => frame.say("release-detail-no-tilt"),
        "no-azimuth" => frame.say("release-detail-no-azimuth"),
        "no-persons" => frame.say("release-detail-no-persons"),
        "no-power" => frame.say("release-detail-no-power"),
        "nothing" => frame.say("release-detail-nothing"),
        // Of a newer server.
        other => frame.say_one("release-detail-other", "detail", other.to_owned()),
    }
}

fn file_of(visitor: &Visitor, meter: &Meter) -> Link {
    let language = visitor.language();
    let name = format!("{}, {}", meter_kind(language, meter), meter.model);
    Link {
        address: format!("/data.csv?meter={}", meter.uuid),
        text: language.say_with("measurements-csv", [("meter", name.into())]),
        lang: language.code(),
        is_current: false,
    }
}

/// `GET /data.json`: sent as it comes.
pub async fn everything(
    State(web): State<Arc<DeviceWeb>>,
    SignedIn(visitor, _): SignedIn,
) -> Response {
    let send = move |web: Arc<DeviceWeb>, parts: Sender<Result<Bytes, CloudError>>| {
        let mut part = Vec::with_capacity(PART);
        let mut sink = |bytes: &[u8]| {
            part.extend_from_slice(bytes);
            part.len() < PART || flush(&parts, &mut part)
        };
        let ended = web.parts.cloud.export(&mut sink);
        finish(&web, &parts, part, ended);
    };
    deliver(&web, &visitor, "application/json", "ebp-everything.json", send).await
}

/// `GET /data.csv?meter=`: a meter's measurements as they were received, RFC 4180.
pub async fn measurements(
    State(web): State<Arc<DeviceWeb>>,
    SignedIn(visitor, _): SignedIn,
) -> Response {
    let Some(meter) = visitor.preferences.get("meter").and_then(|text| text.parse::<Uuid>().ok())
    else {
        return problem::not_found(&visitor);
    };
    match web.ask(|cloud| cloud.meters()).await {
        Ok(meters) => {
            let is_own = meters.iter().any(|own| own.uuid == meter);
            if !is_own && Defence::OwnThings.is_on() {
                return problem::not_found(&visitor);
            }
        }
        Err(error) => return problem::cloud(&visitor, error),
    }
    let send = move |web: Arc<DeviceWeb>, parts: Sender<Result<Bytes, CloudError>>| {
        let mut part = Vec::with_capacity(PART);
        let names = ObisCode::SURVEY.map(|code| code.to_string()).join(",");
        part.extend_from_slice(format!("measured_at,received_at,{names},flags\r\n").as_bytes());
        let mut sink = |measurement: StoredMeasurement| {
            row(&measurement, &mut part);
            part.len() < PART || flush(&parts, &mut part)
        };
        let ended = web.parts.cloud.measurements(meter, &mut sink);
        finish(&web, &parts, part, ended);
    };
    deliver(&web, &visitor, "text/csv; charset=utf-8", "ebp-measurements.csv", send).await
}

/// Timestamps, numbers and names of our own: no cell needs quotes, and none begins a formula.
fn row(measurement: &StoredMeasurement, to: &mut Vec<u8>) {
    let mut cells = vec![measurement.measured_at.to_string(), measurement.received_at.to_string()];
    cells.extend(ObisCode::SURVEY.map(|code| {
        let point = measurement.data.iter().find(|point| point.obis == code);
        point.map_or_else(String::new, |point| point.value.to_string())
    }));
    let flags: Vec<_> = measurement.flags.iter().map(|flag| flag.name()).collect();
    cells.push(flags.join(" "));
    to.extend_from_slice(cells.join(",").as_bytes());
    to.extend_from_slice(b"\r\n");
}

/// Hands a part on; `false` if nobody wants more.
fn flush(parts: &Sender<Result<Bytes, CloudError>>, part: &mut Vec<u8>) -> bool {
    parts.blocking_send(Ok(std::mem::take(part).into())).is_ok()
}

fn finish(
    web: &DeviceWeb,
    parts: &Sender<Result<Bytes, CloudError>>,
    mut part: Vec<u8>,
    ended: Result<(), CloudError>,
) {
    web.note(ended.err());
    match ended {
        Ok(()) => drop(flush(parts, &mut part)),
        // The connection breaks off, so that no browser takes the file for whole.
        Err(error) => drop(parts.blocking_send(Err(error))),
    }
}

/// Answers with what a thread sends part by part. The first part decides about the status.
async fn deliver(
    web: &Arc<DeviceWeb>,
    visitor: &Visitor,
    media_type: &'static str,
    name: &'static str,
    send: impl FnOnce(Arc<DeviceWeb>, Sender<Result<Bytes, CloudError>>) + Send + 'static,
) -> Response {
    let (sender, mut receiver) = mpsc::channel(WAITING_PARTS);
    let page = Arc::clone(web);
    tokio::task::spawn_blocking(move || send(page, sender));
    let first = match receiver.recv().await {
        Some(Ok(first)) => first,
        Some(Err(error)) => return problem::cloud(visitor, error),
        None => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    let rest = stream::unfold(receiver, async |mut receiver| {
        receiver.recv().await.map(|part| (part, receiver))
    });
    let parts = stream::StreamExt::chain(stream::iter([Ok(first)]), rest);
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (headers, Body::from_stream(parts)).into_response()
}
