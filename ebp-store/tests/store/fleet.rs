//! The fleet in every store: the triggers that keep what states are judged by, the search, histories and
//! silences.

use ebp_core::{
    contract::{
        ClockState, DeviceStatus, FleetDevice, FleetSort, FleetState, MeterChange, MeterTelegrams,
        NewSilence, Notice, SpoolFigures,
    },
    cycle::Cycle,
    model::{ConsentState, Flag, IncidentType, device_host_name},
    scope::Scopes,
};
use ebp_store::{
    CertificateKind, Enrolment, FleetQuery, HouseholdId, NewCertificate, Origin, RegisterEntry,
    Serial, Store, StoreError, SurveyCycles,
};
use jiff::{SignedDuration, Timestamp, civil::date};
use uuid::Uuid;

use crate::story::{at, measurement, registration};

pub const CYCLES: SurveyCycles =
    SurveyCycles { measurement: Cycle::QUARTER_HOUR, report: Cycle::HOUR };

pub fn all() -> FleetQuery {
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
        host_keys: Vec::new(),
        errors: Vec::new(),
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
    let wrong_clocks = async |since| store.device_counts(minutes(since)).await.unwrap().clock_wrong;
    assert_eq!((wrong_clocks(169).await, wrong_clocks(170).await), (1, 0), "only active ones");
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
        administrator: None,
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

/// Names are found by any part of them, without regard to case; identifiers by their beginning, those
/// of devices by their end, too.
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
    assert_eq!(found(&device[24..]).await, ["anna Zorn"]);
    let name = device_host_name(made[2].measurement_device);
    assert!(found(&name).await.contains(&"anna Zorn".to_owned()));
    assert!(found("ebp-").await.is_empty());
    assert_eq!(found(&made[0].household.to_string()).await, ["Ömer Özdemir"]);
}
