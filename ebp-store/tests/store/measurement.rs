//! Measurements, in every store: whose an identifier is, and in which order they are listed.

use std::collections::HashSet;

use ebp_core::model::{Flag, Measurement, MeasurementIds};
use ebp_store::{HouseholdId, InsertOutcome, PageQuery, Refusal, Store};
use jiff::{SignedDuration, Timestamp};
use proptest::{
    prelude::*,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use uuid::Uuid;

use crate::story::{at, measurement, registration};

/// Whose uuid a measurement has, and what else: the identifier counts over all months, meters and
/// households.
pub async fn identifiers(store: &dyn Store) {
    let (start, now) = (at("2026-01-01T00:00:00Z"), at("2026-06-15T00:00:00Z"));
    let mut households = Vec::new();
    for email in ["erika@example.org", "max@example.org"] {
        let made = store.register(registration(email), start).await.unwrap();
        store.grant_consent(HouseholdId(made.household), start).await.unwrap();
        households.push(made);
    }
    let [erika, max] = &households[..] else { panic!() };
    let (house, meter) = (HouseholdId(erika.household), erika.meters[0]);
    let insert = async |household, items: Vec<Measurement>| {
        store.insert_measurements(household, items, now).await.unwrap()
    };
    let other = || InsertOutcome::Refused(Refusal::OtherContent);
    let january = measurement(1, meter, at("2026-01-31T23:59:59.999999Z"));
    let february = measurement(2, meter, at("2026-02-01T00:00:00Z"));
    let outcomes = insert(house, vec![january.clone(), february.clone()]).await;
    assert_eq!(outcomes, [InsertOutcome::Accepted, InsertOutcome::Accepted]);

    let mut later = january.clone();
    later.measured_at = at("2026-05-01T00:00:00Z");
    let mut dearer = january.clone();
    dearer.data[0].value = 1.into();
    let mut another = january.clone();
    another.meter = erika.meters[1];
    let refused = vec![later.clone(), dearer.clone(), another, january.clone()];
    let outcomes = insert(house, refused).await;
    assert_eq!(outcomes, [other(), other(), other(), InsertOutcome::Duplicate]);
    let foreign = measurement(1, max.meters[0], january.measured_at);
    assert_eq!(insert(HouseholdId(max.household), vec![foreign]).await, [other()]);

    // Below a microsecond nothing is told apart, and an equal number is the same one.
    let mut finer = january.clone();
    finer.measured_at += SignedDuration::from_nanos(900);
    finer.data[0].value = "12345.67890".parse().unwrap();
    assert_eq!(insert(house, vec![finer]).await, [InsertOutcome::Duplicate]);

    // Within one upload the first that may be stored is.
    let mut fresh = measurement(3, meter, now);
    fresh.flags = vec![Flag::ClockCorrected, Flag::RegisterRanBackwards];
    let mut differs = fresh.clone();
    differs.data[0].value = 2.into();
    let mut early = fresh.clone();
    early.measured_at = start - SignedDuration::from_secs(1);
    let items = vec![early, fresh.clone(), fresh.clone(), differs];
    let expected = [
        InsertOutcome::Refused(Refusal::BeforeConsent),
        InsertOutcome::Accepted,
        InsertOutcome::Duplicate,
        other(),
    ];
    assert_eq!(insert(house, items).await, expected);
    assert_eq!(insert(house, Vec::new()).await, []);

    let all = PageQuery { from: None, to: None, after: None, limit: 10 };
    let page = store.measurements_page(house, meter, all).await.unwrap();
    let listed: Vec<_> = page.items.iter().map(|item| item.uuid.as_u128()).collect();
    assert_eq!(listed, [1, 2, 3]);
    // Flags are content, told in one order.
    assert_eq!(page.items[2].flags, [Flag::RegisterRanBackwards, Flag::ClockCorrected]);
    assert!(page.items[1].flags.is_empty());
    let mut unflagged = fresh.clone();
    unflagged.flags.pop();
    assert_eq!(insert(house, vec![unflagged]).await, [other()]);
    let (from, to) = (Some(february.measured_at), Some(fresh.measured_at));
    let page = store.measurements_page(house, meter, PageQuery { from, to, ..all }).await.unwrap();
    assert_eq!(page.items.iter().map(|item| item.uuid.as_u128()).collect::<Vec<_>>(), [2]);
    // The calendar's ends are times like any other.
    let (from, to) = (Some(Timestamp::MIN), Some(Timestamp::MAX));
    let page = store.measurements_page(house, meter, PageQuery { from, to, ..all }).await.unwrap();
    assert_eq!(page.items.len(), 3);
}

/// [`walk`] over cases as they come.
pub async fn walks(store: &dyn Store) {
    let strategy = (prop::collection::vec((0..12_u8, 0..6_u8), 0..40), 1..9_usize);
    let mut runner = TestRunner::deterministic();
    for _ in 0..48 {
        let (times, limit) = strategy.new_tree(&mut runner).unwrap().current();
        walk(store, &times, limit).await;
    }
}

/// Whatever the times and the size of the pages, walking them gives each measurement once, in
/// order: those of slots that began some seconds before, and those of identifiers of their own.
async fn walk(store: &dyn Store, times: &[(u8, u8)], limit: usize) {
    let start = at("2026-01-01T00:00:00Z");
    let made = store.register(registration(&format!("{}@x", Uuid::new_v4())), start).await.unwrap();
    let household = HouseholdId(made.household);
    store.grant_consent(household, start).await.unwrap();
    let meter = made.meters[0];
    let (ids, mut slots) = (MeasurementIds::for_meter(meter), HashSet::new());
    let items: Vec<_> = times
        .iter()
        .filter_map(|(seconds, since)| {
            let measured_at = start + SignedDuration::from_secs(i64::from(*seconds));
            let slot = measured_at - SignedDuration::from_secs(i64::from(*since));
            let uuid = if *since == 5 { Uuid::new_v4() } else { ids.at(slot) };
            let free = *since == 5 || slots.insert(slot);
            free.then(|| measurement(uuid.as_u128(), meter, measured_at))
        })
        .collect();
    store.insert_measurements(household, items.clone(), at("2026-01-02T00:00:00Z")).await.unwrap();
    let mut expected: Vec<_> = items.iter().map(|item| (item.measured_at, item.uuid)).collect();
    expected.sort_unstable();
    let mut query = PageQuery { from: None, to: None, after: None, limit };
    let mut walked = Vec::new();
    loop {
        let page = store.measurements_page(household, meter, query).await.unwrap();
        assert!(page.items.len() <= limit);
        walked.extend(page.items.iter().map(|item| (item.measured_at, item.uuid)));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
        assert_eq!(page.items.len(), limit);
    }
    assert_eq!(walked, expected);
}
