//! The start page: how it is, and today in figures.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use ebp_core::{
    contract::MeasurementDevice,
    model::{ConsentState, IncidentType, MeterType},
    obis::ObisCode,
};
use ebp_device::socket::Status;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{
    cloud::CloudError,
    energy::EnergyView,
    figure::{Figure, figures},
    meterside::MetersideError,
    period::{Period, PeriodKind},
    remote_access,
    state::{DeviceWeb, TodaysFigures},
    visitor::SignedIn,
};
use crate::kit::{frame::Frame, number};

#[derive(Template)]
#[template(path = "device/today.html")]
struct Page {
    frame: Frame,
    /// The state in one sentence.
    state: String,
    /// Its class: good, bad, or neither.
    tone: &'static str,
    /// What else has to be said.
    notes: Vec<String>,
    /// Whether consent is still to be granted.
    asks_consent: bool,
    power: Option<Power>,
    facts: Vec<(String, String)>,
    /// How many measurements wait on the device, as a sentence.
    waiting: Option<String>,
    figures: Vec<Figure>,
    energy: Option<EnergyView>,
    /// How old the figures are.
    age: String,
    /// The address of the day before.
    yesterday: String,
}

/// What flows at the moment.
struct Power {
    value: String,
    direction: String,
    /// A `<time>` element.
    when: String,
}

/// What the server says, in one go.
struct Answers {
    consent: ConsentState,
    figures: Option<Arc<TodaysFigures>>,
    devices: Vec<MeasurementDevice>,
    /// The meters at the grid.
    grid: Vec<Uuid>,
}

/// `GET /today`.
pub async fn show(State(web): State<Arc<DeviceWeb>>, SignedIn(visitor, _): SignedIn) -> Response {
    let moments = visitor.moments();
    let frame = visitor.frame(visitor.language().say("menu-today"));
    let period = Period::from_day(PeriodKind::Day, moments.day_of(visitor.now));
    let asked_at = visitor.now;
    let asked = web.ask(move |cloud| {
        let consent = cloud.consent()?.state;
        let figures = match period {
            Some(period) if consent == ConsentState::Granted => Some(Arc::new(TodaysFigures {
                asked_at,
                day: period.from,
                summary: cloud.summary(period.from, period.to)?,
                series: cloud.series(period.request())?,
            })),
            _ => None,
        };
        let meters = cloud.meters()?;
        let grid = meters.iter().filter(|meter| meter.kind == MeterType::Electricity);
        let grid = grid.map(|meter| meter.uuid).collect();
        Ok(Answers { consent, figures, devices: cloud.devices()?, grid })
    });
    let (answers, status, tunnel) = tokio::join!(
        asked,
        web.ask_meterside(|meterside| meterside.status()),
        web.ask_tunnelside(|tunnelside| tunnelside.status()),
    );
    let connected = tunnel.and_then(Result::ok).map(|status| status.connected);
    let connected = connected.unwrap_or_default();
    let connected = connected.iter().map(|session| remote_access::connected(&frame, session));
    let connected = connected.collect();
    visitor.show(&page(&web, frame, period, answers, status, connected))
}

fn page(
    web: &Arc<DeviceWeb>,
    frame: Frame,
    period: Option<Period>,
    answers: Result<Answers, CloudError>,
    status: Result<Status, MetersideError>,
    mut notes: Vec<String>,
) -> Page {
    match (&answers, web.away_since()) {
        (Err(CloudError::Away), Some(since)) => {
            let time = frame.moments.instant(since, frame.now);
            notes.push(frame.say_one("cloud-away-since", "time", time));
        }
        (Err(_), _) => notes.push(frame.say("cloud-refuses")),
        (Ok(_), _) => {}
    }
    if status.is_err() {
        notes.push(frame.say("meterside-missing"));
    }
    let status = status.ok();
    // Without the server, consent is what the measuring daemon knows of it.
    let known = status.as_ref().and_then(|status| status.consent.as_deref());
    let is_granted = match &answers {
        Ok(answers) => Some(answers.consent == ConsentState::Granted),
        Err(_) => known.map(|state| state == ConsentState::Granted.name()),
    };
    let (state, tone) = describe(&frame, is_granted, status.as_ref(), &mut notes);
    let mut facts = Vec::new();
    // Without consent no meter is read: what was shown before is none of now.
    let reading = status.as_ref().filter(|_| is_granted != Some(false));
    if let Some(at) = reading.and_then(last_measured) {
        facts.push((frame.say("last-measured"), format!("{}, {}", frame.when(at), frame.ago(at))));
    }
    let sent = answers
        .as_ref()
        .ok()
        .and_then(|answers| answers.devices.iter().filter_map(|device| device.last_report).max());
    if let Some(at) = sent {
        facts.push((frame.say("last-sent"), format!("{}, {}", frame.when(at), frame.ago(at))));
    }
    let grid = answers.as_ref().ok().map(|answers| answers.grid.as_slice());
    let power = reading.and_then(|status| power(&frame, status, grid));
    let waiting = status
        .as_ref()
        .filter(|status| status.pending > 0)
        .map(|status| frame.say_one("waiting-count", "count", status.pending));
    let todays = match &answers {
        Ok(answers) => answers.figures.clone(),
        Err(_) => web.todays_figures(),
    };
    // Yesterday's figures are none of today.
    let todays = todays.filter(|todays| period.is_some_and(|period| period.from == todays.day));
    let (mut shown, mut energy, mut age) = (Vec::new(), None, String::new());
    if let (Some(todays), Some(period)) = (&todays, period) {
        shown = figures(frame.language(), &todays.summary, None);
        let view = EnergyView::new(&frame, &todays.summary, &todays.series, &period);
        age = describe_age(&frame, todays, view.until, answers.is_ok());
        energy = Some(view);
    }
    if let (Ok(_), Some(todays)) = (&answers, todays) {
        web.keep_todays_figures(todays);
    }
    let before = period.and_then(|period| period.previous());
    let yesterday = before.map_or_else(|| "/measurements".to_owned(), |before| before.address());
    let asks_consent = is_granted == Some(false);
    Page {
        state,
        tone,
        notes,
        asks_consent,
        power,
        facts,
        waiting,
        figures: shown,
        energy,
        age,
        yesterday,
        frame,
    }
}

/// How far the figures reach, and when they were asked for if the server is away by now.
fn describe_age(
    frame: &Frame,
    todays: &TodaysFigures,
    until: Option<Timestamp>,
    is_new: bool,
) -> String {
    let moments = &frame.moments;
    let reach = until.map(|until| frame.say_one("figures-until", "time", moments.time(until)));
    let kept = (!is_new).then(|| {
        let time = moments.instant(todays.asked_at, frame.now);
        frame.say_one("figures-of", "time", time)
    });
    kept.into_iter().chain(reach).collect::<Vec<_>>().join(" ")
}

/// The state in one sentence, and its tone.
fn describe(
    frame: &Frame,
    is_granted: Option<bool>,
    status: Option<&Status>,
    notes: &mut Vec<String>,
) -> (String, &'static str) {
    let (good, bad, neither) = ("good", "bad", "");
    match is_granted {
        Some(false) => return (frame.say("state-not-granted"), neither),
        None => return (frame.say("state-unknown"), neither),
        Some(true) => {}
    }
    let Some(status) = status else { return (frame.say("state-granted"), neither) };
    if !status.knows_the_time {
        notes.push(frame.say("clock-not-set"));
    }
    let has =
        |kind: IncidentType| status.meters.iter().any(|meter| meter.incidents.contains(&kind));
    if has(IncidentType::SerialPortUnavailable) {
        return (frame.say("state-head"), bad);
    }
    if has(IncidentType::ObisCodesUnavailable) {
        return (frame.say("state-locked"), bad);
    }
    let is_old = |at: &Timestamp| frame.now.duration_since(*at) > SignedDuration::from_mins(35);
    match (last_measured(status), first_silent(status)) {
        (None, _) => {
            let time = frame.moments.time(next_quarter(frame.now));
            (frame.say_one("state-first", "time", time), good)
        }
        (Some(at), _) if is_old(&at) => (frame.say_one("state-silent", "ago", frame.ago(at)), bad),
        (_, Some(at)) if is_old(&at) => {
            (frame.say_one("state-one-silent", "ago", frame.ago(at)), bad)
        }
        _ => (frame.say("state-well"), good),
    }
}

/// When the meter was measured that was not measured for the longest time.
fn first_silent(status: &Status) -> Option<Timestamp> {
    status.meters.iter().filter_map(|meter| meter.measured_at).min()
}

fn last_measured(status: &Status) -> Option<Timestamp> {
    status.meters.iter().filter_map(|meter| meter.measured_at).max()
}

/// The next quarter of an hour.
fn next_quarter(now: Timestamp) -> Timestamp {
    let second = now.as_second();
    Timestamp::from_second(second - second.rem_euclid(900) + 900).unwrap_or(now)
}

/// What flowed when the grid's meter was measured last.
fn power(frame: &Frame, status: &Status, grid: Option<&[Uuid]>) -> Option<Power> {
    let mut latest = None;
    // Which meter is the grid's only the server knows; the only one has to be it.
    let is_grid = |meter: Uuid| match grid {
        Some(grid) => grid.contains(&meter),
        None => status.meters.len() == 1,
    };
    for meter in status.meters.iter().filter(|meter| is_grid(meter.meter)) {
        let value = |code| meter.data.iter().find(|point| point.obis == code).map(|p| p.value);
        let both = match (value(ObisCode::POSITIVE_POWER), value(ObisCode::NEGATIVE_POWER)) {
            (None, None) => None,
            (drawn, fed) => Some(drawn.unwrap_or_default() - fed.unwrap_or_default()),
        };
        if let (Some(at), Some(net)) = (meter.measured_at, value(ObisCode::SUM_POWER).or(both)) {
            latest = latest.max(Some((at, net)));
        }
    }
    let (at, net) = latest?;
    let direction =
        if net.is_sign_negative() { frame.say("power-out") } else { frame.say("power-in") };
    Some(Power {
        value: number::quantity(frame.language(), net.abs(), 2, "kW"),
        direction,
        when: frame.when(at),
    })
}
