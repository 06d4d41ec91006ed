//! What is still on the device.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use ebp_core::{
    contract::{MeasurementDevice, Notice},
    model::Measurement,
    obis::ObisCode,
};
use ebp_device::socket::{Reason, Status};
use jiff::{SignedDuration, Timestamp};

use super::{cloud::CloudError, meterside::MetersideError, state::DeviceWeb, visitor::SignedIn};
use crate::kit::{frame::Frame, number};

/// How long after the last report the next one is due, minutes, and how many more it may be late.
const CYCLE_MIN: i64 = 60;
const LATE_MIN: i64 = 15;

#[derive(Template)]
#[template(path = "device/pending.html")]
struct Page {
    frame: Frame,
    /// Why nothing can be shown.
    fault: Option<String>,
    sentences: Vec<String>,
    /// Why measurements wait longer than usual.
    causes: Vec<String>,
    rows: Vec<Row>,
    more: Option<String>,
}

struct Row {
    when: String,
    meter: String,
    import: String,
    export: String,
}

/// `GET /pending`.
pub async fn show(State(web): State<Arc<DeviceWeb>>, SignedIn(visitor, _): SignedIn) -> Response {
    let frame = visitor.frame(visitor.language().say("pending-title"));
    let (status, devices) = tokio::join!(
        web.ask_meterside(|meterside| meterside.status()),
        web.ask(|cloud| cloud.devices())
    );
    let mut causes = causes(&web, &frame, devices.as_ref());
    let mut sentences = Vec::new();
    if let Ok(devices) = &devices {
        sentences.extend(reports(&frame, devices));
    }
    let page = match status {
        Ok(status) => page(frame, &status, sentences, causes),
        Err(error) => {
            let fault = match error {
                MetersideError::Refused(Reason::Spool) => frame.say("spool-damaged"),
                _ => frame.say("meterside-missing"),
            };
            causes.retain(|cause| *cause != fault);
            let (rows, more) = (Vec::new(), None);
            Page { fault: Some(fault), sentences, causes, rows, more, frame }
        }
    };
    visitor.show(&page)
}

/// When the device reported last, and when the next report is due.
fn reports(frame: &Frame, devices: &[MeasurementDevice]) -> Vec<String> {
    let Some(last) = devices.iter().filter_map(|device| device.last_report).max() else {
        return vec![frame.say("never-sent")];
    };
    let moments = &frame.moments;
    let time = format!("{} ({})", moments.instant(last, frame.now), moments.ago(last, frame.now));
    let sent = frame.say_one("sent-at", "time", time);
    let due = last.checked_add(SignedDuration::from_mins(CYCLE_MIN)).unwrap_or(last);
    let late = due.checked_add(SignedDuration::from_mins(LATE_MIN)).unwrap_or(due);
    let next = if frame.now > late {
        frame.say("report-late")
    } else {
        frame.say_one("report-due", "time", moments.time(due))
    };
    vec![sent, next]
}

/// Why measurements wait, as far as this page can tell.
fn causes(
    web: &DeviceWeb,
    frame: &Frame,
    devices: Result<&Vec<MeasurementDevice>, &CloudError>,
) -> Vec<String> {
    let mut causes = Vec::new();
    match devices {
        Err(CloudError::Away) => {
            let since: Option<Timestamp> = web.away_since();
            let time = frame.moments.instant(since.unwrap_or(frame.now), frame.now);
            causes.push(frame.say_one("waits-for-server", "time", time));
        }
        Err(CloudError::NotAccepted) => causes.push(frame.say("not-accepted")),
        Err(_) => causes.push(frame.say("cloud-refuses")),
        Ok(devices) => {
            let notices = devices.iter().filter_map(|device| device.health.as_ref());
            for notice in notices.flat_map(|health| &health.notices) {
                causes.push(match notice {
                    Notice::SpoolFull => frame.say("spool-full"),
                    Notice::SpoolDamaged => frame.say("spool-damaged"),
                    Notice::SpoolSetAside => frame.say("spool-set-aside"),
                });
            }
        }
    }
    causes
}

fn page(frame: Frame, status: &Status, reports: Vec<String>, mut causes: Vec<String>) -> Page {
    let mut sentences = vec![frame.say_one("waiting-count", "count", status.pending)];
    sentences.extend(reports);
    if !status.knows_the_time {
        causes.push(frame.say("clock-not-set"));
    }
    if status.unplaced > 0 {
        causes.push(frame.say_one("unplaced-count", "count", status.unplaced));
    }
    if status.refused > 0 {
        causes.push(frame.say_one("refused-count", "count", status.refused));
    }
    let name = |measurement: &Measurement| {
        let known = status.meters.iter().find(|meter| meter.meter == measurement.meter);
        known.map_or_else(|| "–".to_owned(), |meter| meter.model.clone())
    };
    let value = |measurement: &Measurement, code: ObisCode| {
        let point = measurement.data.iter().find(|point| point.obis == code);
        point.map_or_else(
            || "–".to_owned(),
            |point| number::number(frame.language(), point.value, point.value.scale()),
        )
    };
    let rows: Vec<_> = status
        .newest
        .iter()
        .map(|measurement| Row {
            when: frame.when(measurement.measured_at),
            meter: name(measurement),
            import: value(measurement, ObisCode::POSITIVE_ENERGY),
            export: value(measurement, ObisCode::NEGATIVE_ENERGY),
        })
        .collect();
    let shown = rows.len() as u64;
    let more = (status.pending > shown).then(|| frame.say_one("only-newest", "count", shown));
    Page { fault: None, sentences, causes, rows, more, frame }
}
