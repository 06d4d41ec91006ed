//! The operations on the fleet of devices, and what both databases share of them.
//!
//! Enters: filters, an order, an instant. Leaves: the contract's pages. Absent: which cycles the survey
//! has; the caller says so.

use async_trait::async_trait;
use ebp_core::{
    contract::{
        ClockState, Coverage, DeviceHistory, FleetCount, FleetDevice, FleetMeter, FleetPage,
        FleetSort, FleetState, FleetVersion, IncidentEpisode, NewSilence, Silence,
        limits::HISTORY_DAYS,
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
    rule::fleet::{FleetFacts, FleetThresholds, SurveyCycles, is_well, rank, state_sql},
};

/// Where a page of the fleet ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FleetCursor {
    /// What the last device was sorted by, where that is a number or an instant.
    pub key: i64,
    /// That device.
    pub device: Uuid,
}

/// Which devices of the fleet are wanted, and in which order.
#[derive(Clone, PartialEq, Eq)]
pub struct FleetQuery {
    /// Those in this state.
    pub state: Option<FleetState>,
    /// Those that run this version.
    pub version: Option<String>,
    /// Those whose participant's name contains this, or whose identifier or household's identifier
    /// begins so.
    pub search: Option<String>,
    /// Their order.
    pub sort: FleetSort,
    /// Whether the order is reversed.
    pub descending: bool,
    /// Those after this.
    pub after: Option<FleetCursor>,
    /// How many at most, at least 1.
    pub limit: usize,
}

/// Does not show what is searched for: it is a name.
impl std::fmt::Debug for FleetQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { state, version, sort, descending, after, limit, .. } = self;
        f.debug_struct("FleetQuery")
            .field("state", state)
            .field("version", version)
            .field("sort", sort)
            .field("descending", descending)
            .field("after", after)
            .field("limit", limit)
            .finish_non_exhaustive()
    }
}

/// A page of the fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fleet {
    /// The devices with counts, without the text of the next page's cursor.
    pub page: FleetPage,
    /// Where the next page starts.
    pub next: Option<FleetCursor>,
}

/// What administrators ask about the fleet.
#[async_trait]
pub trait FleetStore: Send + Sync {
    /// A page of devices, each with its state at that instant, and how many devices are in each
    /// state: all of one snapshot, in a constant number of statements.
    async fn fleet(
        &self,
        query: FleetQuery,
        cycles: SurveyCycles,
        at: Timestamp,
    ) -> Result<Fleet, StoreError>;

    /// In which slots the device's meters were measured, from that day on.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if there is no such device, [`StoreError::ConsentRevoked`].
    async fn coverage(
        &self,
        device: Uuid,
        from: Date,
        days: usize,
        cycles: SurveyCycles,
        at: Timestamp,
    ) -> Result<Coverage, StoreError>;

    /// The device's incidents and statuses since that instant.
    ///
    /// # Errors
    /// Returns the same errors as [`coverage`](Self::coverage).
    async fn device_history(
        &self,
        device: Uuid,
        since: Timestamp,
    ) -> Result<DeviceHistory, StoreError>;

    /// Silences a device, in place of a silence that is there.
    ///
    /// # Errors
    /// Returns the same errors as [`coverage`](Self::coverage).
    async fn silence_device(
        &self,
        device: Uuid,
        silence: NewSilence,
        at: Timestamp,
    ) -> Result<Silence, StoreError>;

    /// The device's silence at that instant.
    ///
    /// # Errors
    /// Returns the same errors as [`coverage`](Self::coverage), and [`StoreError::NotFound`] if it is
    /// not silenced.
    async fn device_silence(
        &self,
        device: Uuid,
        cycles: SurveyCycles,
        at: Timestamp,
    ) -> Result<Silence, StoreError>;

    /// Ends the device's silence.
    ///
    /// # Errors
    /// Returns the same errors as [`device_silence`](Self::device_silence).
    async fn end_silence(&self, device: Uuid) -> Result<(), StoreError>;

    /// Ends every silence that is over at that instant: by its end, or because its device has
    /// recovered. Returns how many ended.
    async fn end_silences(&self, cycles: SurveyCycles, at: Timestamp) -> Result<u64, StoreError>;
}

/// What differs between the databases in a statement on the fleet.
pub struct Dialect {
    /// What a parameter's number follows.
    pub mark: char,
    /// Compares with a pattern without regard to the case of ASCII letters.
    pub like: &'static str,
    /// The order of a text by its octets.
    pub octets: &'static str,
    /// An instant before all others.
    pub earliest: &'static str,
    /// An instant after all others.
    pub latest: &'static str,
}

/// The statements for a query, and the parameters behind the six of the state.
pub struct FleetStatements {
    /// The devices: the columns of [`FACTS`], the device, and what is sorted by where that is no text.
    pub page: String,
    /// Rank of a state, and how many devices are in it.
    pub counts: String,
}

/// The columns of the facts, in the order of [`FleetFacts`], and the device behind them.
pub const FACTS: &str = "consent, granted_at, last_report, meters, unmeasured, measured_at, \
                         another_meter, incidents, damaged, rising, clock_wrong, spool_trouble, \
                         pending, version, certificate_end, fleet.device";

const PEOPLE: &str = "fleet_device AS fleet
    LEFT JOIN measurement_device AS device ON device.uuid = fleet.device
    LEFT JOIN household ON household.uuid = device.household
    LEFT JOIN participant ON participant.id = household.participant";

/// A pattern of `LIKE` for what contains the text.
fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// The first and the last identifier that begin with the text, where it is the beginning of one.
fn identifiers(text: &str) -> Option<(Uuid, Uuid)> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    if !(4..=32).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let fill = |with: char| {
        let filled: String = digits.chars().chain(std::iter::repeat(with)).take(32).collect();
        Uuid::try_parse(&filled).ok()
    };
    fill('0').zip(fill('f'))
}

/// What is searched for, as parameters.
pub struct Search {
    /// The pattern in small and in capital letters: databases fold ASCII letters alone.
    pub patterns: [String; 2],
    /// Identifiers between these.
    pub between: Option<(Uuid, Uuid)>,
}

impl FleetQuery {
    /// What is searched for.
    #[must_use]
    pub fn search(&self) -> Option<Search> {
        let text = self.search.as_deref()?;
        Some(Search {
            patterns: [containing(&text.to_lowercase()), containing(&text.to_uppercase())],
            between: identifiers(text),
        })
    }

    /// Whether it is sorted by a text, which a cursor does not hold.
    #[must_use]
    pub const fn by_text(&self) -> bool {
        matches!(self.sort, FleetSort::Participant | FleetSort::Version)
    }

    /// Whether it is sorted by an instant.
    #[must_use]
    pub const fn by_instant(&self) -> bool {
        matches!(
            self.sort,
            FleetSort::LastReport | FleetSort::LastMeasurement | FleetSort::Certificate
        )
    }

    /// The statements. Parameters: 1 to 6 of the state, 7 the version, 8 to 11 the search, of the page
    /// alone 12 the rank of the state, 13 and 14 the cursor, 15 the limit. Those that are not used do
    /// not occur: [`Self::parameters`] says which do.
    #[must_use]
    pub fn statements(&self, dialect: &Dialect) -> FleetStatements {
        let Dialect { mark, like, octets, earliest, latest } = dialect;
        let state = state_sql(*mark);
        let mut number = 6;
        let mut next = || {
            number += 1;
            format!("{mark}{number}")
        };
        let mut filters = Vec::new();
        if self.version.is_some() {
            filters.push(format!("fleet.version = {}", next()));
        }
        if self.search.is_some() {
            let [small, capital, first, last] = [next(), next(), next(), next()];
            filters.push(format!(
                "(participant.name {like} {small} ESCAPE '\\' \
                 OR participant.name {like} {capital} ESCAPE '\\' \
                 OR fleet.device BETWEEN {first} AND {last} \
                 OR device.household BETWEEN {first} AND {last})"
            ));
        }
        let all = |filters: &[String]| match filters {
            [] => String::new(),
            _ => format!(" WHERE {}", filters.join(" AND ")),
        };
        let source = |people| if people { PEOPLE } else { "fleet_device AS fleet" };
        let counts = format!(
            "SELECT state, count(*) FROM (SELECT {state} AS state FROM {}{}) AS judged GROUP BY state",
            source(self.search.is_some()),
            all(&filters),
        );
        let mut wanted = Vec::new();
        if self.state.is_some() {
            wanted.push(format!("state = {}", next()));
        }
        let key = match self.sort {
            FleetSort::State => state.clone(),
            FleetSort::LastReport => format!("coalesce(last_report, {earliest})"),
            FleetSort::LastMeasurement => format!(
                "CASE WHEN unmeasured > 0 THEN {earliest} ELSE coalesce(measured_at, {earliest}) END"
            ),
            FleetSort::Participant => format!("coalesce(participant.name, ''){octets}"),
            FleetSort::Version => format!("coalesce(fleet.version, ''){octets}"),
            FleetSort::Damaged => "coalesce(damaged, -1)".to_owned(),
            FleetSort::Incidents => "incidents + another_meter".to_owned(),
            FleetSort::Certificate => format!("coalesce(certificate_end, {latest})"),
        };
        let (than, direction) = if self.descending { ("<", "DESC") } else { (">", "ASC") };
        if self.after.is_some() {
            let (place, device) = match self.sort {
                FleetSort::Participant => {
                    let device = next();
                    let place = format!(
                        "(SELECT coalesce(max(of_last.name{octets}), '') \
                         FROM measurement_device AS last \
                         JOIN household AS last_household ON last_household.uuid = last.household \
                         JOIN participant AS of_last ON of_last.id = last_household.participant \
                         WHERE last.uuid = {device})"
                    );
                    (place, device)
                }
                FleetSort::Version => {
                    let device = next();
                    let place = format!(
                        "(SELECT coalesce(max(last.version{octets}), '') \
                         FROM fleet_device AS last WHERE last.device = {device})"
                    );
                    (place, device)
                }
                _ => (next(), next()),
            };
            wanted.push(format!("(key, device) {than} ({place}, {device})"));
        }
        let people = self.search.is_some() || self.sort == FleetSort::Participant;
        let page = format!(
            "SELECT * FROM (SELECT {FACTS}, {key} AS key, {state} AS state FROM {}{}) AS judged{} \
             ORDER BY key {direction}, device {direction} LIMIT {}",
            source(people),
            all(&filters),
            all(&wanted),
            next(),
        );
        FleetStatements { page, counts }
    }
}

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
    Ok(Silence {
        reason: new.reason.clone(),
        begun_at: at,
        ends_at: new.ends_at,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_taken_literally() {
        assert_eq!(containing("50%_\\"), "%50\\%\\_\\\\%");
        let (first, last) = identifiers("0a1b-2").unwrap();
        assert_eq!(first.to_string(), "0a1b2000-0000-0000-0000-000000000000");
        assert_eq!(last.to_string(), "0a1b2fff-ffff-ffff-ffff-ffffffffffff");
        for text in ["", "0a1", "0a1g2", "Beate", &"0".repeat(33), "----"] {
            assert_eq!(identifiers(text), None, "{text}");
        }
    }

    #[test]
    fn a_query_does_not_show_a_name() {
        let query = FleetQuery {
            state: None,
            version: None,
            search: Some("Mustermann".to_owned()),
            sort: FleetSort::State,
            descending: false,
            after: None,
            limit: 1,
        };
        assert!(!format!("{query:?}").contains("Muster"));
    }
}
