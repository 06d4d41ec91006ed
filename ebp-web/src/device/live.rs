//! What the meters show at this moment.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use ebp_core::{
    model::{GenerationRegister, IncidentType, MeasurementData, Meter, MeterType},
    obis::ObisCode,
};
use ebp_device::socket::{MeterStatus, Reason, Status, Telegram};
use jiff::Timestamp;
use rust_decimal::Decimal;

use super::{
    meterside::MetersideError, registration::meter_kind, state::DeviceWeb, visitor::SignedIn,
};
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
    name: String,
    values: Vec<(String, String)>,
    age: String,
    fault: Option<String>,
}

/// `GET /live`: the last values; with `?read=1` the meters are read for it.
pub async fn show(State(web): State<Arc<DeviceWeb>>, SignedIn(visitor, _): SignedIn) -> Response {
    let is_read = visitor.preferences.get("read").is_some();
    let mut frame = visitor.frame(visitor.language().say("menu-live"));
    // Which meter counts what only the server knows. Without it they are told apart by their models.
    let (known, status) = tokio::join!(
        web.ask(|cloud| cloud.meters()),
        web.ask_meterside(|meterside| meterside.status())
    );
    let known = Known { frame: &frame, meters: known.unwrap_or_default() };
    let status = match status {
        Ok(status) => status,
        Err(_) => {
            let fault = Some(frame.say("meterside-missing"));
            return visitor.show(&Page { frame, fault, meters: Vec::new(), is_read: false });
        }
    };
    let meters = if is_read {
        read(&web, &known, &status).await
    } else {
        let held = |meter| known.held(meter, frame.now, None);
        status.meters.iter().map(held).collect()
    };
    // Reading takes its time.
    frame.now = web.now();
    let is_granted = status.consent.as_deref() == Some("granted");
    let fault = (!is_granted).then(|| frame.say("live-no-consent"));
    visitor.show(&Page { frame, fault, meters, is_read })
}

/// What is known of the meters beside their values.
struct Known<'a> {
    frame: &'a Frame,
    meters: Vec<Meter>,
}

impl Known<'_> {
    fn kind(&self, meter: &MeterStatus) -> Option<&Meter> {
        self.meters.iter().find(|known| known.uuid == meter.meter)
    }

    fn show(&self, meter: &MeterStatus, data: &MeasurementData, age: String) -> Shown {
        let kind = self.kind(meter);
        let name = match kind {
            Some(kind) => format!("{}: {}", meter_kind(self.frame.language(), kind), meter.model),
            None => meter.model.clone(),
        };
        let sign = kind.map_or(PowerSign::Shown, PowerSign::from_meter);
        Shown { name, values: values(self.frame, data, sign), age, fault: None }
    }

    /// What is held of a meter that was not read now, and why it could not be.
    fn held(&self, meter: &MeterStatus, now: Timestamp, fault: Option<String>) -> Shown {
        let frame = self.frame;
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
        Shown { fault, ..self.show(meter, &meter.data, age) }
    }
}

async fn read(web: &Arc<DeviceWeb>, known: &Known<'_>, status: &Status) -> Vec<Shown> {
    let asked = status.meters.iter().map(|meter| {
        let uuid = meter.meter;
        async move { (meter, web.ask_meterside(move |meterside| meterside.now(uuid)).await) }
    });
    let answers = futures_util::future::join_all(asked).await;
    let now = web.now();
    let shown = |(meter, answer): (&MeterStatus, _)| match answer {
        Ok(Telegram { at, data, .. }) => known.show(meter, &data, age(known.frame, at, now)),
        Err(error) => known.held(meter, now, Some(why(known.frame, error))),
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

/// What a name says in place of the sign of a power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PowerSign {
    /// Nothing: which way is counted how is not known.
    Shown,
    /// The grid's power has a direction.
    Direction,
    /// What solar panels generate is counted by this register.
    Generated(GenerationRegister),
}

impl PowerSign {
    fn from_meter(meter: &Meter) -> Self {
        match (meter.kind, meter.generation_register) {
            (MeterType::Electricity, _) => Self::Direction,
            (MeterType::PvGeneration, Some(register)) => Self::Generated(register),
            (MeterType::PvGeneration, None) => Self::Shown,
        }
    }
}

/// The values with their names.
fn values(frame: &Frame, data: &MeasurementData, sign: PowerSign) -> Vec<(String, String)> {
    let named = |code: ObisCode, value: Decimal| match code {
        ObisCode::POSITIVE_ENERGY => Some((frame.say("register-import"), value, "kWh")),
        ObisCode::NEGATIVE_ENERGY => Some((frame.say("register-export"), value, "kWh")),
        ObisCode::POSITIVE_POWER => Some((frame.say("power-in"), value, "kW")),
        ObisCode::NEGATIVE_POWER => Some((frame.say("power-out"), value, "kW")),
        ObisCode::SUM_POWER => {
            let (name, value) = match sign {
                PowerSign::Shown => (frame.say("power-sum"), value),
                PowerSign::Generated(GenerationRegister::Import) => {
                    (frame.say("power-generated"), value)
                }
                PowerSign::Generated(GenerationRegister::Export) => {
                    (frame.say("power-generated"), -value)
                }
                PowerSign::Direction if value.is_sign_negative() => {
                    (frame.say("power-out"), -value)
                }
                PowerSign::Direction => (frame.say("power-in"), value),
            };
            Some((name, value, "kW"))
        }
        _ => None,
    };
    data.iter()
        .filter_map(|point| {
            let (name, value, unit) = named(point.obis, point.value)?;
            Some((name, number::quantity(frame.language(), value, value.scale(), unit)))
        })
        .collect()
}
