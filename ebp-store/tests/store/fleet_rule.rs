//! The fleet's states as both databases list, sort and count them, beside the pure rule.

use ebp_core::{
    contract::{FleetDevice, FleetSort, FleetState},
    model::ConsentState,
};
use ebp_needs::needs;
use ebp_store::{FleetFacts, FleetQuery, FleetThresholds, Store};
use jiff::{SignedDuration, Timestamp};
use proptest::{
    prelude::*,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::{
    fleet::{CYCLES, all},
    postgres, sqlite,
    story::at,
};

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
            speaks_on: self.consent == 2 && self.meters % 2 == 0,
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
                 pending = ?14, version = ?15, certificate_end = ?16,
                 speaks_on = ?17
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
                micros(facts.certificate_end),
                facts.speaks_on
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
                 pending = {}, version = {version}, certificate_end = {},
                 speaks_on = {}
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
            instant(facts.certificate_end),
            facts.speaks_on
        ))
        .await
        .unwrap();
        devices.push((device, given));
    }
    agrees(&*store, &devices).await;
}
