//! What evaluations read of a store.

use ebp_core::evaluation::Observation;
use ebp_server::store::{EvaluatedMeter, HouseholdId, Store};
use jiff::SignedDuration;

use crate::story::{at, measurement, registration};

/// Instants of measuring and receiving come back as they were, meter by meter; withheld households
/// and meters without measurements do not.
pub async fn instants(store: &dyn Store) {
    let start = at("2026-01-30T00:00:00Z");
    let mut households = Vec::new();
    for (number, email) in ["first@example.org", "second@example.org"].into_iter().enumerate() {
        let since = start + SignedDuration::from_secs(number as i64);
        let made = store.register(registration(email), since).await.unwrap();
        store.grant_consent(HouseholdId(made.household), since).await.unwrap();
        households.push(made);
    }
    // Over the end of a month, and not in the order of time.
    let hour = |hour: i64| start + SignedDuration::from_hours(hour);
    let received = hour(100) + SignedDuration::from_micros(7);
    for (number, made) in households.iter().enumerate() {
        let items = [60, 1, 30]
            .map(|h| measurement((number * 100) as u128 + h as u128, made.meters[0], hour(h)));
        store
            .insert_measurements(HouseholdId(made.household), items.to_vec(), received)
            .await
            .unwrap();
    }
    let meters = store.evaluated_meters().await.unwrap();
    let expected: Vec<_> = households
        .iter()
        .map(|made| EvaluatedMeter {
            uuid: made.meters[0],
            model: meters[0].model.clone(),
            first: hour(1),
            last: hour(60),
        })
        .collect();
    assert_eq!(meters, expected);
    let meter = households[1].meters[0];
    let observation = |h| Observation { measured_at: hour(h), received_at: received };
    let all = store.observations(meter, hour(0), hour(200)).await.unwrap();
    assert_eq!(all, [observation(1), observation(30), observation(60)]);
    // The window's end is not part of it.
    let some = store.observations(meter, hour(30), hour(60)).await.unwrap();
    assert_eq!(some, [observation(30)]);

    store.revoke_consent(HouseholdId(households[0].household), hour(101)).await.unwrap();
    assert_eq!(store.evaluated_meters().await.unwrap(), expected[1..]);
}
