//! What both databases make of the rows of the fleet: devices, counts, places, silences.

use ebp_core::{
    contract::{
        ClockState, FleetCount, FleetDevice, FleetMeter, FleetSort, FleetState, FleetVersion,
        IncidentEpisode, NewSilence, Silence, limits::HISTORY_DAYS,
    },
    model::ConsentState,
};
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, date},
};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    Faults, StoreError,
    fleet::FleetQuery,
    rule::fleet::{FleetFacts, FleetThresholds, is_well, rank},
};

/// What a page shows of a device beside its facts.
pub struct FleetDetail {
    /// Its household.
    pub household: Option<Uuid>,
    /// Its participant's name.
    pub participant: Option<String>,
    /// Its clock's state by name.
    pub clock: Option<String>,
    /// Its silence.
    pub silence: Option<Silence>,
    /// The meters that it reads.
    pub meters: Vec<FleetMeter>,
}

/// The consent with that number in `fleet_device`.
pub const fn consent(number: i16) -> ConsentState {
    match number {
        0 => ConsentState::NotGranted,
        1 => ConsentState::Granted,
        _ => ConsentState::Revoked,
    }
}

/// A device as the page shows it.
pub fn device(
    uuid: Uuid,
    facts: FleetFacts,
    detail: FleetDetail,
    than: &FleetThresholds,
    at: Timestamp,
) -> FleetDevice {
    let reasons = facts.reasons(than);
    let state = facts.state(than);
    FleetDevice {
        uuid,
        household: detail.household,
        participant: detail.participant,
        consent: facts.consent,
        state,
        reasons,
        version: facts.version,
        last_report: facts.last_report,
        meters: detail.meters,
        incidents: facts.incidents.unsigned_abs(),
        damaged_share: facts.damaged.map(|share| Decimal::new(share, 4).normalize()),
        clock: detail.clock.and_then(|name| ClockState::named(&name)),
        pending: facts.pending.map(i64::unsigned_abs),
        certificate_end: facts.certificate_end,
        silence: detail.silence.filter(|silence| holds(silence, state, at)),
    }
}

/// Whether a silence still holds of a device in that state.
pub fn holds(silence: &Silence, state: FleetState, at: Timestamp) -> bool {
    silence.ends_at.is_none_or(|end| at < end) && !(silence.until_recovery && is_well(state))
}

/// Checks a silence that is to begin at that instant.
///
/// # Errors
/// Returns [`StoreError::Registration`] with every fault.
pub fn silence(new: &NewSilence, at: Timestamp) -> Result<Silence, StoreError> {
    let mut faults = Faults::against_schema(new);
    let latest = at.checked_add(SignedDuration::from_hours(24 * i64::from(HISTORY_DAYS)));
    let latest = latest.unwrap_or(Timestamp::MAX);
    let lies_ahead = new.ends_at.is_none_or(|end| at < end && end <= latest);
    faults.check(lies_ahead, "/ends_at", "must lie ahead, by no more than 400 days");
    faults.none_or_all()?;
    // As databases keep instants.
    let kept = |at: Timestamp| Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at);
    Ok(Silence {
        reason: new.reason.clone(),
        begun_at: kept(at),
        ends_at: new.ends_at.map(kept),
        until_recovery: new.until_recovery || new.ends_at.is_none(),
    })
}

/// The day of so many since the Unix epoch.
pub fn day(number: i64) -> Date {
    let days = jiff::Span::new().try_days(number);
    let day = days.and_then(|days| date(1970, 1, 1).checked_add(days));
    day.unwrap_or(Date::ZERO)
}

/// Episodes in the order in which they are shown.
pub fn latest_first(mut incidents: Vec<IncidentEpisode>) -> Vec<IncidentEpisode> {
    incidents.sort_by_key(|one| (std::cmp::Reverse(one.reported_at), one.meter, one.kind));
    incidents
}

/// The counts of all states from those that occur.
pub fn counts(found: &[(i64, i64)]) -> Vec<FleetCount> {
    let devices = |state| {
        let found = found.iter().find(|(place, _)| *place == rank(state));
        found.map_or(0, |(_, count)| count.unsigned_abs())
    };
    FleetState::ALL.map(|state| FleetCount { state, devices: devices(state) }).to_vec()
}

/// The newest of versions that occur.
pub fn newest(versions: &[FleetVersion]) -> Option<String> {
    let versions = versions.iter().map(|one| one.version.as_str());
    crate::rule::fleet::newest(versions).map(str::to_owned)
}

/// What a device is sorted by, for a cursor.
pub fn key(query: &FleetQuery, facts: &FleetFacts, than: &FleetThresholds) -> i64 {
    let micros = |at: Option<Timestamp>| at.map_or(0, Timestamp::as_microsecond);
    match query.sort {
        FleetSort::State => rank(facts.state(than)),
        FleetSort::LastReport => micros(facts.last_report),
        FleetSort::LastMeasurement if facts.unmeasured > 0 => 0,
        FleetSort::LastMeasurement => micros(facts.measured_at),
        FleetSort::Damaged => facts.damaged.unwrap_or(-1),
        FleetSort::Incidents => facts.incidents.saturating_add(facts.another_meter),
        FleetSort::Certificate => facts.certificate_end.map_or(LATEST, Timestamp::as_microsecond),
        FleetSort::Participant | FleetSort::Version => 0,
    }
}

/// 9999-01-01T00:00:00Z in microseconds: after every certificate's end.
pub const LATEST: i64 = 253_370_764_800_000_000;
