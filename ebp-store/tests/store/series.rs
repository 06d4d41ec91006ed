//! Kept days of energy series: late measurements remove those that they change, and nobody keeps
//! what was made of measurements that are not all.

use std::sync::Arc;

use ebp_core::contract::NewMeter;
use ebp_store::{HouseholdId, KeptDay, KeptSeries, NewDays, Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::story::{at, measurement, registration};

const DAY: i64 = 86_400_000_000;

/// The first midnight, microseconds since the Unix epoch.
fn start() -> i64 {
    at("2026-01-01T00:00:00Z").as_microsecond()
}

/// The instant so many days and hours behind it.
fn instant(days: i64, hours: i64) -> Timestamp {
    at("2026-01-01T00:00:00Z") + SignedDuration::from_hours(24 * days + hours)
}

/// Days that end so many days behind the first midnight; each was complete an hour later.
fn days(meter: i32, generation: i64, ends: std::ops::RangeInclusive<i64>) -> NewDays {
    let last = *ends.end();
    let day = |end: i64| KeptDay {
        starts: start() + (end - 1) * DAY,
        ends: start() + end * DAY,
        reach: start() + end * DAY + DAY / 24,
        day: format!("day {end}"),
        state: (end % 7 == 0).then(|| format!("state {end}")),
    };
    let state = Some((start() + last * DAY, format!("series at {last}")));
    NewDays { meter, generation, days: ends.map(day).collect(), state }
}

/// A household that consented then, and its first meter: number and identifier.
async fn household(store: &dyn Store, email: &str) -> (HouseholdId, i32, Uuid) {
    let made = store.register(registration(email), instant(0, 0)).await.unwrap();
    let id = HouseholdId(made.household);
    store.grant_consent(id, instant(0, 0)).await.unwrap();
    let meters = store.series_household(id).await.unwrap().meters;
    assert_eq!(meters.iter().map(|meter| meter.uuid).collect::<Vec<_>>(), made.meters);
    (id, meters[0].number, made.meters[0])
}

async fn kept(store: &dyn Store, id: HouseholdId) -> KeptSeries {
    store.series_household(id).await.unwrap().meters.remove(0).kept.unwrap()
}

/// The numbers of the kept days.
async fn numbers(store: &dyn Store, meter: i32) -> Vec<i64> {
    let days = store.kept_days(meter, i64::MIN, i64::MAX).await.unwrap();
    days.iter().map(|day| day.strip_prefix("day ").unwrap().parse().unwrap()).collect()
}

/// What is kept comes back, and late measurements remove exactly what they change.
pub async fn late_measurements(store: &dyn Store) {
    let (id, meter, uuid) = household(store, "erika@example.org").await;
    let (_, other, _) = household(store, "max@example.org").await;
    assert_eq!(store.series_household(id).await.unwrap().meters[0].kept, None);
    assert!(!store.keep_days(days(meter, 0, 1..=3)).await.unwrap(), "nothing was begun");
    let generation = store.begin_series(id, meter, "1 UTC").await.unwrap();
    assert_eq!(store.begin_series(id, meter, "1 UTC").await.unwrap(), generation);
    assert!(store.keep_days(days(meter, generation, 1..=10)).await.unwrap());
    // The same days once more, and some further ones; a gap is none.
    assert!(store.keep_days(days(meter, generation, 8..=20)).await.unwrap());
    assert!(!store.keep_days(days(meter, generation, 22..=23)).await.unwrap());
    assert!(store.keep_days(days(meter, generation, 2..=4)).await.unwrap());
    assert_eq!(numbers(store, meter).await, (1..=20).collect::<Vec<_>>());
    let last = kept(store, id).await;
    assert_eq!(last.last, Some((start() + 20 * DAY, "day 20".into())));
    assert_eq!(last.state, Some((start() + 20 * DAY, "series at 20".into())));
    let within = store.kept_days(meter, start() + 2 * DAY, start() + 4 * DAY).await.unwrap();
    assert_eq!(within, ["day 3", "day 4"]);
    let state = store.kept_state(meter, start() + 14 * DAY).await.unwrap();
    assert_eq!(state, Some((start() + 13 * DAY, "state 14".into())));
    assert_eq!(store.kept_state(meter, start()).await.unwrap(), None);

    // In time, though only just: 48 hours.
    let now = instant(22, 0);
    let item = measurement(1, uuid, instant(20, 0));
    store.insert_measurements(id, vec![item], now).await.unwrap();
    assert_eq!(kept(store, id).await, last);
    // Late: the day that ends at 15 and was complete at 15.04 is not changed by it.
    let late = [measurement(2, uuid, instant(18, 3)), measurement(3, uuid, instant(15, 1))];
    store.insert_measurements(id, late.to_vec(), now).await.unwrap();
    assert_eq!(numbers(store, meter).await, (1..=15).collect::<Vec<_>>());
    let after = kept(store, id).await;
    assert_eq!((after.state, after.generation > generation), (None, true));
    // Once more the same: nothing is stored, nothing has to be removed. One database may do so.
    store.insert_measurements(id, late.to_vec(), now).await.unwrap();
    assert_eq!(numbers(store, meter).await, (1..=15).collect::<Vec<_>>());
    // Whoever had read before does not keep what they made of it.
    assert!(!store.keep_days(days(meter, generation, 16..=18)).await.unwrap());
    let generation = kept(store, id).await.generation;
    assert!(store.keep_days(days(meter, generation, 16..=18)).await.unwrap());
    assert_eq!(store.series_generations(&[meter, other]).await.unwrap(), [(meter, generation)]);

    // Another time zone, or other rules.
    let generation = store.begin_series(id, meter, "2 UTC").await.unwrap();
    assert_eq!(numbers(store, meter).await, [0_i64; 0]);
    assert!(!store.keep_days(days(meter, after.generation, 1..=2)).await.unwrap());
    assert!(store.keep_days(days(meter, generation, 1..=2)).await.unwrap());
    let foreign = store.begin_series(id, other, "1 UTC").await;
    assert!(matches!(foreign, Err(StoreError::NotFound)));
    let places = store.series_places(0, 10).await.unwrap();
    let place = places.iter().find(|place| place.meter == meter).unwrap();
    assert_eq!((place.household, place.kept_to), (id, Some(start() + 2 * DAY)));
    assert_eq!(places.len(), 1, "the others were never measured");
    assert_eq!(store.series_places(meter, 10).await.unwrap(), []);
}

/// A revocation keeps what belongs to the meter, under the meter's new identifier; with the meter it
/// goes.
pub async fn revocation_and_removal(store: &dyn Store) {
    let (id, meter, uuid) = household(store, "erika@example.org").await;
    let item = measurement(1, uuid, instant(1, 0));
    store.insert_measurements(id, vec![item], instant(1, 1)).await.unwrap();
    let generation = store.begin_series(id, meter, "1 UTC").await.unwrap();
    assert!(store.keep_days(days(meter, generation, 1..=3)).await.unwrap());
    store.revoke_consent(id, instant(9, 0)).await.unwrap();
    let gone = store.series_household(id).await;
    assert!(matches!(gone, Err(StoreError::ConsentRevoked)));
    let released = HouseholdId(store.revoked_households().await.unwrap()[0].household);
    let after = store.series_household(released).await.unwrap();
    assert!(after.is_revoked);
    let still = after.meters.iter().find(|it| it.number == meter).unwrap();
    assert_ne!(still.uuid, uuid);
    assert_eq!(still.kept.as_ref().unwrap().last, Some((start() + 3 * DAY, "day 3".into())));

    let (id, _, _) = household(store, "max@example.org").await;
    let new = NewMeter {
        uuid: None,
        kind: ebp_core::model::MeterType::Electricity,
        model: "EHZ".into(),
        measurement_device: None,
        generation_register: None,
    };
    let added = store.add_meter(id, new).await.unwrap();
    let meters = store.series_household(id).await.unwrap().meters;
    let meter = meters.iter().find(|meter| meter.uuid == added).unwrap().number;
    let generation = store.begin_series(id, meter, "1 UTC").await.unwrap();
    assert!(store.keep_days(days(meter, generation, 1..=3)).await.unwrap());
    store.remove_meter(id, added).await.unwrap();
    assert_eq!(numbers(store, meter).await, [0_i64; 0]);
    assert_eq!(store.series_generations(&[meter]).await.unwrap(), []);
}

/// Two keep days while late measurements come by both: what is kept at the end was made of all of
/// them.
pub async fn at_once(stores: [Arc<dyn Store>; 2]) {
    let (id, meter, uuid) = household(&*stores[0], "erika@example.org").await;
    let now = instant(40, 0);
    let keep = |store: Arc<dyn Store>| async move {
        let mut kept = 0;
        for _ in 0..30 {
            let generation = store.begin_series(id, meter, "1 UTC").await.unwrap();
            // What is read: how many measurements there are. It is all that the days say.
            let page = ebp_store::PageQuery { from: None, to: None, after: None, limit: 1_000 };
            let count = store.measurements_page(id, uuid, page).await.unwrap().items.len();
            let mut new = days(meter, generation, 1..=3);
            for day in &mut new.days {
                day.day = count.to_string();
            }
            kept += usize::from(store.keep_days(new).await.unwrap());
        }
        kept
    };
    let upload = |store: Arc<dyn Store>, from: u128| async move {
        for number in from..from + 20 {
            let item = measurement(number, uuid, instant(0, 1));
            store.insert_measurements(id, vec![item], now).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let tasks = stores.clone().map(|store| tokio::spawn(keep(store)));
    let uploads =
        [tokio::spawn(upload(stores[0].clone(), 0)), tokio::spawn(upload(stores[1].clone(), 100))];
    let mut kept = 0;
    for upload in uploads {
        upload.await.unwrap();
    }
    for task in tasks {
        kept += task.await.unwrap();
    }
    assert!(kept > 0, "nobody came to keep anything");
    // Whoever was last may have been too late: then nothing is kept.
    let found = stores[0].kept_days(meter, i64::MIN, i64::MAX).await.unwrap();
    assert!(found.iter().all(|day| day == "40"), "{found:?}");
}
