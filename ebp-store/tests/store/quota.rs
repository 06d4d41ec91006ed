//! How many measurements of a meter a store takes in.

use std::sync::Arc;

use ebp_core::{
    cycle::Cycle,
    model::{Measurement, MeasurementIds},
};
use ebp_store::{HouseholdId, InsertOutcome, Quota, Refusal, Source, Store};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::story::{at, measurement, registration};

const GRANTED: &str = "2026-01-01T00:00:00Z";
/// Ten days later: 961 slots, and a tenth more.
const NOW: &str = "2026-01-11T00:00:00Z";
const MOST: usize = 1058;

struct World<'a> {
    store: &'a dyn Store,
    household: HouseholdId,
    meters: Vec<Uuid>,
}

impl<'a> World<'a> {
    async fn new(store: &'a dyn Store, quota: Quota) -> Self {
        store.limit_measurements(quota);
        let made = store.register(registration("erika@example.org"), at(GRANTED)).await.unwrap();
        let household = HouseholdId(made.household);
        store.grant_consent(household, at(GRANTED)).await.unwrap();
        Self { store, household, meters: made.meters }
    }

    /// So many were accepted; all others are beyond the quota.
    async fn accepted(&self, source: Source, items: Vec<Measurement>, now: Timestamp) -> usize {
        let sent = items.len();
        let outcomes = self.store.insert_measurements_of(source, self.household, items, now);
        let outcomes = outcomes.await.unwrap();
        let count = |wanted| outcomes.iter().filter(|outcome| **outcome == wanted).count();
        let accepted = count(InsertOutcome::Accepted);
        assert_eq!(accepted + count(InsertOutcome::Refused(Refusal::QuotaUsedUp)), sent);
        accepted
    }
}

/// Of identifiers of their own, from that number on.
fn others(meter: Uuid, numbers: std::ops::Range<u128>) -> Vec<Measurement> {
    let second = |i: u128| SignedDuration::from_secs(i64::try_from(i % 800_000).unwrap());
    numbers.map(|i| measurement(i + 1, meter, at(GRANTED) + second(i))).collect()
}

/// One in each slot of that cycle.
fn slots(meter: Uuid, cycle: Cycle, first: usize, count: usize) -> Vec<Measurement> {
    let ids = MeasurementIds::for_meter(meter);
    let length = SignedDuration::try_from(cycle.duration()).unwrap();
    let of = |i: usize| {
        let start = at(GRANTED) + length * i32::try_from(i).unwrap();
        Measurement { uuid: ids.id(cycle.slot(start)), ..measurement(1, meter, start) }
    };
    (first..first + count).map(of).collect()
}

/// Slots since consent and a tenth, whatever they are filled with; a device that keeps to the cycle
/// is never refused.
pub async fn of_each_meter(store: &dyn Store) {
    let quarter = Cycle::QUARTER_HOUR;
    let world = World::new(store, Quota { tokens: Cycle::HOUR, ..Quota::for_cycle(quarter) }).await;
    let (one, other) = (world.meters[0], world.meters[1]);
    let (device, now) = (Source::Device, at(NOW));
    assert_eq!(world.accepted(device, others(one, 0..900), now).await, 900);
    assert_eq!(world.accepted(device, others(one, 900..1_500), now).await, MOST - 900);
    assert_eq!(world.accepted(device, others(one, 1_500..1_600), now).await, 0);
    // What was stored is confirmed nevertheless, and nothing else with its identifier.
    let mut again = others(one, 0..2);
    again[1].measured_at += SignedDuration::from_secs(1);
    let outcomes = store.insert_measurements(world.household, again, now).await.unwrap();
    assert_eq!(outcomes, [InsertOutcome::Duplicate, InsertOutcome::Refused(Refusal::OtherContent)]);
    // Slots of the cycle, weeks of them at once, and in a mixed report.
    assert_eq!(world.accepted(device, slots(one, quarter, 0, 950), now).await, 950);
    let mixed = [slots(one, quarter, 950, 11), others(one, 2_000..2_005)].concat();
    assert_eq!(world.accepted(device, mixed, now).await, 11);
    // Slots of another cycle, and those that were there count.
    assert_eq!(world.accepted(device, slots(other, quarter, 0, 900), now).await, 900);
    let minutes = slots(other, "1m".parse().unwrap(), 1, 14);
    assert_eq!(world.accepted(device, minutes, now).await, 14);
    assert_eq!(world.accepted(device, others(other, 3_000..3_500), now).await, MOST - 914);
    // Tokens have their own: 241 hours and a tenth, beside all of these.
    let token = Source::Token;
    assert_eq!(world.accepted(token, others(other, 4_000..4_500), now).await, 266);
    assert_eq!(world.accepted(token, others(other, 4_500..4_600), now).await, 0);
    // Time brings room.
    let later = now + SignedDuration::from_hours(240);
    assert_eq!(world.accepted(token, others(other, 5_000..5_500), later).await, 264);
    assert_eq!(world.accepted(device, others(other, 6_000..7_100), later).await, 1_056);
}

/// Many at once, over as many connections as there are, store no more than one after the other.
pub async fn at_once(stores: [Arc<dyn Store>; 2]) {
    let world = World::new(&*stores[0], Quota::for_cycle(Cycle::QUARTER_HOUR)).await;
    stores[1].limit_measurements(Quota::for_cycle(Cycle::QUARTER_HOUR));
    let (household, meter) = (world.household, world.meters[0]);
    let tasks = (0..20_u128).map(|i| {
        let store = stores[i as usize % 2].clone();
        let items = others(meter, i * 100..i * 100 + 100);
        tokio::spawn(async move { store.insert_measurements(household, items, at(NOW)).await })
    });
    let mut accepted = 0;
    for task in tasks.collect::<Vec<_>>() {
        let outcomes = task.await.unwrap().unwrap();
        accepted += outcomes.iter().filter(|outcome| **outcome == InsertOutcome::Accepted).count();
    }
    assert_eq!(accepted, MOST);
}
