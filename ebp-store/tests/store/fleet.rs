//! The fleet's states in every store: the triggers that keep what they are judged by, the expression in
//! SQL beside the pure rule, filters, orders and pages.

use ebp_core::{
    contract::{
        ClockState, DeviceStatus, FleetDevice, FleetSort, FleetState, MeterChange, MeterTelegrams,
        NewSilence, Notice, SpoolFigures,
    },
    cycle::Cycle,
    model::{ConsentState, Flag, IncidentType},
    scope::Scopes,
};
use ebp_needs::needs;
use ebp_store::{
    CertificateKind, Enrolment, FleetFacts, FleetQuery, FleetThresholds, HouseholdId,
    NewCertificate, Origin, RegisterEntry, Serial, Store, StoreError, SurveyCycles,
};
use jiff::{SignedDuration, Timestamp, civil::date};
use proptest::{
    prelude::*,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::{
    postgres, sqlite,
    story::{at, measurement, registration},
};

const CYCLES: SurveyCycles = SurveyCycles { measurement: Cycle::QUARTER_HOUR, report: Cycle::HOUR };

fn all() -> FleetQuery {
    FleetQuery {
        state: None,
        version: None,
        search: None,
        sort: FleetSort::State,
        descending: false,
        after: None,
        limit: 100,
    }
}

async fn list(store: &dyn Store, query: FleetQuery, now: Timestamp) -> Vec<FleetDevice> {
    store.fleet(query, CYCLES, now).await.unwrap().page.items
}

async fn one(store: &dyn Store, device: Uuid, now: Timestamp) -> FleetDevice {
    list(store, all(), now).await.into_iter().find(|found| found.uuid == device).unwrap()
}

fn status(version: &str, meters: &[(Uuid, u64, u64)]) -> DeviceStatus {
    let meter = |&(meter, telegrams, damaged)| MeterTelegrams { meter, telegrams, damaged };
    DeviceStatus {
        components: [
            ("reader".to_owned(), "0.0.9".to_owned()),
            ("transmitter".to_owned(), version.to_owned()),
        ]
        .into(),
        clock: Some(ClockState::Synchronised),
        spool: Some(SpoolFigures { pending: 4, refused: 0, unplaced: 0, bytes: 81_920 }),
        meters: meters.iter().map(meter).collect(),
        notices: Vec::new(),
    }
}

/// From registration to revocation, each writer changes what the state is judged by.
pub async fn follows_every_writer(store: &dyn Store) {
    let start = at("2026-01-01T00:00:00Z");
    let minutes = |count: i64| start + SignedDuration::from_mins(count);
    let made = store.register(registration("fleet@example.org"), start).await.unwrap();
    let (id, device) = (HouseholdId(made.household), made.measurement_device);
    let [first, second] = made.meters[..] else { panic!() };
    let shown = one(store, device, start).await;
    assert_eq!((shown.state, shown.consent), (FleetState::NotGranted, ConsentState::NotGranted));
    assert_eq!(shown.household, Some(made.household));
    assert_eq!(shown.participant.as_deref(), Some("Erika Mustermann"));

    // It asks for consent, and that is no report.
    store.touch_device(device, start).await.unwrap();
    store.grant_consent(id, start).await.unwrap();
    let shown = one(store, device, minutes(1)).await;
    assert_eq!(
        (shown.state, shown.reasons),
        (FleetState::NeverSpoke, vec![FleetState::NeverSpoke])
    );

    let mut items = vec![measurement(1, first, minutes(15)), measurement(2, second, minutes(30))];
    store.insert_measurements(id, items.clone(), minutes(31)).await.unwrap();
    let shown = one(store, device, minutes(32)).await;
    assert_eq!((shown.state, shown.last_report), (FleetState::Healthy, Some(minutes(31))));
    let seen =
        |shown: &FleetDevice| shown.meters.iter().map(|m| m.last_measurement).collect::<Vec<_>>();
    assert_eq!(seen(&shown), [Some(minutes(15)), Some(minutes(30))]);
    // An earlier one is not the latest. What was stored before is a report nevertheless.
    items.push(measurement(3, second, minutes(16)));
    store.insert_measurements(id, items, minutes(40)).await.unwrap();
    let shown = one(store, device, minutes(41)).await;
    assert_eq!(seen(&shown), [Some(minutes(15)), Some(minutes(30))]);
    assert_eq!(shown.last_report, Some(minutes(40)));

    // One meter alone is late; then the whole device is silent, whatever else it asks.
    let shown = one(store, device, minutes(121)).await;
    assert_eq!(shown.reasons, [FleetState::Late]);
    store.touch_device(device, minutes(160)).await.unwrap();
    let shown = one(store, device, minutes(161)).await;
    assert_eq!(shown.reasons, [FleetState::Silent, FleetState::Late]);

    // A status is a report. It tells damage, clock, spool and version.
    let items = vec![measurement(4, first, minutes(165)), measurement(5, second, minutes(165))];
    store.insert_measurements(id, items, minutes(166)).await.unwrap();
    store.report_status(device, status("0.1.0", &[(first, 100, 2)]), minutes(167)).await.unwrap();
    let shown = one(store, device, minutes(168)).await;
    assert_eq!((shown.state, shown.last_report), (FleetState::Healthy, Some(minutes(167))));
    assert_eq!(shown.version.as_deref(), Some("0.1.0"));
    assert_eq!(shown.damaged_share.unwrap().to_string(), "0.02");
    assert_eq!((shown.pending, shown.clock), (Some(4), Some(ClockState::Synchronised)));
    let rising = status("0.1.0", &[(first, 100, 5), (second, 0, 0)]);
    store.report_status(device, rising, minutes(168)).await.unwrap();
    assert_eq!(one(store, device, minutes(168)).await.reasons, [FleetState::Damaged]);
    let mut worse = status("0.1.0", &[(first, u64::pow(10, 15), u64::pow(10, 15))]);
    worse.clock = Some(ClockState::Unsynchronised);
    worse.notices = vec![Notice::SpoolFull];
    worse.spool = Some(SpoolFigures { pending: 193, ..worse.spool.unwrap() });
    store.report_status(device, worse, minutes(169)).await.unwrap();
    let shown = one(store, device, minutes(169)).await;
    assert_eq!(shown.reasons, [FleetState::Damaged, FleetState::Clock, FleetState::Spool]);
    assert_eq!(shown.damaged_share.unwrap().to_string(), "1");
    store.report_status(device, status("0.1.0", &[]), minutes(170)).await.unwrap();
    let shown = one(store, device, minutes(170)).await;
    assert_eq!((shown.state, shown.damaged_share), (FleetState::Healthy, None));

    // Incidents, and another meter in the place of one.
    let kind = IncidentType::ObisCodesUnavailable;
    store.report_incident(id, second, kind, minutes(170)).await.unwrap();
    let shown = one(store, device, minutes(171)).await;
    assert_eq!((shown.state, shown.incidents), (FleetState::Incident, 1));
    assert_eq!(shown.meters[1].incidents, [kind]);
    store.resolve_incident(id, second, kind, minutes(172)).await.unwrap();
    assert_eq!(one(store, device, minutes(173)).await.state, FleetState::Healthy);
    let mut other = measurement(6, first, minutes(175));
    other.flags = vec![Flag::AnotherMeter, Flag::TimeWithin2s];
    store.insert_measurements(id, vec![other], minutes(176)).await.unwrap();
    let shown = one(store, device, minutes(176)).await;
    assert_eq!((shown.state, shown.meters[0].another_meter), (FleetState::Incident, true));
    assert_eq!((shown.incidents, shown.meters[1].another_meter), (0, false));
    // The exchange is registered: nothing is expected of the old one any more.
    let removed = MeterChange {
        removed_at: Some(Some(minutes(177))),
        measurement_device: Some(None),
        ..MeterChange::default()
    };
    store.change_meter(id, first, removed).await.unwrap();
    let shown = one(store, device, minutes(178)).await;
    assert_eq!((shown.state, shown.meters.len()), (FleetState::Healthy, 1));

    // Certificates: the last of each scope counts.
    for (number, days) in [(1_u8, 10), (2, 40)] {
        certify(store, device, number, minutes(178), days).await;
        let expected = if number == 1 { FleetState::Certificate } else { FleetState::Healthy };
        assert_eq!(one(store, device, minutes(179)).await.state, expected);
    }
    let shown = one(store, device, minutes(179)).await;
    assert_eq!(shown.certificate_end, Some(minutes(178) + SignedDuration::from_hours(40 * 24)));
    store.revoke_device(device, minutes(180)).await.unwrap();
    assert_eq!(one(store, device, minutes(180)).await.certificate_end, None);

    // A newer version elsewhere.
    let newer = store.register(registration("newer@example.org"), start).await.unwrap();
    store.grant_consent(HouseholdId(newer.household), start).await.unwrap();
    let told = status("0.10.0", &[]);
    store.report_status(newer.measurement_device, told, minutes(180)).await.unwrap();
    let page = store.fleet(all(), CYCLES, minutes(180)).await.unwrap().page;
    let versions: Vec<_> =
        page.versions.iter().map(|one| (one.version.as_str(), one.devices)).collect();
    assert_eq!(versions, [("0.1.0", 1), ("0.10.0", 1)]);
    assert_eq!(one(store, device, minutes(180)).await.state, FleetState::VersionBehind);

    // Of a household that revoked nothing is left.
    let silence = NewSilence { reason: "away".to_owned(), ends_at: None, until_recovery: true };
    store.silence_device(device, silence, minutes(181)).await.unwrap();
    store.report_incident(id, second, kind, minutes(182)).await.unwrap();
    crate::masking::revoke(store, id).await;
    let shown = one(store, device, minutes(181)).await;
    let mut nothing = shown.clone();
    (nothing.household, nothing.participant, nothing.version) = (None, None, None);
    (nothing.last_report, nothing.damaged_share, nothing.silence) = (None, None, None);
    (nothing.incidents, nothing.pending, nothing.clock) = (0, None, None);
    nothing.meters = Vec::new();
    assert_eq!(
        (shown.state, shown.reasons.as_slice()),
        (FleetState::Revoked, [FleetState::Revoked].as_slice())
    );
    assert_eq!(shown, nothing);
    assert_eq!(store.fleet(all(), CYCLES, start).await.unwrap().page.withheld, 1);
    for gone in [
        store.device_history(device, start).await.map(drop),
        store.coverage(device, date(2026, 1, 1), 1, CYCLES, minutes(181)).await.map(drop),
        store.device_silence(device, CYCLES, minutes(181)).await.map(drop),
        store.end_silence(device).await,
    ] {
        assert!(matches!(gone, Err(StoreError::ConsentRevoked)), "{gone:?}");
    }
    // One that was removed is not listed.
    store.remove_household(HouseholdId(newer.household), minutes(182)).await.unwrap();
    assert_eq!(list(store, all(), minutes(182)).await.len(), 1);
}

async fn certify(store: &dyn Store, device: Uuid, number: u8, from: Timestamp, days: i64) {
    let (token, key) = ([number; 32], [number; 32]);
    let scopes = Scopes::default();
    let expires_at = from + SignedDuration::from_hours(1);
    let enrolment =
        Enrolment { token, device, scopes: scopes.clone(), expires_at, sign_in_hash: None };
    store.create_enrolment(enrolment).await.unwrap();
    store.redeem_enrolment(token, key, None, from).await.unwrap();
    let entry = RegisterEntry {
        serial: Serial::random(),
        device: Some(device),
        kind: CertificateKind::Client,
        scopes,
        not_before: from,
        not_after: from + SignedDuration::from_hours(24 * days),
        revoked_at: None,
        holder: None,
    };
    let new = NewCertificate { device, entry, key, origin: Origin::Enrolment(token) };
    store.register_certificate(new, from).await.unwrap();
}

/// Silences end by themselves, at their end and at recovery.
pub async fn silences_end(store: &dyn Store) {
    let start = at("2026-01-01T00:00:00Z");
    let hours = |count: i64| start + SignedDuration::from_hours(count);
    let made = store.register(registration("quiet@example.org"), start).await.unwrap();
    let (id, device) = (HouseholdId(made.household), made.measurement_device);
    store.grant_consent(id, start).await.unwrap();
    let report = |hour: i64| {
        let items = made.meters.iter().zip(0..).map(|(meter, place)| {
            measurement(u128::from(hour.unsigned_abs()) << 8 | place, *meter, hours(hour))
        });
        store.insert_measurements(id, items.collect(), hours(hour))
    };
    let missing = store.device_silence(device, CYCLES, start).await;
    assert!(matches!(missing, Err(StoreError::NotFound)));
    assert!(matches!(store.end_silence(device).await, Err(StoreError::NotFound)));
    let new = |reason: &str, ends_at, until_recovery| NewSilence {
        reason: reason.to_owned(),
        ends_at,
        until_recovery,
    };
    for wrong in [
        new("", None, true),
        new("x\u{7}", None, true),
        new("late", Some(start), false),
        new("far", Some(hours(24 * 400 + 1)), false),
    ] {
        let refused = store.silence_device(device, wrong.clone(), start).await;
        assert!(matches!(refused, Err(StoreError::Registration(_))), "{wrong:?}");
    }
    let nobody = store.silence_device(Uuid::nil(), new("x", None, true), start).await;
    assert!(matches!(nobody, Err(StoreError::NotFound)));

    // By its end.
    let until =
        store.silence_device(device, new("moving", Some(hours(5)), false), start).await.unwrap();
    assert_eq!(store.device_silence(device, CYCLES, hours(4)).await.unwrap(), until);
    assert_eq!(one(store, device, hours(4)).await.silence.unwrap().reason, "moving");
    assert_eq!(store.end_silences(CYCLES, hours(4)).await.unwrap(), 0);
    assert!(store.device_silence(device, CYCLES, hours(5)).await.is_err());
    assert_eq!(one(store, device, hours(5)).await.silence, None);
    assert_eq!(store.end_silences(CYCLES, hours(5)).await.unwrap(), 1);
    assert_eq!(store.end_silences(CYCLES, hours(5)).await.unwrap(), 0);

    // By recovery: it has ended for good, even if the device is silent again.
    store.silence_device(device, new("power cut", None, false), hours(6)).await.unwrap();
    assert!(store.device_silence(device, CYCLES, hours(7)).await.unwrap().until_recovery);
    report(8).await.unwrap();
    assert!(store.device_silence(device, CYCLES, hours(8)).await.is_err());
    assert_eq!(store.end_silences(CYCLES, hours(8)).await.unwrap(), 1);
    assert!(store.device_silence(device, CYCLES, hours(20)).await.is_err());

    // By an administrator.
    store.silence_device(device, new("x", Some(hours(100)), false), hours(20)).await.unwrap();
    store.end_silence(device).await.unwrap();
    assert!(store.device_silence(device, CYCLES, hours(21)).await.is_err());
}

/// Coverage by slot; every incident; statuses by day, and none older than 400 days.
pub async fn histories(store: &dyn Store) {
    let start = at("2025-01-01T00:00:00Z");
    let days = |count: i64| start + SignedDuration::from_hours(24 * count);
    let made = store.register(registration("history@example.org"), start).await.unwrap();
    let (id, device) = (HouseholdId(made.household), made.measurement_device);
    let [first, second] = made.meters[..] else { panic!() };
    store.grant_consent(id, start + SignedDuration::from_mins(15)).await.unwrap();
    let mut flagged = measurement(3, first, start + SignedDuration::from_mins(46));
    flagged.flags = vec![Flag::RegisterRanBackwards];
    let items = vec![measurement(2, first, start + SignedDuration::from_mins(16)), flagged];
    store.insert_measurements(id, items, start + SignedDuration::from_hours(1)).await.unwrap();
    let now = start + SignedDuration::from_mins(80);
    let shown = store.coverage(device, date(2024, 12, 31), 2, CYCLES, now).await.unwrap();
    assert_eq!((shown.cycle, shown.from, shown.to), (900, date(2024, 12, 31), date(2025, 1, 2)));
    assert_eq!(shown.meters.iter().map(|meter| meter.uuid).collect::<Vec<_>>(), [first, second]);
    let expected = [" ".repeat(96), format!(" m-f-{}", " ".repeat(91))];
    assert_eq!(shown.meters[0].days, expected);
    assert_eq!(shown.meters[1].days[1], format!(" ----{}", " ".repeat(91)));
    let nobody = store.coverage(Uuid::nil(), date(2025, 1, 1), 1, CYCLES, now).await;
    assert!(matches!(nobody, Err(StoreError::NotFound)));

    let kind = IncidentType::SerialPortUnavailable;
    for (from, to) in [(1, 2), (3, 5), (500, 501)] {
        store.report_incident(id, first, kind, days(from)).await.unwrap();
        store.resolve_incident(id, first, kind, days(to)).await.unwrap();
    }
    store.report_incident(id, first, kind, days(502)).await.unwrap();
    store.report_incident(id, second, kind, days(501)).await.unwrap();
    for (day, version, telegrams, damaged) in [
        (10, "0.1.0", 100, 1),
        (11, "0.1.0", 100, 1),
        (470, "0.2.0", 200, 50),
        (500, "0.2.0", 10, 0),
    ] {
        let mut told = status(version, &[(first, telegrams, damaged), (second, telegrams, 0)]);
        store.report_status(device, told.clone(), days(day)).await.unwrap();
        // The same again is told twice and counts once.
        told.spool = Some(SpoolFigures { pending: 1, refused: 0, unplaced: 0, bytes: 100_000 });
        store.report_status(device, told, days(day) + SignedDuration::from_hours(1)).await.unwrap();
    }
    let history = store.device_history(device, days(100)).await.unwrap();
    let incidents: Vec<_> =
        history.incidents.iter().map(|one| (one.meter, one.reported_at, one.resolved_at)).collect();
    let expected =
        [(first, days(502), None), (second, days(501), None), (first, days(500), Some(days(501)))];
    assert_eq!(incidents, expected);
    let shown: Vec<_> = history
        .days
        .iter()
        .map(|one| {
            (
                one.day,
                one.version.clone().unwrap(),
                one.pending,
                one.bytes,
                one.damaged_share.map(|s| s.to_string()),
            )
        })
        .collect();
    let day = |count: i64| jiff::tz::TimeZone::UTC.to_datetime(days(count)).date();
    assert_eq!(
        shown,
        [
            (day(470), "0.2.0".to_owned(), Some(4), Some(100_000), Some("0.125".to_owned())),
            (day(500), "0.2.0".to_owned(), Some(4), Some(100_000), Some("0".to_owned())),
        ]
    );
    // Older ones are dropped, not only left out.
    let all = store.device_history(device, start).await.unwrap();
    assert_eq!((all.days.len(), all.incidents.len()), (2, 3));
}

/// What a device may be.
#[derive(Debug, Clone)]
struct Given {
    consent: u8,
    /// Minutes before the present, for instants.
    granted: i64,
    report: Option<i64>,
    meters: i64,
    unmeasured: i64,
    measured: Option<i64>,
    another: i64,
    incidents: i64,
    damaged: Option<i64>,
    rising: Option<i64>,
    clock: bool,
    spool: bool,
    pending: Option<i64>,
    version: Option<&'static str>,
    certificate: Option<i64>,
}

fn given() -> impl Strategy<Value = Given> {
    let seldom = |most: i64| prop_oneof![12 => Just(0), 1 => 0..=most];
    let minutes = || {
        proptest::option::weighted(
            0.96,
            prop_oneof![24 => 0..70_i64, 3 => 0..300_i64, 1 => Just(75), 1 => Just(105), 1 => Just(120)],
        )
    };
    let share = |most: i64| {
        proptest::option::of(
            prop_oneof![24 => Just(0), 1 => Just(500), 1 => Just(2000), 1 => 0..most],
        )
    };
    (
        (
            prop_oneof![1 => Just(0_u8), 12 => Just(1), 1 => Just(2)],
            0..300_i64,
            minutes(),
            0..3_i64,
            seldom(2),
            minutes(),
            seldom(1),
            seldom(2),
        ),
        (
            share(2100),
            share(600),
            proptest::bool::weighted(0.05),
            proptest::bool::weighted(0.05),
            proptest::option::of(prop_oneof![9 => 0..2_i64, 1 => 0..300_i64]),
            proptest::option::of(prop_oneof![Just("0.1.0"), Just("0.9.0"), Just("0.10.0")]),
            proptest::option::of(prop_oneof![Just(21 * 24 * 60), 20_000..90_000_i64]),
        ),
    )
        .prop_map(
            |(
                (consent, granted, report, meters, unmeasured, measured, another, incidents),
                (damaged, rising, clock, spool, pending, version, certificate),
            )| Given {
                consent,
                granted,
                report,
                meters,
                unmeasured,
                measured,
                another,
                incidents,
                damaged,
                rising,
                clock,
                spool,
                pending,
                version,
                certificate,
            },
        )
}

const NOW: &str = "2026-06-01T00:00:00Z";

impl Given {
    fn facts(&self) -> FleetFacts {
        let now = at(NOW);
        let before = |minutes: i64| now - SignedDuration::from_mins(minutes);
        FleetFacts {
            consent: [ConsentState::NotGranted, ConsentState::Granted, ConsentState::Revoked]
                [usize::from(self.consent)],
            granted_at: Some(before(self.granted)).filter(|_| self.consent == 1),
            last_report: self.report.map(before),
            meters: self.meters,
            unmeasured: self.unmeasured,
            measured_at: self.measured.map(before),
            another_meter: self.another,
            incidents: self.incidents,
            damaged: self.damaged,
            rising: self.rising,
            clock_wrong: self.clock,
            spool_trouble: self.spool,
            pending: self.pending,
            version: self.version.map(str::to_owned),
            certificate_end: self
                .certificate
                .map(|minutes| now + SignedDuration::from_mins(minutes)),
        }
    }
}

/// Random facts for devices, the same for both databases.
fn fleet_of(count: usize) -> Vec<Given> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| given().new_tree(&mut runner).unwrap().current()).collect()
}

/// Each filter with each order, page by page, holds what the pure rule says, and so do the counts.
async fn agrees(store: &dyn Store, devices: &[(Uuid, Given)]) {
    let now = at(NOW);
    let than = FleetThresholds::at(now, CYCLES, Some("0.10.0".to_owned()));
    let mut states: Vec<(Uuid, FleetState)> =
        devices.iter().map(|(uuid, given)| (*uuid, given.facts().state(&than))).collect();
    states.sort_unstable();
    let occurring = FleetState::ALL.iter().filter(|state| states.iter().any(|(_, s)| s == *state));
    assert_eq!(occurring.count(), FleetState::ALL.len(), "every state occurs");
    for version in [None, Some("0.9.0")] {
        let fits = |uuid: &Uuid| {
            version.is_none_or(|version| {
                devices.iter().any(|(other, given)| other == uuid && given.version == Some(version))
            })
        };
        for wanted in std::iter::once(None).chain(FleetState::ALL.map(Some)) {
            let expected: Vec<_> = states
                .iter()
                .filter(|(uuid, state)| fits(uuid) && wanted.is_none_or(|wanted| wanted == *state))
                .copied()
                .collect();
            for (sort, descending) in
                FleetSort::ALL.into_iter().flat_map(|sort| [(sort, false), (sort, true)])
            {
                if wanted.is_some() && sort != FleetSort::State && sort != FleetSort::LastReport {
                    continue;
                }
                let mut query = FleetQuery {
                    state: wanted,
                    version: version.map(str::to_owned),
                    sort,
                    descending,
                    limit: 37,
                    ..all()
                };
                let mut listed = Vec::new();
                loop {
                    let fleet = store.fleet(query.clone(), CYCLES, now).await.unwrap();
                    for count in &fleet.page.counts {
                        let there = states
                            .iter()
                            .filter(|(uuid, state)| fits(uuid) && *state == count.state);
                        assert_eq!(count.devices, there.count() as u64, "{:?}", count.state);
                    }
                    assert!(fleet.next.is_none() || fleet.page.items.len() == 37);
                    listed.extend(fleet.page.items);
                    query.after = fleet.next;
                    if query.after.is_none() {
                        break;
                    }
                }
                let mut found: Vec<_> = listed.iter().map(|one| (one.uuid, one.state)).collect();
                found.sort_unstable();
                assert_eq!(found, expected, "{wanted:?} by {sort} {descending}");
                let in_order = |one: &FleetDevice, next: &FleetDevice| {
                    let (one, next) = if descending { (next, one) } else { (one, next) };
                    match sort {
                        FleetSort::State => one.state <= next.state,
                        FleetSort::LastReport => one.last_report <= next.last_report,
                        FleetSort::Version => one.version <= next.version,
                        FleetSort::Damaged => one.damaged_share <= next.damaged_share,
                        FleetSort::Certificate => {
                            one.certificate_end.unwrap_or(Timestamp::MAX)
                                <= next.certificate_end.unwrap_or(Timestamp::MAX)
                        }
                        FleetSort::Participant => one.participant <= next.participant,
                        FleetSort::LastMeasurement | FleetSort::Incidents => true,
                    }
                };
                assert!(
                    listed.windows(2).all(|pair| in_order(&pair[0], &pair[1])),
                    "{sort} {descending}"
                );
            }
        }
    }
}

const DEVICES: usize = 400;

#[tokio::test]
async fn sqlite_agrees_with_the_rule() {
    let (_dir, path) = sqlite::fresh();
    let store = sqlite::open(&path).await;
    let db = Connection::open(&path).unwrap();
    let mut devices = Vec::new();
    for (i, given) in (0_u128..).zip(fleet_of(DEVICES)) {
        let device = Uuid::from_u128(i * 0x9e37_79b9_7f4a_7c15_f39c_0c83 + 7);
        let facts = given.facts();
        let micros = |at: Option<Timestamp>| at.map(Timestamp::as_microsecond);
        db.execute("INSERT INTO measurement_device (uuid) VALUES (?1)", [device.as_bytes()])
            .unwrap();
        db.execute(
            "UPDATE fleet_device SET consent = ?2, granted_at = ?3, last_report = ?4, meters = ?5,
                 unmeasured = ?6, measured_at = ?7, another_meter = ?8, incidents = ?9,
                 damaged = ?10, rising = ?11, clock_wrong = ?12, spool_trouble = ?13,
                 pending = ?14, version = ?15, certificate_end = ?16
             WHERE device = ?1",
            params![
                device.as_bytes(),
                given.consent,
                micros(facts.granted_at),
                micros(facts.last_report),
                facts.meters,
                facts.unmeasured,
                micros(facts.measured_at),
                facts.another_meter,
                facts.incidents,
                facts.damaged,
                facts.rising,
                facts.clock_wrong,
                facts.spool_trouble,
                facts.pending,
                facts.version,
                micros(facts.certificate_end)
            ],
        )
        .unwrap();
        devices.push((device, given));
    }
    agrees(&store, &devices).await;
}

#[needs(postgresql)]
#[tokio::test]
async fn postgres_agrees_with_the_rule() {
    let fresh = postgres::Fresh::new().await;
    let store = fresh.open().await;
    let db = fresh.plain().await;
    let mut devices = Vec::new();
    for (i, given) in (0_u128..).zip(fleet_of(DEVICES)) {
        let device = Uuid::from_u128(i * 0x9e37_79b9_7f4a_7c15_f39c_0c83 + 7);
        let facts = given.facts();
        let instant = |at: Option<Timestamp>| at.map_or("NULL".to_owned(), |at| format!("'{at}'"));
        let number =
            |count: Option<i64>| count.map_or("NULL".to_owned(), |count| count.to_string());
        let version = given.version.map_or("NULL".to_owned(), |version| format!("'{version}'"));
        db.batch_execute(&format!(
            "INSERT INTO measurement_device (uuid) VALUES ('{device}');
             UPDATE fleet_device SET consent = {}, granted_at = {}, last_report = {}, meters = {},
                 unmeasured = {}, measured_at = {}, another_meter = {}, incidents = {},
                 damaged = {}, rising = {}, clock_wrong = {}, spool_trouble = {},
                 pending = {}, version = {version}, certificate_end = {}
             WHERE device = '{device}'",
            given.consent,
            instant(facts.granted_at),
            instant(facts.last_report),
            facts.meters,
            facts.unmeasured,
            instant(facts.measured_at),
            facts.another_meter,
            facts.incidents,
            number(facts.damaged),
            number(facts.rising),
            facts.clock_wrong,
            facts.spool_trouble,
            number(facts.pending),
            instant(facts.certificate_end)
        ))
        .await
        .unwrap();
        devices.push((device, given));
    }
    agrees(&*store, &devices).await;
}

/// Names are found by any part of them, without regard to case; identifiers by their beginning.
pub async fn is_searched(store: &dyn Store) {
    let now = at("2026-01-01T00:00:00Z");
    let mut made = Vec::new();
    for (name, email) in [
        ("Ömer Özdemir", "a@example.org"),
        ("Anna 100%_Weiß", "b@example.org"),
        ("anna Zorn", "c@example.org"),
    ] {
        let mut registration = registration(email);
        registration.participant.name = name.to_owned();
        made.push(store.register(registration, now).await.unwrap());
    }
    let found = async |text: &str| {
        let query =
            FleetQuery { search: Some(text.to_owned()), sort: FleetSort::Participant, ..all() };
        let page = store.fleet(query, CYCLES, now).await.unwrap().page;
        let counted: u64 = page.counts.iter().map(|count| count.devices).sum();
        assert_eq!(counted, page.items.len() as u64);
        page.items.iter().map(|one| one.participant.clone().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(found("ANNA").await, ["Anna 100%_Weiß", "anna Zorn"]);
    assert_eq!(found("özdemir").await, ["Ömer Özdemir"]);
    assert_eq!(found("0%_w").await, ["Anna 100%_Weiß"]);
    assert!(
        found("%").await.len() == 1 && found("_").await.len() == 1 && found("\\").await.is_empty()
    );
    assert!(found("' OR 1=1 --").await.is_empty() && found("example.org").await.is_empty());
    let device = made[2].measurement_device.to_string();
    assert_eq!(found(&device[..13]).await, ["anna Zorn"]);
    assert_eq!(found(&made[0].household.to_string()).await, ["Ömer Özdemir"]);
}
