//! What evaluations read of a store.

use ebp_core::{
    contract::Registered,
    evaluation::{Observation, Stretch},
};
use ebp_server::store::{EvaluatedMeter, HouseholdId, Store};
use jiff::{SignedDuration, Timestamp};

use crate::story::{at, measurement, registration};

/// Instants of measuring and receiving come back as they were, meter by meter; so do withheld
/// households, and meters without measurements.
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
    let expected = |revoked: Option<Timestamp>| -> Vec<EvaluatedMeter> {
        let of = |(number, made): (usize, &Registered)| {
            let revoked_at = revoked.filter(|_| number == 0);
            let meter = EvaluatedMeter {
                uuid: made.meters[0],
                model: "EHZ".into(),
                household: HouseholdId(made.household),
                withheld: revoked_at.is_some(),
                granted_at: Some(start + SignedDuration::from_secs(number as i64)),
                revoked_at,
                first: Some(hour(1)),
                last: Some(Observation { measured_at: hour(60), received_at: received }),
            };
            let never = EvaluatedMeter {
                uuid: made.meters[1],
                model: "MT681".into(),
                first: None,
                last: None,
                ..meter.clone()
            };
            [meter, never]
        };
        households.iter().enumerate().flat_map(of).collect()
    };
    assert_eq!(meters, expected(None));
    let meter = households[1].meters[0];
    let observation = |h| Observation { measured_at: hour(h), received_at: received };
    let (all, none) = (stretch(hour(0), hour(200)), stretch(hour(0), hour(0)));
    let seen =
        async |measured, received| store.observations(meter, measured, received).await.unwrap();
    assert_eq!(seen(all, none).await, [observation(1), observation(30), observation(60)]);
    // The window's end is not part of it.
    assert_eq!(seen(stretch(hour(30), hour(60)), none).await, [observation(30)]);
    assert_eq!(seen(none, stretch(hour(0), received)).await, []);
    // What came in it counts, however long before it was measured, and once.
    let report = stretch(received, hour(101));
    assert_eq!(seen(none, report).await.len(), 3);
    assert_eq!(seen(stretch(hour(30), hour(60)), report).await.len(), 3);

    let revoked = hour(101);
    store.revoke_consent(HouseholdId(households[0].household), revoked).await.unwrap();
    assert_eq!(store.evaluated_meters().await.unwrap(), expected(Some(revoked)));
}

const fn stretch(from: Timestamp, to: Timestamp) -> Stretch {
    Stretch { from, to }
}
