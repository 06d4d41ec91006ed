//! Both stores answer alike, whatever they are sent.

use ebp_core::model::Measurement;
use ebp_needs::needs;
use ebp_store::{HouseholdId, InsertOutcome, PageQuery, Store};
use jiff::SignedDuration;
use proptest::{
    prelude::*,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use uuid::Uuid;

use crate::{
    postgres,
    sqlite::Fresh,
    story::{at, measurement, registration},
};

/// What a sender may vary: uuid, meter (of another household, too), hours from consent, value.
type Sent = (u8, usize, i16, u8);

async fn upload(store: &dyn Store, case: u128, uploads: &[Vec<Sent>]) -> Vec<Vec<InsertOutcome>> {
    let start = at("2026-01-30T00:00:00Z");
    let mut meters = Vec::new();
    let mut households = Vec::new();
    for i in 0..2 {
        let mut registration = registration(&format!("p{i}-{case}@example.org"));
        for (place, meter) in (0..).zip(&mut registration.meters) {
            meter.uuid = Some(Uuid::from_u128(case << 32 | i << 8 | place));
        }
        let made = store.register(registration, start).await.unwrap();
        households.push(HouseholdId(made.household));
        meters.extend(made.meters);
        store.grant_consent(HouseholdId(made.household), start).await.unwrap();
    }
    let mut answers = Vec::new();
    for (i, upload) in uploads.iter().enumerate() {
        let item = |&(uuid, meter, hours, value): &Sent| {
            let measured_at = start + SignedDuration::from_hours(hours.into());
            let uuid = case << 32 | u128::from(uuid);
            let mut item: Measurement = measurement(uuid, meters[meter], measured_at);
            item.data[0].value = value.into();
            item
        };
        let items = upload.iter().map(item).collect();
        let now = start + SignedDuration::from_hours(100);
        answers.push(store.insert_measurements(households[i % 2], items, now).await.unwrap());
    }
    let all = PageQuery { from: None, to: None, after: None, limit: 1000 };
    for (meter, household) in meters.iter().zip([0, 0, 1, 1]) {
        let page = store.measurements_page(households[household], *meter, all).await.unwrap();
        let accepted = answers.iter().flatten().filter(|o| **o == InsertOutcome::Accepted).count();
        assert!(page.items.len() <= accepted);
    }
    answers
}

#[needs(postgresql)]
#[tokio::test]
async fn answers_of_both() {
    let postgres = postgres::Fresh::new().await;
    let (postgres, sqlite) = (postgres.open().await, Fresh::new().await);
    let sqlite = sqlite.open().await;
    let sent = (0..6_u8, 0..4_usize, prop_oneof![Just(-1_i16), 0..99_i16, Just(200)], 0..2_u8);
    let uploads = prop::collection::vec(prop::collection::vec(sent, 0..12), 1..8);
    let mut runner = TestRunner::deterministic();
    for case in 1..40 {
        let uploads = uploads.new_tree(&mut runner).unwrap().current();
        let answers = upload(&*postgres, case, &uploads).await;
        assert_eq!(answers, upload(&*sqlite, case, &uploads).await, "{uploads:?}");
    }
}
