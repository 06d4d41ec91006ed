//! A meter that is exchanged: its household's days through the API, before, on and after the day.

use std::ops::Range;

use ebp_core::{
    contract::{EnergySummary, paths},
    scope::Group,
};
use ebp_store::HouseholdId;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Api, Server, registration};

/// What a meter shows over these quarter hours since the first midnight: 0.1 kWh more each, from
/// `first` kWh at the first of them on; nothing is fed in.
fn read(meter: Uuid, first: i64, slots: Range<i64>) -> Vec<Value> {
    let start: Timestamp = "2026-02-28T23:00:00Z".parse().unwrap();
    let begin = slots.start;
    slots
        .map(|slot| {
            let tenths = first * 10 + slot - begin;
            let at = start + SignedDuration::from_secs(slot * 900 + 1);
            let shown = format!(
                "[{{\"0100010800ff\":{}.{}00}},{{\"0100020800ff\":0.000}}]",
                tenths / 10,
                tenths % 10
            );
            let data: Value = serde_json::from_str(&shown).unwrap();
            json!({"uuid": Uuid::new_v4(), "meter": meter, "measured_at": at, "data": data})
        })
        .collect()
}

async fn upload(api: &Api, items: &[Value]) {
    for some in items.chunks(1_000) {
        let answer = api.upload(some).ok().await;
        for item in answer["items"].as_array().unwrap() {
            assert_eq!(item["outcome"], "accepted", "{item}");
        }
    }
}

async fn summary(api: &Api, from: &str, to: &str) -> EnergySummary {
    let path = format!("{}?from={from}&to={to}", paths::SUMMARY);
    serde_json::from_value(api.get(&path).ok().await).unwrap()
}

#[tokio::test]
async fn an_exchanged_meter_leaves_a_gap_of_its_day() {
    let server = Server::start().await;
    let since = "2026-02-01T00:00:00Z".parse().unwrap();
    let mut body = serde_json::to_value(registration("erika@example.org")).unwrap();
    body["pv_systems"] = json!([]);
    body["meters"].as_array_mut().unwrap().truncate(1);
    let body = serde_json::from_value(body).unwrap();
    let made = server.store.register_further(body, since).await.unwrap();
    server.store.grant_consent(HouseholdId(made.household), since).await.unwrap();
    let api = server.device("erika@example.org", &made);
    // It is taken down at noon of the third day.
    upload(&api, &read(made.meters[0], 12_345, 0..2 * 96 + 48)).await;
    let household = format!("/management/household/{}", made.household);
    let researcher = server.manager(Group::Researchers);
    let new = json!({"type": "ELECTRICITY", "model": "EHZ",
                     "measurement_device": made.measurement_device});
    let path = format!("{household}/meter");
    let added = researcher.json(Method::POST, &path, &new).expect(StatusCode::CREATED).await;
    let second: Uuid = serde_json::from_value(added["uuid"].clone()).unwrap();
    let removed = json!({"removed_at": "2026-03-03T11:00:00Z"});
    researcher.json(Method::PATCH, &format!("{path}/{}", made.meters[0]), &removed).ok().await;
    // The new one begins an hour later, and at 0.
    upload(&api, &read(second, 0, 2 * 96 + 52..5 * 96 + 1)).await;

    // A whole day of 96 quarter hours of the one meter, and of the other.
    for day in ["2026-03-02", "2026-03-04"] {
        let next = day.parse::<jiff::civil::Date>().unwrap().tomorrow().unwrap().to_string();
        let found = summary(&api, day, &next).await;
        assert_eq!(found.import.unwrap().0.to_string(), "9.6", "{day}");
        assert!(found.complete, "{day}: {:?}", found.reasons);
    }
    // Over the exchange nothing is computed from one register to the other.
    let found = summary(&api, "2026-03-03", "2026-03-04").await;
    assert!(!found.complete, "{found:?}");
    assert!(found.import.is_none_or(|import| import.0 < "9.6".parse().unwrap()), "{found:?}");
    // What the old one is read after it was taken down is kept, and counts for nothing.
    upload(&api, &read(made.meters[0], 12_369, 3 * 96..3 * 96 + 4)).await;
    let again = summary(&api, "2026-03-04", "2026-03-05").await;
    assert_eq!(again.import.unwrap().0.to_string(), "9.6");
    let listed = paths::measurements_of(made.meters[0]);
    let listed = api.get(&format!("{listed}?limit=10000")).ok().await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 2 * 96 + 48 + 4);
}
