//! Endpoint 7: pages that give each measurement once.

use ebp_core::{
    clock::Clock,
    contract::{MeasurementPage, paths, problem_type},
};
use jiff::SignedDuration;
use serde_json::json;

use crate::harness::{Server, measurement, outcomes};

#[tokio::test]
async fn pages_are_walked_to_the_end() {
    let server = Server::start().await;
    let (registered, api) = server.consenting("erika@example.org").await;
    let start = server.clock.now();
    server.clock.advance(600);
    // 25 measurements, five at each instant, sent newest first.
    let items: Vec<_> = (0..25_u32)
        .rev()
        .map(|i| {
            let at = start + SignedDuration::from_secs(i64::from(i / 5) * 60);
            measurement(u128::from(i), registered.meters[0], at)
        })
        .collect();
    api.upload(&items).ok().await;
    api.upload(&[measurement(99, registered.meters[1], start)]).ok().await;

    let path = paths::measurements_of(registered.meters[0]);
    let (mut seen, mut next) = (Vec::new(), None::<String>);
    let mut pages = 0;
    loop {
        let cursor = next.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = api.get(&format!("{path}?limit=7{cursor}")).ok().await;
        let page: MeasurementPage = serde_json::from_value(page).unwrap();
        pages += 1;
        seen.extend(page.items.iter().map(|item| item.uuid.as_u128()));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!((seen, pages), ((0..25).collect(), 4));

    // From is included, to is not.
    let at = |minutes: i64| start + SignedDuration::from_mins(minutes);
    let page = api.get(&format!("{path}?from={}&to={}", at(1), at(3))).ok().await;
    let page: MeasurementPage = serde_json::from_value(page).unwrap();
    let uuids: Vec<_> = page.items.iter().map(|item| item.uuid.as_u128()).collect();
    assert_eq!((uuids, page.next), ((5..15).collect(), None));
    // The last full page is the last.
    assert_eq!(api.get(&format!("{path}?limit=25")).ok().await["next"], json!(null));
}

#[tokio::test]
async fn a_measurement_comes_back_to_the_last_digit() {
    let server = Server::start().await;
    let (registered, api) = server.consenting("erika@example.org").await;
    let now = server.clock.now();
    let text = r#"[{"0100010800ff":12345.6789},{"0100100700ff":-0.015},{"0100020800ff":0.10}]"#;
    let mut item = measurement(1, registered.meters[0], now);
    item["data"] = serde_json::from_str(text).unwrap();
    api.upload(&[item]).ok().await;
    let response = api.get(&paths::measurements_of(registered.meters[0])).send().await.unwrap();
    let body = response.text().await.unwrap();
    assert!(body.contains(text), "{body}");
    let page: MeasurementPage = serde_json::from_str(&body).unwrap();
    assert_eq!(page.items[0].measured_at.as_microsecond(), now.as_microsecond());
    assert!(page.items[0].received_at >= page.items[0].measured_at);
}

#[tokio::test]
async fn what_cannot_be_asked() {
    let server = Server::start().await;
    let (registered, api) = server.consenting("erika@example.org").await;
    let path = paths::measurements_of(registered.meters[0]);
    for query in ["limit=0", "limit=10001", "from=today", "cursor=zz", "page=2", "to=1&to=2"] {
        let call = api.get(&format!("{path}?{query}"));
        let problem = call.problem(400, problem_type::INVALID).await;
        assert!(!problem.detail.unwrap().contains("today"));
    }
    assert_eq!(
        api.get(&path).ok().await,
        json!({"items": [], "next": null}),
        "nothing measured yet"
    );
}

#[tokio::test]
async fn what_is_doubtful_is_told() {
    let server = Server::start().await;
    let (registered, api) = server.consenting("erika@example.org").await;
    let now = server.clock.now();
    let item = |uuid: u128, flags: &[&str]| {
        let mut item = measurement(uuid, registered.meters[0], now);
        item["flags"] = json!(flags);
        item
    };
    let (late, odd) = ("clock-corrected", "power-out-of-range");
    let sent = [item(1, &[late, odd]), item(2, &[]), item(3, &[odd, odd]), item(4, &["x"])];
    let answer = api.upload(&sent).ok().await;
    let refused = ["a flag occurs twice", "`flags` is missing or not of its form"];
    assert_eq!(outcomes(&answer), ["accepted", "accepted", refused[0], refused[1]]);
    let again = api.upload(&[item(1, &[odd, late]), item(1, &[odd])]).ok().await;
    assert_eq!(outcomes(&again), ["duplicate", "another measurement has this uuid"]);
    let page = api.get(&paths::measurements_of(registered.meters[0])).ok().await;
    assert_eq!(page["items"][0]["flags"], json!([odd, late]));
    assert_eq!(page["items"][1].get("flags"), None);
}
