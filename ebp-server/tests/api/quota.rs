//! How many measurements of a meter a server takes in, and how it says so.

use ebp_core::{
    clock::Clock,
    contract::{paths, problem_type},
    cycle::Cycle,
    model::MeasurementIds,
};
use ebp_server::Limits;
use ebp_store::Quota;
use jiff::SignedDuration;
use reqwest::StatusCode;

use crate::{
    harness::{Server, measurement},
    token::{Issuer, bearer, claims},
};

const QUOTA: Quota = Quota { tokens: Cycle::HOUR, ..Quota::for_cycle(Cycle::QUARTER_HOUR) };

/// So many were accepted of an upload of so many; the others are put off, and said to be.
fn accepted(answer: &serde_json::Value, sent: usize) -> usize {
    let items = answer["items"].as_array().unwrap();
    let count = |outcome: &str| items.iter().filter(|item| item["outcome"] == outcome).count();
    assert_eq!((items.len(), count("accepted") + count("deferred")), (sent, sent), "{answer}");
    let deferred = items.iter().find(|item| item["outcome"] == "deferred").unwrap();
    let reason = "its meter has as many measurements as it may have by now";
    assert_eq!(deferred["reason"], reason);
    count("accepted")
}

#[tokio::test]
async fn a_device_cannot_fill_the_database() {
    let server = Server::with_quota(Limits::default(), Some(QUOTA)).await;
    let (registered, _) = server.consenting("erika@example.org").await;
    let meter = registered.meters[0];
    let begun = server.clock.now();
    server.clock.advance(10 * 86_400);
    let api = server.device("erika@example.org", &registered);
    let later = |i: i64| begun + SignedDuration::from_secs(i);
    let others = |numbers: std::ops::Range<u128>| -> Vec<_> {
        numbers.map(|i| measurement(i + 1, meter, later(i as i64))).collect()
    };
    // The slot of consent, those behind it, and a tenth. Consent is stamped by the database's clock, which
    // may be in the slot before the server's: 960 or 961 behind it.
    let consent = api.get(paths::CONSENT).ok().await;
    let granted: jiff::Timestamp = consent["granted_at"].as_str().unwrap().parse().unwrap();
    let slot = |at| Cycle::QUARTER_HOUR.slot(at).start().as_second() / 900;
    let behind = usize::try_from(slot(server.clock.now()) - slot(granted)).unwrap();
    assert!((960..=961).contains(&behind), "{behind}");
    let most = 1 + behind + (1 + behind).div_ceil(10);
    assert_eq!(accepted(&api.upload(&others(0..5_000)).ok().await, 5_000), most);
    let response = api.upload(&others(5_000..5_100)).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=900).contains(&wait), "{wait}");
    api.upload(&others(5_000..5_100)).problem(429, problem_type::QUOTA).await;
    // Whoever keeps to the survey's cycle is not concerned.
    let ids = MeasurementIds::for_meter(meter);
    let slot = |i: i64| {
        let slot = Cycle::QUARTER_HOUR.slot(later(900 * i));
        let mut item = measurement(1, meter, slot.start().max(begun));
        item["uuid"] = serde_json::json!(ids.id(slot));
        item
    };
    let answer = api.upload(&(0..960).map(slot).collect::<Vec<_>>()).ok().await;
    let items = answer["items"].as_array().unwrap();
    assert!(items.iter().all(|item| item["outcome"] == "accepted"), "{answer}");
    // Tokens have a quota of their own: 240 or 241 hours, and a tenth.
    let issuer = Issuer::new("EdDSA");
    Issuer::publish(&[&issuer], server.data());
    let scope = "measurement-write";
    let token = issuer.token(&claims(&server, "erika@example.org", scope));
    let other = bearer(&server, &token);
    let stored = accepted(&other.upload(&others(10_000..10_900)).ok().await, 900);
    assert!((265..=267).contains(&stored), "{stored}");
    other.upload(&others(20_000..20_010)).problem(429, problem_type::QUOTA).await;
    let page = api.get(&format!("{}?limit=10000", paths::measurements_of(meter))).ok().await;
    assert_eq!(page["items"].as_array().unwrap().len(), 1_058 + 960 + stored);
}
