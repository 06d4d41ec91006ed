//! The rule for a device's state: a pure function for both databases, and the same as an expression of
//! SQL, by which they count and sort all devices at once. A test holds one against the other.

use std::cmp::Ordering;

use ebp_core::{contract::FleetState, cycle::Cycle, model::ConsentState};
use jiff::{SignedDuration, Timestamp};

/// A share of damaged telegrams that is too large, in ten-thousandths.
pub const DAMAGED: i64 = 2_000;

/// The same of one that is larger than before.
pub const RISING: i64 = 500;

/// How long before its end a certificate wants attention: a device renews it long before.
const CERTIFICATE: SignedDuration = SignedDuration::from_hours(21 * 24);

/// How often the survey's devices measure and report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SurveyCycles {
    /// A measurement of each meter in each of these.
    pub measurement: Cycle,
    /// A report in each of these.
    pub report: Cycle,
}

impl Default for SurveyCycles {
    fn default() -> Self {
        Self::new(None, None)
    }
}

impl SurveyCycles {
    /// These, or else a quarter of an hour and an hour (thesis 3.1.1).
    #[must_use]
    pub fn new(measurement: Option<Cycle>, report: Option<Cycle>) -> Self {
        Self {
            measurement: measurement.unwrap_or(Cycle::QUARTER_HOUR),
            report: report.unwrap_or(Cycle::HOUR),
        }
    }
}

/// What is known of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetFacts {
    /// Where its household's consent stands.
    pub consent: ConsentState,
    /// When consent was granted.
    pub granted_at: Option<Timestamp>,
    /// When it last sent measurements or its status.
    pub last_report: Option<Timestamp>,
    /// How many meters it reads.
    pub meters: i64,
    /// How many of them were never measured.
    pub unmeasured: i64,
    /// The oldest of the others' latest measurements.
    pub measured_at: Option<Timestamp>,
    /// How many of its meters show another meter's number.
    pub another_meter: i64,
    /// How many incidents are open.
    pub incidents: i64,
    /// The largest share of damaged telegrams of a meter, in ten-thousandths.
    pub damaged: Option<i64>,
    /// The largest of those shares that are larger than before.
    pub rising: Option<i64>,
    /// Whether its clock is not synchronised.
    pub clock_wrong: bool,
    /// Whether its spool is full or damaged.
    pub spool_trouble: bool,
    /// Measurements that are pending on it.
    pub pending: Option<i64>,
    /// Its version.
    pub version: Option<String>,
    /// When the first of its certificates ends that none follows.
    pub certificate_end: Option<Timestamp>,
    /// Whether it sends requests still, though it was told that consent is revoked.
    pub speaks_on: bool,
}

/// What a device's facts are compared with, at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetThresholds {
    /// A report before this is too long ago.
    pub silent: Timestamp,
    /// A report before this is late.
    pub late: Timestamp,
    /// A meter's latest measurement before this is late.
    pub measured: Timestamp,
    /// A certificate that ends before this wants attention.
    pub certificate: Timestamp,
    /// More pending measurements than this for each meter are too many.
    pub pending: i64,
    /// The newest version of the fleet.
    pub newest: Option<String>,
}

impl FleetThresholds {
    /// Those of an instant. A device measures up to a report cycle before it reports; one measurement
    /// may fail and another one be under way before its meter counts as late.
    #[must_use]
    pub fn at(at: Timestamp, cycles: SurveyCycles, newest: Option<String>) -> Self {
        let seconds = |cycle: Cycle| i64::try_from(cycle.duration().as_secs()).unwrap_or(86_400);
        let (measurement, report) = (seconds(cycles.measurement), seconds(cycles.report));
        let before = |seconds| {
            at.checked_sub(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::UNIX_EPOCH)
        };
        Self {
            silent: before(2 * report),
            late: before(report + measurement),
            measured: before(report + 3 * measurement),
            certificate: at.checked_add(CERTIFICATE).unwrap_or(Timestamp::MAX),
            pending: 86_400 / measurement.max(1),
            newest,
        }
    }
}

impl FleetFacts {
    /// Everything that is wrong with the device, in the order of the states.
    #[must_use]
    pub fn reasons(&self, than: &FleetThresholds) -> Vec<FleetState> {
        match self.consent {
            ConsentState::Revoked if self.speaks_on => {
                return vec![FleetState::SpeaksOn, FleetState::Revoked];
            }
            ConsentState::Revoked => return vec![FleetState::Revoked],
            ConsentState::NotGranted => return vec![FleetState::NotGranted],
            ConsentState::Granted => {}
        }
        let before = |at: Option<Timestamp>, than| at.is_some_and(|at| at < than);
        let silent = before(self.last_report, than.silent);
        let late = !silent && before(self.last_report, than.late)
            || before(self.measured_at, than.measured)
            || self.unmeasured > 0 && before(self.granted_at, than.measured);
        let too_many =
            |pending: i64| i128::from(pending) > i128::from(than.pending) * i128::from(self.meters);
        let behind = self.version.is_some() && than.newest.is_some() && self.version != than.newest;
        let reasons = [
            (FleetState::NeverSpoke, self.last_report.is_none()),
            (FleetState::Silent, silent),
            (FleetState::Late, self.last_report.is_some() && late),
            (FleetState::Incident, self.incidents > 0 || self.another_meter > 0),
            (
                FleetState::Damaged,
                self.damaged.is_some_and(|share| share >= DAMAGED)
                    || self.rising.is_some_and(|share| share >= RISING),
            ),
            (FleetState::Clock, self.clock_wrong),
            (FleetState::Spool, self.spool_trouble || self.pending.is_some_and(too_many)),
            (FleetState::Certificate, before(self.certificate_end, than.certificate)),
            (FleetState::VersionBehind, behind),
        ];
        reasons.into_iter().filter(|(_, applies)| *applies).map(|(reason, _)| reason).collect()
    }

    /// The device's state: what is worst.
    #[must_use]
    pub fn state(&self, than: &FleetThresholds) -> FleetState {
        self.reasons(than).first().copied().unwrap_or(FleetState::Healthy)
    }
}

/// Whether nothing is wrong that an alert would be sent for.
#[must_use]
pub const fn is_well(state: FleetState) -> bool {
    matches!(state, FleetState::VersionBehind | FleetState::Healthy)
}

/// The place of a state in [`FleetState::ALL`], by which databases know it.
#[must_use]
pub fn rank(state: FleetState) -> i64 {
    let place = FleetState::ALL.iter().position(|one| *one == state).unwrap_or_default();
    i64::try_from(place).unwrap_or_default()
}

/// The state as an expression over the columns of `fleet_device AS fleet`, as [`rank`] numbers it. Its
/// parameters are six from the number `first` on, written with `mark`: silent, late, measured,
/// certificate, pending and newest of [`FleetThresholds`].
#[must_use]
pub fn state_sql(mark: char, first: usize) -> String {
    let [silent, late, measured, certificate, pending, newest]: [_; 6] =
        std::array::from_fn(|i| format!("{mark}{}", first + i));
    format!(
        "CASE WHEN fleet.consent = 2 AND fleet.speaks_on THEN 0
              WHEN fleet.consent = 2 THEN 12 WHEN fleet.consent = 0 THEN 11
              WHEN fleet.last_report IS NULL THEN 1 WHEN fleet.last_report < {silent} THEN 2
              WHEN fleet.last_report < {late} OR fleet.measured_at < {measured}
                  OR (fleet.unmeasured > 0 AND fleet.granted_at < {measured}) THEN 3
              WHEN fleet.incidents > 0 OR fleet.another_meter > 0 THEN 4
              WHEN fleet.damaged >= {DAMAGED} OR fleet.rising >= {RISING} THEN 5
              WHEN fleet.clock_wrong THEN 6
              WHEN fleet.spool_trouble OR fleet.pending > {pending} * fleet.meters THEN 7
              WHEN fleet.certificate_end < {certificate} THEN 8 WHEN fleet.version <> {newest} THEN 9
              ELSE 10 END"
    )
}

/// The newest of versions such as `0.10.1`: numbers are compared as such.
#[must_use]
pub fn newest<'a>(versions: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    versions.max_by(|one, other| compare(one, other))
}

/// Compares piece by piece. What follows a hyphen comes before the version itself, as with
/// `1.0.0-rc.1` and `1.0.0`.
fn compare(one: &str, other: &str) -> Ordering {
    let split = |version: &str| match version.split_once('-') {
        Some((version, rest)) => (version.to_owned(), Some(rest.to_owned())),
        None => (version.to_owned(), None),
    };
    let ((one, early), (other, earlier)) = (split(one), split(other));
    compare_pieces(&one, &other).then_with(|| match (early, earlier) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(one), Some(other)) => compare_pieces(&one, &other),
    })
}

fn compare_pieces(one: &str, other: &str) -> Ordering {
    let number = |piece: &str| piece.parse::<u64>().ok();
    let (mut ones, mut others) = (one.split('.'), other.split('.'));
    loop {
        let order = match (ones.next(), others.next()) {
            (None, None) => return one.cmp(other),
            (one, None) => one.map_or(Ordering::Equal, |_| Ordering::Greater),
            (None, Some(_)) => Ordering::Less,
            (Some(one), Some(other)) => match (number(one), number(other)) {
                (Some(one), Some(other)) => one.cmp(&other),
                _ => one.cmp(other),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn facts() -> FleetFacts {
        FleetFacts {
            consent: ConsentState::Granted,
            granted_at: Some(at("2026-01-01T00:00:00Z")),
            last_report: Some(at("2026-01-31T11:30:00Z")),
            meters: 2,
            unmeasured: 0,
            measured_at: Some(at("2026-01-31T11:15:00Z")),
            another_meter: 0,
            incidents: 0,
            damaged: Some(0),
            rising: None,
            clock_wrong: false,
            spool_trouble: false,
            pending: Some(192),
            version: Some("0.2.0".to_owned()),
            certificate_end: Some(at("2026-03-31T00:00:00Z")),
            speaks_on: false,
        }
    }

    #[test]
    fn each_state() {
        let now = at("2026-01-31T12:00:00Z");
        let newest = Some("0.2.0".to_owned());
        let than = FleetThresholds::at(now, SurveyCycles::default(), newest);
        let reasons = |change: fn(&mut FleetFacts)| {
            let mut facts = facts();
            change(&mut facts);
            assert_eq!(
                facts.reasons(&than).first(),
                Some(&facts.state(&than)).filter(|s| **s != FleetState::Healthy)
            );
            facts.reasons(&than)
        };
        assert_eq!(reasons(|_| ()), []);
        assert_eq!(facts().state(&than), FleetState::Healthy);
        assert_eq!(reasons(|f| f.consent = ConsentState::Revoked), [FleetState::Revoked]);
        let speaks_on = reasons(|f| (f.consent, f.speaks_on) = (ConsentState::Revoked, true));
        assert_eq!(speaks_on, [FleetState::SpeaksOn, FleetState::Revoked]);
        assert_eq!(reasons(|f| f.speaks_on = true), []);
        assert_eq!(reasons(|f| f.consent = ConsentState::NotGranted), [FleetState::NotGranted]);
        assert_eq!(reasons(|f| f.last_report = None), [FleetState::NeverSpoke]);
        // Two report cycles ago exactly is late, and a moment before that is silent.
        assert_eq!(
            reasons(|f| f.last_report = Some(at("2026-01-31T10:00:00Z"))),
            [FleetState::Late]
        );
        let silent = reasons(|f| f.last_report = Some(at("2026-01-31T09:59:59Z")));
        assert_eq!(silent, [FleetState::Silent]);
        assert_eq!(reasons(|f| f.last_report = Some(at("2026-01-31T10:45:00Z"))), []);
        assert_eq!(
            reasons(|f| f.last_report = Some(at("2026-01-31T10:44:59Z"))),
            [FleetState::Late]
        );
        assert_eq!(reasons(|f| f.measured_at = Some(at("2026-01-31T10:15:00Z"))), []);
        assert_eq!(
            reasons(|f| f.measured_at = Some(at("2026-01-31T10:14:59Z"))),
            [FleetState::Late]
        );
        assert_eq!(reasons(|f| f.unmeasured = 1), [FleetState::Late]);
        let granted = reasons(|f| {
            f.unmeasured = 1;
            f.granted_at = Some(at("2026-01-31T11:00:00Z"));
        });
        assert_eq!(granted, []);
        assert_eq!(reasons(|f| f.incidents = 1), [FleetState::Incident]);
        assert_eq!(reasons(|f| f.another_meter = 1), [FleetState::Incident]);
        assert_eq!(reasons(|f| f.damaged = Some(2_000)), [FleetState::Damaged]);
        assert_eq!(reasons(|f| f.damaged = Some(1_999)), []);
        assert_eq!(reasons(|f| f.rising = Some(500)), [FleetState::Damaged]);
        assert_eq!(reasons(|f| f.clock_wrong = true), [FleetState::Clock]);
        assert_eq!(reasons(|f| f.spool_trouble = true), [FleetState::Spool]);
        assert_eq!(reasons(|f| f.pending = Some(193)), [FleetState::Spool]);
        let soon = reasons(|f| f.certificate_end = Some(at("2026-02-21T11:59:59Z")));
        assert_eq!(soon, [FleetState::Certificate]);
        assert_eq!(reasons(|f| f.version = Some("0.1.0".to_owned())), [FleetState::VersionBehind]);
        let all = reasons(|f| {
            f.last_report = Some(at("2026-01-01T00:00:00Z"));
            f.incidents = 1;
            f.clock_wrong = true;
        });
        assert_eq!(all, [FleetState::Silent, FleetState::Incident, FleetState::Clock]);
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let newest = |versions: &[&str]| newest(versions.iter().copied()).map(str::to_owned);
        assert_eq!(newest(&[]), None);
        assert_eq!(newest(&["0.9.0", "0.10.0", "0.2.11"]).as_deref(), Some("0.10.0"));
        assert_eq!(newest(&["1.0.0", "1.0.0-rc.2", "1.0.0-rc.10"]).as_deref(), Some("1.0.0"));
        assert_eq!(newest(&["1.0.0-rc.2", "1.0.0-rc.10"]).as_deref(), Some("1.0.0-rc.10"));
        assert_eq!(newest(&["1.0", "1.0.1", "x"]).as_deref(), Some("x"));
    }

    #[test]
    fn a_rank_is_the_place_among_all_states() {
        let ranks: Vec<i64> = FleetState::ALL.into_iter().map(rank).collect();
        assert_eq!(ranks, (0..13).collect::<Vec<_>>());
    }
}
