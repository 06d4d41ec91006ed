//! A device's page: how it is, its last thirty days, what happened to it, and what can be done.

use askama::Template;
use ebp_core::contract::{
    ClockState, Component, DeviceDay, DeviceHistory, FleetDevice, IncidentEpisode, ManagedDevice,
    Notice, Silence, Tunnel, TunnelSession, TunnelSessionEnd,
};
use ebp_survey::RegisterEntry;
use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{
    brief::{brief, short},
    heat_map::{self, HeatMap},
    reason::{consent_name, incident_name, meter_name, needs_attention, reason, state_name},
    timeline::{MeterTimeline, Slot},
};
use crate::kit::{
    chart::{Chart, Mark, Slot as ChartSlot, Tick},
    frame::Frame,
    number,
};

/// Days that are shown.
pub const DAYS: usize = 30;
/// Gaps that are listed of a meter, at most.
const GAPS: usize = 50;
/// Incidents that are listed, at most.
const INCIDENTS: usize = 100;

/// What is known of a device.
pub struct DeviceFacts {
    /// Its row in the overview.
    pub device: FleetDevice,
    /// Its meters' slots; none once consent is revoked.
    pub timelines: Vec<MeterTimeline>,
    /// Its incidents and statuses; none once consent is revoked.
    pub history: Option<DeviceHistory>,
    /// Its components and last status; none once consent is revoked.
    pub managed: Option<ManagedDevice>,
    /// Its certificates, the earliest first.
    pub certificates: Vec<RegisterEntry>,
    /// Whether it can be reached; none if it never could.
    pub tunnel: Option<Tunnel>,
    /// Sessions with its services, the latest first.
    pub sessions: Vec<TunnelSession>,
}

/// A silence that could not be begun, as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SilenceDraft {
    /// What is wrong with it; empty before it was sent.
    pub fault: String,
    /// Why.
    pub reason: String,
    /// Its last day.
    pub until: String,
    /// Whether it goes on though the device recovers.
    pub holds: bool,
}

/// The page.
#[derive(Template)]
#[template(path = "status/device.html")]
pub struct DevicePage {
    frame: Frame,
    uuid: Uuid,
    done: Option<String>,
    state: String,
    is_bad: bool,
    is_well: bool,
    others: Vec<String>,
    facts: Vec<(String, String)>,
    is_revoked: bool,
    never_spoke: bool,
    silence: Option<SilenceView>,
    draft: SilenceDraft,
    legend: Vec<(String, String)>,
    meters: Vec<MeterView>,
    incidents: Vec<IncidentView>,
    damaged: Option<String>,
    days: Vec<DayView>,
    components: Vec<(String, String, String)>,
    health: Vec<(String, String)>,
    certificates: Vec<CertificateView>,
    has_valid: bool,
    tunnel: Vec<(String, String)>,
    sessions: Vec<SessionView>,
}

struct SilenceView {
    reason: String,
    since: String,
    until: String,
}

struct MeterView {
    name: String,
    short: String,
    picture: String,
    days: Vec<[String; 6]>,
    gaps: Vec<GapView>,
    more_gaps: Option<String>,
}

struct GapView {
    from: String,
    to: String,
    slots: usize,
    kind: String,
}

struct IncidentView {
    kind: String,
    meter: String,
    began: String,
    ended: String,
    is_open: bool,
}

struct DayView {
    day: String,
    version: String,
    pending: String,
    size: String,
    damaged: String,
}

struct CertificateView {
    serial: String,
    scopes: String,
    from: String,
    until: String,
    /// When it was revoked or ended; empty while it is valid.
    ended: String,
    is_valid: bool,
}

struct SessionView {
    who: String,
    service: String,
    began: String,
    ended: String,
    bytes: String,
}

impl DevicePage {
    /// Of what is known; `done` says what was just changed.
    #[must_use]
    pub fn new(
        frame: Frame,
        facts: &DeviceFacts,
        draft: SilenceDraft,
        done: Option<String>,
    ) -> Self {
        let DeviceFacts { device, timelines, history, managed, certificates, tunnel, sessions } =
            facts;
        let language = frame.language();
        let others = device
            .reasons
            .iter()
            .filter(|state| **state != device.state)
            .map(|state| {
                let why = reason(&frame, device, *state);
                format!("{} {why}", state_name(language, *state)).trim().to_owned()
            })
            .collect();
        let why = reason(&frame, device, device.state);
        let incidents = history.iter().flat_map(|history| &history.incidents);
        let days = history.as_ref().map(|history| recent(&history.days)).unwrap_or_default();
        let certificates: Vec<_> =
            certificates.iter().rev().map(|entry| certificate(&frame, entry)).collect();
        Self {
            uuid: device.uuid,
            done,
            state: format!("{} {why}", state_name(language, device.state)).trim().to_owned(),
            is_bad: needs_attention(device.state),
            is_well: device.state == ebp_core::contract::FleetState::Healthy,
            others,
            facts: describe(&frame, device, managed.as_ref()),
            is_revoked: device.consent == ebp_core::model::ConsentState::Revoked,
            never_spoke: device.last_report.is_none(),
            silence: device.silence.as_ref().map(|silence| silence_view(&frame, silence)),
            draft,
            legend: legend(&frame),
            meters: timelines.iter().map(|meter| meter_view(&frame, device, meter)).collect(),
            incidents: incidents
                .take(INCIDENTS)
                .map(|episode| incident(&frame, device, episode))
                .collect(),
            damaged: damaged_chart(&frame, &days),
            days: days.iter().rev().map(|day| day_view(&frame, day)).collect(),
            components: managed
                .iter()
                .flat_map(|device| &device.components)
                .map(|(name, Component { version, since })| {
                    (name.clone(), version.clone(), brief(&frame, *since))
                })
                .collect(),
            health: managed.as_ref().map(|device| health(&frame, device)).unwrap_or_default(),
            has_valid: certificates.iter().any(|certificate| certificate.is_valid),
            certificates,
            tunnel: tunnel.as_ref().map(|tunnel| tunnel_view(&frame, tunnel)).unwrap_or_default(),
            sessions: sessions.iter().map(|session| session_view(&frame, session)).collect(),
            frame,
        }
    }
}

/// The last days of a history.
fn recent(days: &[DeviceDay]) -> Vec<DeviceDay> {
    days.iter().skip(days.len().saturating_sub(DAYS)).cloned().collect()
}

fn describe(
    frame: &Frame,
    device: &FleetDevice,
    managed: Option<&ManagedDevice>,
) -> Vec<(String, String)> {
    let when = |at: Option<Timestamp>| match at {
        Some(at) => format!("{}, {}", frame.when(at), escape(&frame.ago(at))),
        None => frame.say("never"),
    };
    let mut facts = vec![(frame.say("device-identifier"), device.uuid.to_string())];
    if let Some(participant) = &device.participant {
        let participant = format!("<bdi>{}</bdi>", escape(participant));
        facts.push((frame.say("column-participant"), participant));
    }
    if let Some(household) = device.household {
        facts.push((frame.say("device-household"), household.to_string()));
    }
    facts.push((frame.say("column-consent"), consent_name(frame.language(), device.consent)));
    facts.push((frame.say("column-report"), when(device.last_report)));
    if let Some(managed) = managed {
        facts.push((frame.say("device-activity"), when(managed.last_activity)));
    }
    facts
}

fn silence_view(frame: &Frame, silence: &Silence) -> SilenceView {
    let ends = silence.ends_at.map(|at| {
        let time = frame.moments.instant(at, frame.now);
        frame.say_one("silence-until-time", "time", time)
    });
    let recovery = silence.until_recovery.then(|| frame.say("silence-until-recovery"));
    let until: Vec<String> = recovery.into_iter().chain(ends).collect();
    SilenceView {
        reason: silence.reason.clone(),
        since: frame.when(silence.begun_at),
        until: until.join(", "),
    }
}

fn slot_name(frame: &Frame, slot: Slot) -> String {
    match slot {
        Slot::Measured => frame.say("slot-measured"),
        Slot::Late => frame.say("slot-late"),
        Slot::Flagged => frame.say("slot-flagged"),
        Slot::Waiting => frame.say("slot-waiting"),
        Slot::Missing => frame.say("slot-missing"),
        Slot::Unexpected => String::new(),
    }
}

fn legend(frame: &Frame) -> Vec<(String, String)> {
    Slot::SHOWN.map(|slot| (heat_map::key(slot), slot_name(frame, slot))).to_vec()
}

fn meter_view(frame: &Frame, device: &FleetDevice, timeline: &MeterTimeline) -> MeterView {
    let language = frame.language();
    let known = device.meters.iter().find(|meter| meter.uuid == timeline.meter);
    let name =
        known.map_or_else(|| frame.say("status-meter"), |known| meter_name(language, known.kind));
    let short = short(timeline.meter);
    let map = HeatMap {
        id: format!("m{short}"),
        title: frame.say_one("timeline-title", "meter", name.clone()),
        description: frame.say("timeline-text"),
        timeline,
        moments: &frame.moments,
    };
    let days = timeline.days.iter().rev().map(|day| {
        let [measured, late, flagged, waiting, missing] =
            Slot::SHOWN.map(|slot| day.count(slot).to_string());
        [frame.moments.short_day(day.day), measured, late, flagged, waiting, missing]
    });
    let gaps = timeline.gaps();
    let more = gaps.len().saturating_sub(GAPS) as u64;
    MeterView {
        picture: map.svg(),
        days: days.collect(),
        more_gaps: (more > 0).then(|| frame.say_one("gaps-more", "count", more)),
        gaps: gaps
            .into_iter()
            .take(GAPS)
            .map(|gap| GapView {
                from: brief(frame, gap.from),
                to: brief(frame, gap.to),
                slots: gap.slots,
                kind: match gap.is_waiting {
                    true => frame.say("slot-waiting"),
                    false => frame.say("slot-missing"),
                },
            })
            .collect(),
        name,
        short,
    }
}

fn incident(frame: &Frame, device: &FleetDevice, episode: &IncidentEpisode) -> IncidentView {
    let language = frame.language();
    let meter = device.meters.iter().find(|meter| meter.uuid == episode.meter);
    let meter = meter.map(|meter| meter_name(language, meter.kind));
    IncidentView {
        kind: incident_name(language, episode.kind),
        meter: meter.unwrap_or_else(|| short(episode.meter)),
        began: brief(frame, episode.reported_at),
        ended: episode
            .resolved_at
            .map_or_else(|| frame.say("incident-open"), |at| brief(frame, at)),
        is_open: episode.resolved_at.is_none(),
    }
}

fn day_view(frame: &Frame, day: &DeviceDay) -> DayView {
    let language = frame.language();
    let whole = |value: u64| number::number(language, Decimal::from(value), 0);
    let share = |share| number::number(language, share * Decimal::ONE_HUNDRED, 1);
    DayView {
        day: frame.moments.short_day(day.day),
        version: day.version.clone().unwrap_or_default(),
        pending: day.pending.map(whole).unwrap_or_default(),
        size: day.bytes.map(|bytes| whole(bytes.div_ceil(1_000))).unwrap_or_default(),
        damaged: day.damaged_share.map(share).unwrap_or_default(),
    }
}

/// The damaged share of each day, percent; nothing without a single telegram.
fn damaged_chart(frame: &Frame, days: &[DeviceDay]) -> Option<String> {
    days.iter().find_map(|day| day.damaged_share)?;
    let slot = |day: &DeviceDay| ChartSlot {
        up: day.damaged_share.map(|share| (share * Decimal::ONE_HUNDRED).round_dp(2)),
        down: None,
        line: None,
        mark: if day.damaged_share.is_some() { Mark::Measured } else { Mark::Gap },
    };
    let ticks = days.iter().enumerate().rev().step_by(5).map(|(place, day)| Tick {
        slot: place,
        is_centred: true,
        label: frame.moments.short_day(day.day),
        is_minor: (days.len() - 1 - place) % 10 != 0,
    });
    let chart = Chart {
        id: "damaged",
        title: frame.say("damaged-title"),
        description: frame.say("damaged-text"),
        gap: frame.say("damaged-gap"),
        unit: "%",
        slots: days.iter().map(slot).collect(),
        ticks: ticks.collect(),
        language: frame.language(),
    };
    Some(chart.svg())
}

fn health(frame: &Frame, device: &ManagedDevice) -> Vec<(String, String)> {
    let language = frame.language();
    let whole = |value: u64| number::number(language, Decimal::from(value), 0);
    let Some(health) = &device.health else { return Vec::new() };
    let mut facts = vec![(frame.say("health-reported"), frame.when(health.reported_at))];
    if let Some(clock) = health.clock {
        let clock = match clock {
            ClockState::Synchronised => frame.say("clock-synchronised"),
            ClockState::Unsynchronised => frame.say("clock-unsynchronised"),
        };
        facts.push((frame.say("health-clock"), clock));
    }
    if let Some(spool) = health.spool {
        facts.push((frame.say("spool-pending"), whole(spool.pending)));
        facts.push((frame.say("spool-refused"), whole(spool.refused)));
        facts.push((frame.say("spool-unplaced"), whole(spool.unplaced)));
        facts.push((frame.say("spool-size"), whole(spool.bytes.div_ceil(1_000))));
    }
    for meter in &health.meters {
        let damaged =
            meter.damaged_share.map(|share| format!(" ({})", number::percent(language, share)));
        facts.push((
            frame.say_one("health-telegrams", "meter", short(meter.meter)),
            format!(
                "{} / {}{}",
                whole(meter.damaged),
                whole(meter.telegrams),
                damaged.unwrap_or_default()
            ),
        ));
    }
    for notice in &health.notices {
        let notice = match notice {
            Notice::SpoolSetAside => frame.say("notice-set-aside"),
            Notice::SpoolFull => frame.say("notice-full"),
            Notice::SpoolDamaged => frame.say("notice-damaged"),
        };
        facts.push((frame.say("health-notice"), notice));
    }
    facts
}

fn certificate(frame: &Frame, entry: &RegisterEntry) -> CertificateView {
    let is_over = entry.not_after <= frame.now;
    let ended = match entry.revoked_at {
        Some(at) => format!("{} {}", escape(&frame.say("certificate-revoked")), brief(frame, at)),
        None if is_over => escape(&frame.say("certificate-ended")),
        None => String::new(),
    };
    CertificateView {
        serial: entry.serial.to_string(),
        scopes: entry.scopes.to_string(),
        from: brief(frame, entry.not_before),
        until: brief(frame, entry.not_after),
        is_valid: ended.is_empty(),
        ended,
    }
}

fn tunnel_view(frame: &Frame, tunnel: &Tunnel) -> Vec<(String, String)> {
    let state = match tunnel.connected {
        true => frame.say("tunnel-connected"),
        false => frame.say("tunnel-away"),
    };
    let mut facts = vec![
        (frame.say("tunnel-state"), escape(&state)),
        (frame.say("tunnel-since"), frame.when(tunnel.since)),
        (frame.say("tunnel-seen"), frame.when(tunnel.seen_at)),
        (frame.say("column-version"), escape(&tunnel.version)),
    ];
    if let Some(at) = tunnel.conflict_at {
        facts.push((frame.say("tunnel-copied"), frame.when(at)));
    }
    facts
}

fn session_view(frame: &Frame, session: &TunnelSession) -> SessionView {
    let end = session.end.map(|end| match end {
        TunnelSessionEnd::Closed => frame.say("session-closed"),
        TunnelSessionEnd::Broken => frame.say("session-broken"),
        TunnelSessionEnd::Idle => frame.say("session-idle"),
        TunnelSessionEnd::TooLong => frame.say("session-too-long"),
        TunnelSessionEnd::Revoked => frame.say("session-revoked"),
        TunnelSessionEnd::Stopped => frame.say("session-stopped"),
    });
    let ended = match session.ended_at {
        Some(at) => format!("{} {}", brief(frame, at), escape(&end.unwrap_or_default())),
        None => escape(&frame.say("session-open")),
    };
    let kilobytes = (session.bytes_to_device + session.bytes_from_device).div_ceil(1_000);
    SessionView {
        who: session.administrator.clone(),
        service: session.service.clone(),
        began: brief(frame, session.began_at),
        ended,
        bytes: number::number(frame.language(), Decimal::from(kilobytes), 0),
    }
}

fn escape(text: &str) -> String {
    crate::kit::chart::escape(text)
}
