//! The overview: how many devices are in which state, and the devices, those that need attention
//! first.

use askama::Template;
use ebp_core::contract::{FleetCount, FleetDevice, FleetSort, FleetState};
use ebp_survey::Fleet;
use jiff::Timestamp;

use super::{
    brief::{brief, short},
    filter::Filter,
    reason::{consent_name, meter_name, needs_attention, reason, state_name},
};
use crate::kit::{frame::Frame, number};

/// The overview as it is shown.
#[derive(Template)]
#[template(path = "status/overview.html")]
pub struct Overview {
    frame: Frame,
    /// Why these are old answers, if they are.
    stale: Option<String>,
    /// That something of the address was left out.
    not_understood: bool,
    /// In one sentence.
    summary: String,
    is_well: bool,
    states: Vec<StateLink>,
    withheld: Option<String>,
    search: String,
    state: &'static str,
    sort: String,
    versions: Vec<Version>,
    is_narrow: bool,
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// What to say in place of an empty table.
    empty: Option<String>,
    judged: String,
    address: String,
    first: Option<String>,
    next: Option<String>,
}

/// A state with how many devices are in it.
struct StateLink {
    address: String,
    name: String,
    devices: u64,
    is_current: bool,
}

struct Version {
    name: String,
    devices: u64,
    is_current: bool,
}

struct Column {
    name: String,
    /// Where the table is in that order; none where it has no order by it.
    address: Option<String>,
    /// The value of `aria-sort`.
    direction: &'static str,
    class: &'static str,
}

struct Row {
    uuid: String,
    short: String,
    state: String,
    is_bad: bool,
    why: String,
    /// What else is wrong.
    others: String,
    silenced: bool,
    household: String,
    participant: String,
    consent: String,
    meters: String,
    report: String,
    version: String,
    incidents: u64,
    damaged: String,
    certificate: String,
}

/// Since when the database does not answer, and of when the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stale {
    /// When it was answered.
    pub answered_at: Timestamp,
}

impl Overview {
    /// Of what the survey answered.
    #[must_use]
    pub fn new(
        frame: Frame,
        fleet: &Fleet,
        filter: &Filter,
        understood: bool,
        stale: Option<Stale>,
    ) -> Self {
        let page = &fleet.page;
        let language = frame.language();
        let of = |wanted: &dyn Fn(FleetState) -> bool| -> u64 {
            page.counts.iter().filter(|count| wanted(count.state)).map(|count| count.devices).sum()
        };
        let (all, attention) = (of(&|_| true), of(&needs_attention));
        let (summary, is_well) = match (all, attention) {
            (0, _) if filter.is_narrow() => (String::new(), false),
            (0, _) => (frame.say("overview-none"), false),
            (_, 0) => (frame.say("overview-all-healthy"), true),
            (_, some) => (frame.say_one("overview-attention", "count", some), false),
        };
        let empty = page.items.is_empty().then(|| match filter.is_narrow() {
            true => frame.say("overview-none-found"),
            false => frame.say("overview-none-yet"),
        });
        let all_link = StateLink {
            address: filter.with_state(None).address(),
            name: frame.say("fleet-all"),
            devices: all,
            is_current: filter.state.is_none(),
        };
        let link = |count: &FleetCount| StateLink {
            address: filter.with_state(Some(count.state)).address(),
            name: state_name(language, count.state),
            devices: count.devices,
            is_current: filter.state == Some(count.state),
        };
        let is_shown = |count: &&FleetCount| count.devices > 0 || filter.state == Some(count.state);
        let mut counts: Vec<&FleetCount> = page.counts.iter().filter(is_shown).collect();
        counts.sort_by_key(|count| count.state);
        let states = std::iter::once(all_link).chain(counts.into_iter().map(link)).collect();
        let version = |version: &ebp_core::contract::FleetVersion| Version {
            name: version.version.clone(),
            devices: version.devices,
            is_current: filter.version.as_ref() == Some(&version.version),
        };
        let stale = stale.map(|stale| {
            let time = frame.moments.instant(stale.answered_at, frame.now);
            frame.say_one("overview-stale", "time", time)
        });
        let withheld =
            (page.withheld > 0).then(|| frame.say_one("overview-withheld", "count", page.withheld));
        Self {
            stale,
            not_understood: !understood,
            summary,
            is_well,
            states,
            withheld,
            search: filter.search.clone().unwrap_or_default(),
            state: filter.state.map_or("", FleetState::name),
            sort: filter.sort_value().unwrap_or_default(),
            versions: page.versions.iter().map(version).collect(),
            is_narrow: filter.is_narrow(),
            columns: columns(&frame, filter),
            rows: page.items.iter().map(|device| Row::new(&frame, device)).collect(),
            empty,
            judged: frame.when(page.judged_at),
            address: filter.address(),
            first: filter.after.map(|_| filter.following(None).address()),
            next: fleet.next.map(|next| filter.following(Some(next)).address()),
            frame,
        }
    }
}

fn columns(frame: &Frame, filter: &Filter) -> Vec<Column> {
    let column = |id: &str, sort: Option<FleetSort>, class: &'static str| {
        let is_current = sort == Some(filter.sort);
        Column {
            name: frame.say(id),
            address: sort.map(|sort| filter.sorted_by(sort).address()),
            direction: match (is_current, filter.descending) {
                (false, _) => "",
                (true, false) => "ascending",
                (true, true) => "descending",
            },
            class,
        }
    };
    vec![
        column(/* text */ "column-device", None, ""),
        column(/* text */ "column-state", Some(FleetSort::State), "left"),
        column(/* text */ "column-participant", Some(FleetSort::Participant), "left"),
        column(/* text */ "column-consent", None, "left"),
        column(/* text */ "column-measured", Some(FleetSort::LastMeasurement), "left"),
        column(/* text */ "column-report", Some(FleetSort::LastReport), "left"),
        column(/* text */ "column-version", Some(FleetSort::Version), "left"),
        column(/* text */ "column-incidents", Some(FleetSort::Incidents), ""),
        column(/* text */ "column-damaged", Some(FleetSort::Damaged), ""),
        column(/* text */ "column-certificate", Some(FleetSort::Certificate), "left"),
    ]
}

impl Row {
    fn new(frame: &Frame, device: &FleetDevice) -> Self {
        let language = frame.language();
        let others: Vec<String> = device
            .reasons
            .iter()
            .filter(|state| **state != device.state)
            .map(|state| state_name(language, *state))
            .collect();
        let meters: Vec<String> = device
            .meters
            .iter()
            .map(|meter| {
                let at = meter.last_measurement;
                let at = at.map_or_else(|| frame.say("never"), |at| brief(frame, at));
                format!("{} {at}", meter_name(language, meter.kind))
            })
            .collect();
        let when = |at: Option<Timestamp>| at.map(|at| brief(frame, at)).unwrap_or_default();
        let report = device.last_report;
        Self {
            uuid: device.uuid.to_string(),
            short: short(device.uuid),
            state: state_name(language, device.state),
            is_bad: needs_attention(device.state),
            why: reason(frame, device, device.state),
            others: others.join(", "),
            silenced: device.silence.is_some(),
            household: device.household.map(short).unwrap_or_default(),
            participant: device.participant.clone().unwrap_or_default(),
            consent: consent_name(language, device.consent),
            meters: meters.join("<br>"),
            report: report.map_or_else(|| frame.say("never"), |at| brief(frame, at)),
            version: device.version.clone().unwrap_or_default(),
            incidents: device.incidents,
            damaged: device
                .damaged_share
                .map(|share| number::percent(language, share))
                .unwrap_or_default(),
            certificate: when(device.certificate_end),
        }
    }
}
