//! Groups of errors of devices, in every store.

use ebp_core::contract::{DeviceStatus, ReportedErrorGroup};
use ebp_store::{AlertThresholds, HouseholdId, Store};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::story::{at, registration};

const START: &str = "2026-01-01T00:00:00Z";
const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn hours(hours: i32) -> Timestamp {
    at(START) + HOUR * hours
}

fn group(number: u32, count: u64, first: i32, last: i32) -> ReportedErrorGroup {
    ReportedErrorGroup {
        fingerprint: format!("{number:012x}"),
        component: "sending".to_owned(),
        types: vec!["SpoolError::Full".to_owned(), "io::Error::StorageFull".to_owned()],
        place: format!("ebp-cli/src/main.rs:{number}"),
        count,
        first_seen: hours(first),
        last_seen: hours(last),
    }
}

fn status(version: &str, errors: Vec<ReportedErrorGroup>) -> DeviceStatus {
    let components = [("transmitter".to_owned(), version.to_owned())].into();
    DeviceStatus { components, errors, ..DeviceStatus::default() }
}

async fn device(store: &dyn Store, email: &str) -> (HouseholdId, Uuid) {
    let made = store.register(registration(email), at(START)).await.unwrap();
    let household = HouseholdId(made.household);
    store.grant_consent(household, at(START)).await.unwrap();
    (household, made.measurement_device)
}

/// Which devices were the first to report an error of the last day.
async fn in_trouble(store: &dyn Store, hour: i32) -> Vec<(Uuid, Timestamp)> {
    let off = AlertThresholds {
        silent: None,
        late: None,
        incident: None,
        certificate: None,
        damaged_percent: None,
        ..AlertThresholds::default()
    };
    let facts = store.alert_facts(off, hours(hour)).await.unwrap();
    facts.iter().filter_map(|facts| Some((facts.device, facts.new_error?))).collect()
}

/// Devices' groups become one list, and whose household revokes leaves it; who was first is known until
/// then.
pub async fn of_all_devices_together(store: &dyn Store) {
    assert_eq!(store.error_groups(10).await.unwrap(), []);
    let (household, first) = device(store, "first@example.org").await;
    let (_, second) = device(store, "second@example.org").await;
    let told = vec![group(1, 5, 1, 4), group(2, 1, 2, 2)];
    store.report_status(first, status("1.0.0", told), hours(5)).await.unwrap();
    // By a clock that is ahead.
    let told = vec![group(1, 7, 3, 99), group(3, 1, 50, 60)];
    store.report_status(second, status("2.0.0", told), hours(6)).await.unwrap();

    let all = store.error_groups(10).await.unwrap();
    let seen =
        all.iter().map(|it| (&*it.fingerprint, it.devices, it.count, it.first_seen, it.last_seen));
    let expected = [
        ("000000000001", 2, 12, hours(1), hours(6)),
        ("000000000003", 1, 1, hours(6), hours(6)),
        ("000000000002", 1, 1, hours(2), hours(2)),
    ];
    assert_eq!(seen.collect::<Vec<_>>(), expected);
    assert_eq!(all[0].types, ["SpoolError::Full", "io::Error::StorageFull"]);
    assert_eq!((&*all[0].place, &*all[0].component), ("ebp-cli/src/main.rs:1", "sending"));
    assert_eq!((all[0].known_at, all[1].known_at), (hours(5), hours(6)));
    let versions: Vec<_> = all[0].versions.iter().map(|it| (&*it.version, it.devices)).collect();
    assert_eq!(versions, [("1.0.0", 1), ("2.0.0", 1)]);
    assert_eq!(store.error_groups(1).await.unwrap(), all[..1]);
    assert_eq!(store.alert_counts().await.unwrap().error_groups, 3);

    // The second device has one of its own; the other was known.
    let mut both = vec![(first, hours(5)), (second, hours(6))];
    both.sort_unstable();
    assert_eq!(in_trouble(store, 7).await, both);
    assert_eq!(in_trouble(store, 29).await, [(second, hours(6))], "for a day");
    assert_eq!(in_trouble(store, 30).await, []);

    // A status takes the place of the one before; one without groups has none.
    let told = vec![group(1, 9, 1, 7)];
    store.report_status(first, status("1.1.0", told), hours(8)).await.unwrap();
    let all = store.error_groups(10).await.unwrap();
    assert_eq!((all.len(), all[0].count, all[0].known_at), (2, 16, hours(5)));
    store.report_status(second, status("2.0.0", Vec::new()), hours(9)).await.unwrap();
    let all = store.error_groups(10).await.unwrap();
    assert_eq!((all.len(), all[0].count, all[0].devices), (1, 9, 1));
    // What comes back is known.
    let told = vec![group(2, 1, 9, 9)];
    store.report_status(second, status("2.0.0", told), hours(40)).await.unwrap();
    assert_eq!(in_trouble(store, 41).await, []);

    // The first one's household revokes within the day: its device was the first, and is named no more.
    let told = vec![group(1, 9, 1, 7), group(4, 1, 41, 41)];
    store.report_status(first, status("1.1.0", told), hours(42)).await.unwrap();
    assert_eq!(in_trouble(store, 43).await, [(first, hours(42))]);
    store.revoke_consent(household, hours(43)).await.unwrap();
    assert_eq!(in_trouble(store, 44).await, []);
    let all = store.error_groups(10).await.unwrap();
    let left: Vec<_> = all.iter().map(|it| &*it.fingerprint).collect();
    assert_eq!(left, ["000000000002"]);
    // To others its group is known.
    let told = vec![group(4, 1, 45, 45)];
    store.report_status(second, status("2.0.0", told), hours(45)).await.unwrap();
    assert_eq!(in_trouble(store, 46).await, []);
    assert_eq!(store.error_groups(10).await.unwrap()[0].known_at, hours(42));

    // What no device reports any more is forgotten in the end.
    assert_eq!(store.alert_counts().await.unwrap().error_groups, 4);
    store.expire_alerts(hours(401 * 24 + 50)).await.unwrap();
    assert_eq!(store.alert_counts().await.unwrap().error_groups, 1);
    assert_eq!(store.error_groups(10).await.unwrap().len(), 1);
}
