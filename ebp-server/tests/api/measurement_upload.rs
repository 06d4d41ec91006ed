//! Endpoint 8: what a report may contain and how it is answered.

use std::io::Write;

use ebp_core::{
    clock::Clock,
    contract::{limits, paths, problem_type},
};
use flate2::{Compression, write::GzEncoder};
use jiff::SignedDuration;
use reqwest::StatusCode;
use serde_json::json;
use uuid::Uuid;

use crate::harness::{Api, Call, Server, measurement, outcomes};

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn body(api: &Api, body: impl Into<reqwest::Body>) -> Call {
    Call(api.post(paths::MEASUREMENT).0.header("content-type", "application/json").body(body))
}

#[tokio::test]
async fn sending_again_changes_nothing() {
    let server = Server::start().await;
    let (registered, api) = server.consenting("erika@example.org").await;
    let (meter, now) = (registered.meters[0], server.clock.now());
    let first = measurement(1, meter, now);
    let second = measurement(2, meter, now);
    assert_eq!(
        outcomes(&api.upload(&[first.clone(), first.clone()]).ok().await),
        ["accepted", "duplicate"]
    );
    let answer = api.upload(&[first.clone(), second]).ok().await;
    assert_eq!(outcomes(&answer), ["duplicate", "accepted"]);
    assert_eq!(answer["items"][0], json!({"uuid": Uuid::from_u128(1), "outcome": "duplicate"}));

    // The same number, written otherwise, is the same; another one is not.
    let mut same = first.clone();
    same["data"][0]["0100010800ff"] = serde_json::from_str("12345.67890").unwrap();
    let mut changed = first.clone();
    changed["data"][0]["0100010800ff"] = serde_json::from_str("12345.6780").unwrap();
    let moved = measurement(1, registered.meters[1], now);
    let later = measurement(1, meter, now + SignedDuration::from_secs(1));
    let other = "another measurement has this uuid";
    assert_eq!(
        outcomes(&api.upload(&[same, changed, moved, later]).ok().await),
        ["duplicate", other, other, other]
    );
    let page = api.get(&paths::measurements_of(meter)).ok().await;
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_refused_does_not_hold_up_the_others() {
    let server = Server::start().await;
    let (registered, api) = server.consenting("erika@example.org").await;
    let (meter, now) = (registered.meters[0], server.clock.now());
    let changed = |uuid, change: &dyn Fn(&mut serde_json::Value)| {
        let mut item = measurement(uuid, meter, now);
        change(&mut item);
        item
    };
    let hour = SignedDuration::from_hours(1);
    let items = [
        measurement(1, meter, now),
        measurement(2, Uuid::from_u128(9), now),
        measurement(3, meter, now - hour),
        measurement(4, meter, now + hour),
        measurement(5, meter, now + SignedDuration::from_mins(4)),
        changed(6, &|item| item["data"] = json!([])),
        changed(7, &|item| item["data"] = json!([{"0100010800ff": "12"}])),
        changed(8, &|item| item["data"] = json!({"0100010800ff": 12})),
        changed(9, &|item| item["measured_at"] = json!("yesterday")),
        changed(10, &|item| item["meter"] = json!(null)),
        changed(11, &|item| item["data"] = json!([{"0100600100ff": 12}])),
        changed(12, &|item| item["data"] = json!([{"0100010800ff": 1}, {"0100010800ff": 2}])),
        measurement(13, meter, now),
    ];
    let answer = api.upload(&items).ok().await;
    assert_eq!(
        outcomes(&answer),
        [
            "accepted",
            "the household has no such meter",
            "measured before consent was granted",
            "measured in the future",
            "accepted",
            "there are no data points",
            "`data` is missing or not of its form",
            "`data` is missing or not of its form",
            "`measured_at` is missing or not of its form",
            "`meter` is missing or not of its form",
            "a data point identifies the meter",
            "an OBIS code occurs twice among the data points",
            "accepted"
        ]
    );
    for (item, answered) in items.iter().zip(answer["items"].as_array().unwrap()) {
        assert_eq!(item["uuid"], answered["uuid"]);
    }
}

/// A number is stored as it was written, or refused; it is never rounded.
#[tokio::test]
async fn a_number_keeps_its_value_or_is_refused() {
    let server = Server::start().await;
    let (registered, api) = server.consenting("erika@example.org").await;
    let (meter, now) = (registered.meters[0], server.clock.now());
    let refused = "`data` is missing or not of its form";
    let numbers = [
        ("1.25e1", "accepted"),
        ("0e400", "accepted"),
        ("7922816251426433759354395033.5E+1", "accepted"),
        ("0.123456789012345678901234567890123", refused),
        ("0.123456789012345678901234567890123e0", refused),
        ("79228162514264337593543950335.4e0", refused),
        ("1.23456789012345678901234567895E+1", refused),
        ("1e400", refused),
    ];
    let items: Vec<_> = (0..)
        .zip(numbers)
        .map(|(uuid, (number, _))| {
            let mut item = measurement(uuid, meter, now);
            let value: serde_json::Value = serde_json::from_str(number).unwrap();
            item["data"] = json!([{ "0100010800ff": value }]);
            item
        })
        .collect();
    let answer = api.upload(&items).ok().await;
    assert_eq!(outcomes(&answer), numbers.map(|(_, outcome)| outcome));
    let page = api.get(&paths::measurements_of(meter)).ok().await;
    let stored: Vec<_> = page["items"].as_array().unwrap().iter().collect();
    let mut values: Vec<_> =
        stored.iter().map(|item| item["data"][0]["0100010800ff"].to_string()).collect();
    values.sort();
    assert_eq!(values, ["0", "12.5", "79228162514264337593543950335"]);
}

#[tokio::test]
async fn consent_comes_first() {
    let server = Server::start().await;
    let (registered, api) = server.household("erika@example.org").await;
    let items = [measurement(1, registered.meters[0], server.clock.now())];
    api.upload(&items).problem(409, problem_type::CONSENT_NOT_GRANTED).await;
    // The body is not even read.
    body(&api, "no JSON").problem(409, problem_type::CONSENT_NOT_GRANTED).await;
    api.post(paths::CONSENT).expect(StatusCode::CREATED).await;
    assert_eq!(outcomes(&api.upload(&items).ok().await), ["measured before consent was granted"]);
}

#[tokio::test]
async fn gzip_is_unpacked_within_bounds() {
    let server = Server::start().await;
    let (registered, api) = server.consenting("erika@example.org").await;
    let now = server.clock.now();
    let items: Vec<_> = (0..10_000).map(|i| measurement(i, registered.meters[0], now)).collect();
    let text = json!({ "measurements": items }).to_string();
    let packed = |bytes: Vec<u8>| {
        let mut call = body(&api, bytes);
        call.0 = call.0.header("content-encoding", "gzip");
        call
    };
    let answer = packed(gzip(text.as_bytes())).ok().await;
    let answer = outcomes(&answer);
    assert_eq!(answer.len(), 10_000);
    assert!(answer.iter().all(|outcome| outcome == "accepted"));

    let bomb = gzip(&vec![b' '; limits::UPLOAD_UNPACKED_BYTES + 1]);
    assert!(bomb.len() < 100_000);
    packed(bomb).problem(413, problem_type::TOO_LARGE).await;
    packed(b"no gzip".to_vec()).problem(400, problem_type::INVALID).await;
    let mut cut = gzip(text.as_bytes());
    cut.truncate(cut.len() / 2);
    packed(cut).problem(400, problem_type::INVALID).await;
    // Afterwards the server is as it was.
    api.get(paths::HOUSEHOLD).ok().await;
}

#[tokio::test]
async fn what_is_too_large() {
    let server = Server::start().await;
    let (registered, api) = server.consenting("erika@example.org").await;
    let now = server.clock.now();
    let items: Vec<_> = (0..10_001).map(|i| measurement(i, registered.meters[0], now)).collect();
    let problem = api.upload(&items).problem(413, problem_type::TOO_LARGE).await;
    assert_eq!(problem.detail.as_deref(), Some("there are more than 10000 measurements"));
    let path = paths::measurements_of(registered.meters[0]);
    assert_eq!(api.get(&path).ok().await["items"], json!([]));

    // The connection may be cut before all is sent: then that is the answer.
    let huge = vec![b' '; limits::UPLOAD_BYTES + 1];
    if let Ok(response) = body(&api, huge).send().await {
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
    api.get(paths::HOUSEHOLD).ok().await;
}

#[tokio::test]
async fn what_is_malformed_is_told_without_its_values() {
    let server = Server::start().await;
    let (_, api) = server.consenting("erika@example.org").await;
    let bodies = [
        "",
        "{",
        "secret",
        "[]",
        "{}",
        r#"{"measurements": "secret"}"#,
        r#"{"measurements": [{"uuid": "secret"}]}"#,
        r#"{"measurements": [1]}"#,
        "{\"measurements\": [\u{0}]}",
    ];
    for text in bodies {
        let problem = body(&api, text).problem(400, problem_type::INVALID).await;
        assert!(!problem.detail.unwrap().contains("secret"));
    }
    body(&api, b"{\"measurements\": [\"\xff\"]}".to_vec())
        .problem(400, problem_type::INVALID)
        .await;
    body(&api, "[".repeat(1 << 20)).problem(400, problem_type::INVALID).await;

    let mut call = body(&api, "{}");
    call.0 = call.0.header("content-encoding", "br");
    call.problem(415, problem_type::UNSUPPORTED_MEDIA).await;
    let call = Call(api.post(paths::MEASUREMENT).0.header("content-type", "text/csv").body("a"));
    call.problem(415, problem_type::UNSUPPORTED_MEDIA).await;
    assert_eq!(outcomes(&api.upload(&[]).ok().await), Vec::<String>::new());
}

/// Numbers that tell which meter it is are a kind of codes, whatever medium and channel.
#[tokio::test]
async fn numbers_that_identify_a_meter_are_refused() {
    let server = Server::start().await;
    let (registered, api) = server.consenting("erika@example.org").await;
    let (meter, now) = (registered.meters[0], server.clock.now());
    let item = |number: u128, code: &str| {
        let mut item = measurement(number, meter, now);
        item["data"] = json!([{"0100010800ff": 1}, {code: 47_118_159}]);
        item
    };
    let identify = [
        "0000600100ff", // 0-0:96.1.0
        "0100600109ff", // 1-0:96.1.9
        "0001600101ff", // 0-1:96.1.1
        "000060010aff", // 0-0:96.1.10
        "00006001ffff", // 0-0:96.1.255
        "0100000000ff", // 1-0:0.0.0
        "0100000009ff", // 1-0:0.0.9
        "0101000009ff", // 1-1:0.0.9
        "07000000000a", // 7-0:0.0.0*10
        "00002a0000ff", // 0-0:42.0.0
        "0000600d01ff", // 0-0:96.13.1
        "8181c78205ff", // 129-129:199.130.5
        "8181c78203ff", // 129-129:199.130.3
        "01005e3107ff", // 1-0:94.49.7
    ];
    let harmless = ["0100200700ff", "0100600505ff", "0100000200ff", "0001180201ff", "01003d07ffff"];
    for (number, code) in identify.into_iter().chain(harmless).enumerate() {
        let outcome = outcomes(&api.upload(&[item(number as u128, code)]).ok().await);
        let refused = "a data point identifies the meter";
        assert_eq!(outcome[0] == refused, number < identify.len(), "{code}: {outcome:?}");
    }
}
