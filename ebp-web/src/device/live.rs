//! What the meters show at this moment.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use ebp_core::{
    model::{IncidentType, MeasurementData},
    obis::ObisCode,
};
use ebp_device::socket::{MeterStatus, Reason, Status, Telegram};
use jiff::Timestamp;

use super::{meterside::MetersideError, state::DeviceWeb, visitor::SignedIn};
use crate::kit::{frame::Frame, number};

#[derive(Template)]
#[template(path = "device/live.html")]
struct Page {
    frame: Frame,
    fault: Option<String>,
    meters: Vec<Shown>,
    /// Whether the meters were read for this page.
    is_read: bool,
}

struct Shown {
    model: String,
    values: Vec<(String, String)>,
    age: String,
    fault: Option<String>,
}

/// `GET /live`: the last values; with `?read=1` the meters are read for it.
pub async fn show(State(web): State<Arc<DeviceWeb>>, SignedIn(visitor, _): SignedIn) -> Response {
    let is_read = visitor.preferences.get("read").is_some();
    let mut frame = visitor.frame(visitor.language().say("menu-live"));
    let status = match web.ask_meterside(|meterside| meterside.status()).await {
        Ok(status) => status,
        Err(_) => {
            let fault = Some(frame.say("meterside-missing"));
            return visitor.show(&Page { frame, fault, meters: Vec::new(), is_read: false });
        }
    };
    let meters = if is_read { read(&web, &frame, &status).await } else { last(&frame, &status) };
    // Reading takes its time.
    frame.now = web.now();
    let is_granted = status.consent.as_deref() == Some("granted");
    let fault = (!is_granted).then(|| frame.say("live-no-consent"));
    visitor.show(&Page { frame, fault, meters, is_read })
}

/// What each meter showed when it was measured last.
fn last(frame: &Frame, status: &Status) -> Vec<Shown> {
    status.meters.iter().map(|meter| held(frame, meter, frame.now, None)).collect()
}

/// What is held of a meter that was not read now, and why it could not be.
fn held(frame: &Frame, meter: &MeterStatus, now: Timestamp, fault: Option<String>) -> Shown {
    let has = |kind| meter.incidents.contains(&kind);
    let fault = if has(IncidentType::SerialPortUnavailable) {
        Some(frame.say("live-head-away"))
    } else if fault.is_none() && has(IncidentType::ObisCodesUnavailable) {
        Some(frame.say("incident-locked"))
    } else {
        fault
    };
    let age = match (meter.measured_at, &fault) {
        (None, _) => frame.say("never-measured"),
        (Some(at), None) => age(frame, at, now),
        (Some(at), Some(_)) => frame.say_one("live-held", "when", age(frame, at, now)),
    };
    Shown { model: meter.model.clone(), values: values(frame, &meter.data), age, fault }
}

async fn read(web: &Arc<DeviceWeb>, frame: &Frame, status: &Status) -> Vec<Shown> {
    let asked = status.meters.iter().map(|meter| {
        let uuid = meter.meter;
        async move { (meter, web.ask_meterside(move |meterside| meterside.now(uuid)).await) }
    });
    let answers = futures_util::future::join_all(asked).await;
    let now = web.now();
    let shown = |(meter, answer): (&MeterStatus, _)| match answer {
        Ok(Telegram { at, data, .. }) => Shown {
            model: meter.model.clone(),
            values: values(frame, &data),
            age: age(frame, at, now),
            fault: None,
        },
        Err(error) => held(frame, meter, now, Some(why(frame, error))),
    };
    answers.into_iter().map(shown).collect()
}

fn why(frame: &Frame, error: MetersideError) -> String {
    match error {
        MetersideError::Refused(Reason::NoConsent) => frame.say("live-no-consent"),
        MetersideError::Refused(Reason::Busy) => frame.say("live-busy"),
        MetersideError::Refused(Reason::Silent) => frame.say("live-silent"),
        _ => frame.say("meterside-missing"),
    }
}

fn age(frame: &Frame, at: Timestamp, now: Timestamp) -> String {
    format!("{}, {}", frame.moments.element(at, now), frame.moments.ago(at, now))
}

fn values(frame: &Frame, data: &MeasurementData) -> Vec<(String, String)> {
    let named = |code: ObisCode| match code {
        ObisCode::POSITIVE_ENERGY => Some((frame.say("register-import"), "kWh")),
        ObisCode::NEGATIVE_ENERGY => Some((frame.say("register-export"), "kWh")),
        ObisCode::POSITIVE_POWER => Some((frame.say("power-in"), "kW")),
        ObisCode::NEGATIVE_POWER => Some((frame.say("power-out"), "kW")),
        ObisCode::SUM_POWER => Some((frame.say("power-sum"), "kW")),
        _ => None,
    };
    data.iter()
        .filter_map(|point| {
            let (name, unit) = named(point.obis)?;
            let value = number::quantity(frame.language(), point.value, point.value.scale(), unit);
            Some((name, value))
        })
        .collect()
}
