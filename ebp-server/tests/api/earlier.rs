//! Devices of releases before are served as they were: what they sent, as they sent it, and the members
//! that they read of the answers.
//!
//! `earlier/two_back.json` is what devices sent up to 30 November 2026 (one certificate by a token, no host
//! keys), `earlier/one_back.json` up to 1 December 2026 (the page's certificate, host keys). A change of the
//! contract that devices notice adds a file here and drops none that is less than two releases old.

use ebp_core::{clock::Clock, contract::paths, scope::Group};
use jiff::SignedDuration;
use rcgen::KeyPair;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    enrolment::{client, csr, token},
    harness::{Server, measurement},
};

/// The requests of a release, in their order.
fn recorded(text: &str, values: &[(&str, &str)]) -> Vec<Value> {
    let mut text = text.to_owned();
    for (name, value) in values {
        let escaped = json!(value).to_string();
        text = text.replace(&format!("{{{name}}}"), escaped.trim_matches('"'));
    }
    serde_json::from_str(&text).unwrap()
}

/// Makes the requests; asserts status, members and outcomes.
async fn is_served(text: &str) {
    let server = Server::start().await;
    let (made, participant) = server.household("erika@example.org").await;
    let (key, page) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let enrolment = token(&server, &made.measurement_device, json!({})).await;
    // Two questions of consent later, of which one grants it.
    let now = (server.clock.now() + SignedDuration::from_secs(2)).to_string();
    let meter = made.meters[0].to_string();
    let (own, of_page) = (csr(&key), csr(&page));
    let values = [
        ("token", enrolment["token"].as_str().unwrap()),
        ("csr", own.as_str()),
        ("frontend_csr", of_page.as_str()),
        ("meter", meter.as_str()),
        ("now", now.as_str()),
    ];
    let mut device = server.api(None);
    for request in recorded(text, &values) {
        let api = match request["by"].as_str().unwrap() {
            "participant" => &participant,
            _ => &device,
        };
        let path = request["path"].as_str().unwrap();
        let method: Method = request["method"].as_str().unwrap().parse().unwrap();
        let call = match request.get("body") {
            Some(body) => api.json(method, path, body),
            None => api.request(method, path),
        };
        let response = call.send().await.unwrap();
        let status = response.status().as_u16();
        let body = response.text().await.unwrap();
        assert_eq!(status, request["status"].as_u64().unwrap() as u16, "{path}: {body}");
        let Some(reads) = request["reads"].as_array() else { continue };
        let answer: Value = serde_json::from_str(&body).unwrap();
        let one = if answer.is_array() { &answer[0] } else { &answer };
        for member in reads {
            let member = member.as_str().unwrap();
            assert!(one.get(member).is_some(), "{path} has no {member}: {body}");
        }
        let outcomes: Vec<&str> = answer["items"]
            .as_array()
            .map(|items| items.iter().map(|item| item["outcome"].as_str().unwrap()).collect())
            .unwrap_or_default();
        if let Some(expected) = request["outcomes"].as_array() {
            let expected: Vec<&str> = expected.iter().map(|one| one.as_str().unwrap()).collect();
            assert_eq!(outcomes, expected, "{path}: {body}");
        }
        if path == paths::ENROLL {
            device = client(&server, &answer, &key);
        }
        if path == paths::CONSENT {
            server.clock.advance(1);
        }
    }
    // What it told is there for those who look today.
    let shown = server.manager(Group::Administrators).get(paths::MANAGEMENT_HOUSEHOLD).ok().await;
    let health = &shown["items"][0]["measurement_devices"][0]["health"];
    assert_eq!(health["spool"]["pending"], 4, "{shown}");
    assert_eq!(health["meters"][0]["damaged"], 3);
    // It goes on as others do.
    let item = measurement(7, made.meters[0], server.clock.now());
    participant.upload(&[item]).ok().await;
    server.stop().await;
}

#[tokio::test]
async fn a_device_of_two_releases_back_is_served() {
    is_served(include_str!("earlier/two_back.json")).await;
}

#[tokio::test]
async fn a_device_of_the_release_before_is_served() {
    is_served(include_str!("earlier/one_back.json")).await;
}
