//! A device's page: how it is, its last thirty days, what happened to it, and what can be done.

use askama::Template;
use ebp_core::{
    contract::{
        Component, DeviceDay, DeviceHistory, FleetDevice, FleetState, IncidentEpisode,
        ManagedDevice, Silence, Tunnel, TunnelSession,
    },
    model::ConsentState,
};
use ebp_survey::RegisterEntry;
use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{
    brief::{brief, short},
    device_state::{CertificateView, SessionView, certificate, health, session_view, tunnel_view},
    heat_map::{self, HeatMap},
    reason::{consent_name, incident_name, meter_name, needs_attention, reason, state_name},
    timeline::{MeterTimeline, Slot},
};
use crate::kit::{
    chart::{Chart, Mark, Slot as ChartSlot, Tick, escape},
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
    /// Why none are listed.
    certificates_none: String,
    has_valid: bool,
    tunnel: Vec<(String, String)>,
    /// Why none is shown.
    tunnel_none: String,
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

impl DevicePage {
    /// Whether the page has the form of a silence.
    #[must_use]
    pub fn may_be_silenced(facts: &DeviceFacts) -> bool {
        facts.device.consent != ConsentState::Revoked && facts.device.silence.is_none()
    }

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
        let others = device
            .reasons
            .iter()
            .filter(|state| **state != device.state)
            .map(|state| state_with_reason(&frame, device, *state))
            .collect();
        let incidents = history.iter().flat_map(|history| &history.incidents);
        let days = history.as_ref().map(|history| recent(&history.days)).unwrap_or_default();
        let certificates: Vec<_> =
            certificates.iter().rev().map(|entry| certificate(&frame, entry)).collect();
        let is_revoked = device.consent == ConsentState::Revoked;
        Self {
            uuid: device.uuid,
            done,
            state: state_with_reason(&frame, device, device.state),
            is_bad: needs_attention(device.state),
            is_well: device.state == FleetState::Healthy,
            others,
            facts: describe(&frame, device, managed.as_ref()),
            certificates_none: match is_revoked {
                true => frame.say("certificates-revoked"),
                false => frame.say("certificates-none"),
            },
            tunnel_none: match is_revoked {
                true => frame.say("tunnel-revoked"),
                false => frame.say("tunnel-none"),
            },
            is_revoked,
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

/// The state's name, and why the device is in it.
fn state_with_reason(frame: &Frame, device: &FleetDevice, state: FleetState) -> String {
    let (name, why) = (state_name(frame.language(), state), reason(frame, device, state));
    if why.is_empty() { name } else { format!("{name}: {why}") }
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
        is_minor: !(days.len() - 1 - place).is_multiple_of(10),
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
