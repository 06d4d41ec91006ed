//! Devices, meters and photovoltaic systems, and what is connected to what.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use ebp_core::{
    contract::MeasurementDevice,
    model::{ConsentState, Incident, IncidentType, Meter, MeterType, PvSystem},
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{
    problem, registration::meter_kind, remote_access, state::DeviceWeb, visitor::SignedIn,
};
use crate::kit::{frame::Frame, number};

/// From so many days before its end on, a certificate that was not renewed is told of.
const CERTIFICATE_DAYS: i64 = 21;

#[derive(Template)]
#[template(path = "device/devices.html")]
struct Page {
    frame: Frame,
    devices: Vec<Shown>,
    loose: Vec<ShownMeter>,
    /// Systems that no meter counts.
    uncounted: Vec<String>,
    /// What is on this device: what waits, its certificate.
    facts: Vec<(String, String)>,
    /// The certificate ends soon.
    warning: Option<String>,
}

struct Shown {
    uuid: Uuid,
    health: String,
    /// Its class: good, bad, or neither.
    tone: &'static str,
    /// When it sent last, and when it was in touch.
    times: Vec<(String, String)>,
    components: Vec<(String, String)>,
    meters: Vec<ShownMeter>,
}

struct ShownMeter {
    kind: String,
    counts: String,
    model: String,
    systems: Vec<String>,
    incidents: Vec<String>,
    removed: Option<String>,
}

/// `GET /devices`.
pub async fn show(State(web): State<Arc<DeviceWeb>>, SignedIn(visitor, _): SignedIn) -> Response {
    let answers = web.ask(|cloud| {
        let meters = cloud.meters()?;
        let mut incidents = Vec::new();
        for meter in &meters {
            incidents.push((meter.uuid, cloud.incidents(meter.uuid)?));
        }
        let devices = (cloud.devices()?, cloud.consent()?.state == ConsentState::Granted);
        Ok((devices, meters, cloud.pv_systems()?, incidents, cloud.certificate_end()))
    });
    let (answers, status, tunnel) = tokio::join!(
        answers,
        web.ask_meterside(|meterside| meterside.status()),
        web.ask_tunnelside(|tunnelside| tunnelside.status()),
    );
    let ((devices, is_granted), meters, systems, incidents, certificate_end) = match answers {
        Ok(answers) => answers,
        Err(error) => return problem::cloud(&visitor, error),
    };
    let frame = visitor.frame(visitor.language().say("menu-devices"));
    let meter = |meter: &Meter| {
        let open = incidents.iter().find(|(uuid, _)| *uuid == meter.uuid);
        let open = open.map_or(&[][..], |(_, incidents)| incidents);
        shown_meter(&frame, meter, &systems, open)
    };
    let shown = devices.iter().map(|device| {
        let own = meters.iter().filter(|meter| meter.measurement_device == Some(device.uuid));
        shown(&frame, (device, is_granted), own.map(meter).collect())
    });
    let shown = shown.collect();
    let is_loose = |meter: &&Meter| {
        !devices.iter().any(|device| meter.measurement_device == Some(device.uuid))
    };
    let loose = meters.iter().filter(is_loose).map(meter).collect();
    let is_counted =
        |system: &PvSystem| meters.iter().any(|meter| system.meter == Some(meter.uuid));
    let uncounted = systems.iter().filter(|system| !is_counted(system));
    let uncounted = uncounted.map(|system| system_text(&frame, system)).collect();
    let mut facts = Vec::new();
    if let Ok(status) = &status {
        let waiting = frame.say_one("waiting-count", "count", status.pending);
        facts.push((frame.say("waiting"), format!("<a href=\"/pending\">{waiting}</a>")));
    }
    let mut warning = None;
    if let Some(end) = certificate_end {
        facts.push((frame.say("certificate-end"), frame.when(end)));
        let is_near =
            end.duration_since(frame.now) < SignedDuration::from_hours(24 * CERTIFICATE_DAYS);
        warning = is_near.then(|| frame.say("certificate-near"));
    }
    let remote = remote_access::describe(&frame, tunnel.as_ref().map(Result::as_ref));
    let remote = format!("<a href=\"/remote-access\">{remote}</a>");
    facts.push((frame.say("remote-access"), remote));
    visitor.show(&Page { devices: shown, loose, uncounted, facts, warning, frame })
}

/// A device is judged by what it sends: its questions for consent show only that it runs.
fn shown(
    frame: &Frame,
    (device, is_granted): (&MeasurementDevice, bool),
    meters: Vec<ShownMeter>,
) -> Shown {
    let is_old = |at: Timestamp| frame.now.duration_since(at) > SignedDuration::from_hours(3);
    let has_incident = meters.iter().any(|meter| !meter.incidents.is_empty());
    let (health, tone) = match (device.last_activity, device.last_report) {
        (None, None) => (/* text */ "device-never", "bad"),
        _ if !is_granted => (/* text */ "device-no-consent", ""),
        (Some(_), None) => (/* text */ "device-sent-nothing", ""),
        (_, Some(at)) if is_old(at) => (/* text */ "device-silent", "bad"),
        _ if has_incident => (/* text */ "device-incident", "bad"),
        _ => (/* text */ "device-well", "good"),
    };
    let times = [
        (/* text */ "last-sent", device.last_report),
        (/* text */ "last-seen", device.last_activity),
    ];
    let times = times.into_iter().filter_map(|(name, at)| {
        let at = at?;
        Some((frame.say(name), format!("{}, {}", frame.when(at), frame.ago(at))))
    });
    let components = device.components.iter();
    Shown {
        uuid: device.uuid,
        health: frame.say(health),
        tone,
        times: times.collect(),
        components: components.map(|(name, part)| (name.clone(), part.version.clone())).collect(),
        meters,
    }
}

fn shown_meter(
    frame: &Frame,
    meter: &Meter,
    systems: &[PvSystem],
    incidents: &[Incident],
) -> ShownMeter {
    let language = frame.language();
    let connected = systems.iter().filter(|system| system.meter == Some(meter.uuid));
    let open = incidents.iter().filter(|incident| incident.is_open());
    let describe = |incident: &Incident| match incident.kind {
        IncidentType::SerialPortUnavailable => frame.say("incident-head"),
        IncidentType::ObisCodesUnavailable => frame.say("incident-locked"),
    };
    ShownMeter {
        kind: meter_kind(language, meter),
        counts: match meter.kind {
            MeterType::Electricity => language.say("counts-grid"),
            MeterType::PvGeneration => language.say("counts-generation"),
        },
        model: meter.model.clone(),
        systems: connected.map(|system| system_text(frame, system)).collect(),
        incidents: open.map(describe).collect(),
        removed: meter.removed_at.map(|at| frame.when(at)),
    }
}

fn system_text(frame: &Frame, system: &PvSystem) -> String {
    let power = number::quantity(frame.language(), system.nominal_power, 2, "kWp");
    frame.say_one("system-with-power", "power", power)
}
