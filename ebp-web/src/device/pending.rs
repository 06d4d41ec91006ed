//! What is still on the device.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use ebp_core::{model::Measurement, obis::ObisCode};
use ebp_device::socket::{Reason, Status};

use super::{frame::Frame, meterside::MetersideError, state::DeviceWeb, visitor::SignedIn};
use crate::kit::number;

#[derive(Template)]
#[template(path = "device/pending.html")]
struct Page {
    frame: Frame,
    /// Why nothing can be shown.
    fault: Option<String>,
    sentences: Vec<String>,
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
    let page = match web.ask_meterside(|meterside| meterside.status()).await {
        Ok(status) => page(frame, &status),
        Err(error) => {
            let fault = match error {
                MetersideError::Refused(Reason::Spool) => frame.say("spool-damaged"),
                _ => frame.say("meterside-missing"),
            };
            Page { frame, fault: Some(fault), sentences: Vec::new(), rows: Vec::new(), more: None }
        }
    };
    visitor.show(&page)
}

fn page(frame: Frame, status: &Status) -> Page {
    let mut sentences = vec![frame.say_one("waiting-count", "count", status.pending)];
    if status.unplaced > 0 {
        sentences.push(frame.say_one("unplaced-count", "count", status.unplaced));
    }
    if status.refused > 0 {
        sentences.push(frame.say_one("refused-count", "count", status.refused));
    }
    let name = |measurement: &Measurement| {
        let known = status.meters.iter().find(|meter| meter.meter == measurement.meter);
        known.map_or_else(|| "–".to_owned(), |meter| meter.model.clone())
    };
    let value = |measurement: &Measurement, code: ObisCode| {
        let point = measurement.data.iter().find(|point| point.obis == code);
        point.map_or_else(
            || "–".to_owned(),
            |point| number::quantity(frame.language(), point.value, point.value.scale(), "kWh"),
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
    Page { fault: None, sentences, rows, more, frame }
}
