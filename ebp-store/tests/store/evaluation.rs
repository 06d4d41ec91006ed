//! What evaluations read of a store.

use ebp_core::{
    contract::{MeterChange, Registered},
    evaluation::{Observation, Stretch},
    model::MeasurementIds,
};
use ebp_store::{EvaluatedMeter, HouseholdId, Store};
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
    let expected: Vec<EvaluatedMeter> = {
        let of = |(number, made): (usize, &Registered)| {
            let meter = EvaluatedMeter {
                uuid: made.meters[0],
                model: "EHZ".into(),
                household: HouseholdId(made.household),
                withheld: false,
                granted_at: Some(start + SignedDuration::from_secs(number as i64)),
                revoked_at: None,
                removed_at: None,
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
    assert_eq!(meters, expected);
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

    // Nothing is expected of a meter that was taken down, and a revocation forgets when.
    let id = HouseholdId(households[0].household);
    let removed = MeterChange { removed_at: Some(Some(hour(61))), ..MeterChange::default() };
    store.change_meter(id, households[0].meters[0], removed).await.unwrap();
    let meters = store.evaluated_meters().await.unwrap();
    assert_eq!(meters[0].removed_at, Some(hour(61)));
    assert_eq!(meters[0].allowed(), stretch(start, hour(61)));
    assert_eq!(meters[1].allowed().to, Timestamp::MAX);

    let revoked = hour(101);
    store.revoke_consent(HouseholdId(households[0].household), revoked).await.unwrap();
    let (released, others): (Vec<_>, Vec<_>) =
        store.evaluated_meters().await.unwrap().into_iter().partition(|meter| meter.withheld);
    assert_eq!(others, expected[2..]);
    // Under other identifiers, with the months of consent, and counted until the last measurement.
    assert_eq!(released.len(), 2);
    for meter in &released {
        let before = expected.iter().find(|before| before.model == meter.model).unwrap();
        assert_ne!((meter.uuid, meter.household), (before.uuid, before.household));
        assert_eq!((meter.first, meter.last), (before.first, before.last));
        assert_eq!(meter.removed_at, None);
        let months = [meter.granted_at, meter.revoked_at].map(Option::unwrap);
        assert_eq!(months, ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"].map(at));
        let counted =
            meter.last.map_or(months[0], |last| last.measured_at + SignedDuration::from_micros(1));
        assert_eq!(meter.allowed(), stretch(months[0], counted));
    }
}

/// What was measured after a meter was removed is neither its first nor its last measurement.
pub async fn removal(store: &dyn Store) {
    let start = at("2026-03-10T00:00:00Z");
    let made = store.register(registration("removed@example.org"), start).await.unwrap();
    let household = HouseholdId(made.household);
    store.grant_consent(household, start).await.unwrap();
    let (one, other) = (made.meters[0], made.meters[1]);
    let hour = |hour: i64| start + SignedDuration::from_hours(hour);
    // Once a day, late within its slot, and beside these some that take no slot.
    let ids = MeasurementIds::for_meter(one);
    let daily = [(0, 10), (24, 44), (48, 68)]
        .map(|(slot, at)| measurement(ids.at(hour(slot)).as_u128(), one, hour(at)));
    let others = [45, 70].map(|h| measurement(h as u128, one, hour(h)));
    let late = measurement(1, other, hour(60));
    let items = daily.into_iter().chain(others).chain([late]).collect();
    let received = hour(71);
    store.insert_measurements(household, items, received).await.unwrap();
    let measured_at = |h| Some(Observation { measured_at: hour(h), received_at: received });
    for (removed_at, first, last) in [
        (None, Some(hour(10)), measured_at(70)),
        (Some(hour(70)), Some(hour(10)), measured_at(68)),
        (Some(hour(68)), Some(hour(10)), measured_at(45)),
        (Some(hour(49)), Some(hour(10)), measured_at(45)),
        (Some(hour(45)), Some(hour(10)), measured_at(44)),
        // The slot before has begun a whole day before.
        (Some(hour(44)), Some(hour(10)), measured_at(10)),
        (Some(hour(10)), None, None),
        (Some(hour(1)), None, None),
    ] {
        for meter in [one, other] {
            let change = MeterChange { removed_at: Some(removed_at), ..MeterChange::default() };
            store.change_meter(household, meter, change).await.unwrap();
        }
        let meters = store.evaluated_meters().await.unwrap();
        let of = |uuid| meters.iter().find(|meter| meter.uuid == uuid).unwrap();
        assert_eq!((of(one).first, of(one).last), (first, last), "{removed_at:?}");
        let late = removed_at.is_none_or(|removed| removed > hour(60)).then(|| hour(60));
        assert_eq!(of(other).first, late, "{removed_at:?}");
        assert_eq!(of(other).last.map(|last| last.measured_at), late, "{removed_at:?}");
    }
}

const fn stretch(from: Timestamp, to: Timestamp) -> Stretch {
    Stretch { from, to }
}
