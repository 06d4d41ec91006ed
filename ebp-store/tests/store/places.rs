//! Which place a measurement takes, in every store: its meter's slot, or its own identifier.

use ebp_core::{
    evaluation::Stretch,
    model::{Measurement, MeasurementIds},
};
use ebp_store::{HouseholdId, InsertOutcome, PageQuery, Refusal, Store};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::story::{at, measurement, registration};

/// A meter is measured once in a slot, whoever tells of it and whatever else comes with it.
pub async fn slots(store: &dyn Store) {
    let (start, now) = (at("2026-01-01T00:00:00Z"), at("2026-06-15T00:00:00Z"));
    let made = store.register(registration("erika@example.org"), start).await.unwrap();
    let house = HouseholdId(made.household);
    store.grant_consent(house, start).await.unwrap();
    let (meter, second) = (made.meters[0], made.meters[1]);
    let insert = async |items: &[&Measurement]| {
        let items = items.iter().map(|item| (*item).clone()).collect();
        store.insert_measurements(house, items, now).await.unwrap()
    };
    let refused = |refusal| InsertOutcome::Refused(refusal);
    let of = |meter, slot: &str, measured_at: &str| {
        let uuid = MeasurementIds::for_meter(meter).at(at(slot));
        measurement(uuid.as_u128(), meter, at(measured_at))
    };

    // The slot begins in one month, and the measurement is taken in the next.
    let first = of(meter, "2026-01-31T23:45:00Z", "2026-02-01T00:00:07.000001Z");
    let same_slot = of(second, "2026-01-31T23:45:00Z", "2026-01-31T23:45:07Z");
    // Another source, at the very time of the slot and at that of the measurement.
    let others = ["2026-01-31T23:45:00Z", "2026-02-01T00:00:07.000001Z"]
        .map(|time| measurement(Uuid::new_v4().as_u128(), meter, at(time)));
    let [early, late] = &others;
    let outcomes = insert(&[late, &first, &same_slot, early]).await;
    assert_eq!(outcomes, vec![InsertOutcome::Accepted; 4]);

    // Again: the same, with another value, and at another time of the slot.
    let mut dearer = first.clone();
    dearer.data[0].value = 1.into();
    let elsewhen = of(meter, "2026-01-31T23:45:00Z", "2026-01-31T23:45:07Z");
    let outcomes = insert(&[&dearer, &first, &elsewhen, early, &same_slot]).await;
    let (other, twice) = (|| refused(Refusal::OtherContent), || InsertOutcome::Duplicate);
    assert_eq!(outcomes, [other(), twice(), other(), twice(), twice()]);

    // Of two that come together the first is stored; a report does not hold up another's.
    let one = of(meter, "2026-03-01T00:00:00Z", "2026-03-01T00:00:01Z");
    let two = of(meter, "2026-03-01T00:00:00Z", "2026-03-01T00:00:02Z");
    assert_eq!(insert(&[&one, &two, &first]).await, [InsertOutcome::Accepted, other(), twice()]);

    // An identifier that says another meter or slot, or no whole second.
    let mut foreign = of(second, "2026-04-01T00:00:00Z", "2026-04-01T00:00:01Z");
    foreign.meter = meter;
    let before = of(meter, "2026-04-01T00:00:01Z", "2026-04-01T00:00:00Z");
    let a_day_after = of(meter, "2026-04-01T00:00:00Z", "2026-04-02T00:00:00Z");
    let last = of(meter, "2026-04-01T00:00:00Z", "2026-04-01T23:59:59.999999Z");
    let mut between = last.clone();
    between.uuid = Uuid::from_u128(between.uuid.as_u128() + (1 << 80));
    let outcomes = insert(&[&foreign, &before, &a_day_after, &between, &last]).await;
    let mut expected = vec![refused(Refusal::OtherSlot); 4];
    expected.push(InsertOutcome::Accepted);
    assert_eq!(outcomes, expected);

    let mut stored = [&first, early, late, &one, &last];
    stored.sort_by_key(|item| (item.measured_at, item.uuid));
    for limit in 1..=6 {
        let mut query = PageQuery { from: None, to: None, after: None, limit };
        let mut listed = Vec::new();
        loop {
            let page = store.measurements_page(house, meter, query).await.unwrap();
            listed.extend(page.items.into_iter().map(|item| (item.measured_at, item.uuid)));
            query.after = page.next;
            if page.next.is_none() {
                break;
            }
        }
        let stored: Vec<_> = stored.iter().map(|item| (item.measured_at, item.uuid)).collect();
        assert_eq!(listed, stored, "pages of {limit}");
    }
    // By the time of measuring, not by the slot.
    let microsecond = SignedDuration::from_micros(1);
    let (from, to) = (Some(first.measured_at), Some(first.measured_at + microsecond));
    let page = store.measurements_page(house, meter, PageQuery { from, to, after: None, limit: 9 });
    let mut both = [first.uuid, late.uuid];
    both.sort_unstable();
    let listed: Vec<_> = page.await.unwrap().items.into_iter().map(|item| item.uuid).collect();
    assert_eq!(listed, both);
    let meters = store.evaluated_meters().await.unwrap();
    let evaluated = meters.iter().find(|one| one.uuid == meter).unwrap();
    assert_eq!(evaluated.first, Some(early.measured_at));
    assert_eq!(evaluated.last.unwrap().measured_at, last.measured_at);
    let measured = Stretch { from: early.measured_at, to: now };
    let received = Stretch { from: now, to: now };
    let seen = store.observations(meter, measured, received).await.unwrap();
    let times: Vec<_> = seen.iter().map(|one| one.measured_at).collect();
    assert_eq!(times, stored.iter().map(|item| item.measured_at).collect::<Vec<_>>());
}
