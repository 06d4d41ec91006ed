//! What a device tells of itself, and who sees it.

use ebp_core::{
    contract::{paths, problem_type},
    scope::{Group, Scope, Scopes},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Api, Server};

async fn tell(api: &Api, status: &Value) {
    let answer = api.json(Method::PUT, paths::DEVICE_STATUS, status).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert!(answer.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_status_is_told_and_seen() {
    let server = Server::start().await;
    let (registered, api) = server.household("erika@example.org").await;
    let mut status = json!({
        "components": {"reader": "0.1.0", "transmitter": "0.2.0"},
        "clock": "synchronised",
        "spool": {"pending": 4, "refused": 0, "unplaced": 0, "bytes": 81920},
        "meters": [{"meter": registered.meters[0], "telegrams": 96, "damaged": 3}],
        "notices": ["spool-full"]
    });
    tell(&api, &status).await;
    tell(&api, &status).await;
    let devices = api.get(paths::MEASUREMENT_DEVICE).ok().await;
    assert_eq!(devices[0]["components"]["transmitter"]["version"], "0.2.0");
    let health = &devices[0]["health"];
    for member in ["clock", "spool", "notices"] {
        assert_eq!(health[member], status[member], "{member}");
    }
    assert_eq!(health["meters"][0]["damaged_share"], json!(0.0312));
    assert_eq!(health["meters"][0]["damaged_share_before"], json!(null));
    status["meters"][0]["damaged"] = json!(48);
    tell(&api, &status).await;
    let administrator = server.manager(Group::Administrators);
    let seen = administrator.get(paths::MANAGEMENT_HOUSEHOLD).ok().await;
    let reception = &seen["items"][0]["measurement_devices"][0]["health"]["meters"][0];
    assert_eq!(reception["damaged_share"], json!(0.5));
    assert_eq!(reception["damaged_share_before"], json!(0.0312));
}

#[tokio::test]
async fn only_the_device_itself_tells() {
    let server = Server::start().await;
    let (registered, _) = server.household("erika@example.org").await;
    let (_, other) = server.household("max@example.org").await;
    let (path, device) = (paths::DEVICE_STATUS, Some(registered.measurement_device));
    let status = json!({"components": {}, "meters":
        [{"meter": registered.meters[0], "telegrams": 1, "damaged": 0}]});
    let person = server.api(Some(&server.issue("erika@example.org", None, Scopes::all())));
    let call = person.json(Method::PUT, path, &status);
    call.problem(403, problem_type::GROUP).await;
    let scopes = Scopes::from_iter([Scope::MeasurementRead]);
    let reader = server.api(Some(&server.issue("erika@example.org", device, scopes)));
    reader.json(Method::PUT, path, &status).problem(403, problem_type::SCOPE).await;
    let problem =
        other.json(Method::PUT, path, &status).problem(422, problem_type::INCONSISTENT).await;
    assert_eq!(problem.faults[0].pointer, "/meters/0/meter");
}

#[tokio::test]
async fn what_cannot_be_told() {
    let server = Server::start().await;
    let (registered, api) = server.consenting("erika@example.org").await;
    let meter = registered.meters[0];
    let wrong = json!({
        "components": {"Reader": "1", "x": ""},
        "spool": {"pending": 0, "refused": 0, "unplaced": 0, "bytes": u64::MAX},
        "meters": [{"meter": meter, "telegrams": 1, "damaged": 2}],
        "notices": ["spool-full", "spool-full"]
    });
    let call = api.json(Method::PUT, paths::DEVICE_STATUS, &wrong);
    assert_eq!(call.problem(400, problem_type::INVALID).await.faults.len(), 5);
    for wrong in [
        json!({}),
        json!({"components": [], "clock": "slow"}),
        json!({"components": {}, "owner": "erika"}),
        json!({"components": {}, "notices": ["fire"]}),
        json!({"components": {}, "spool": {"pending": -1, "refused": 0, "unplaced": 0, "bytes": 0}}),
    ] {
        let call = api.json(Method::PUT, paths::DEVICE_STATUS, &wrong);
        let problem = call.problem(400, problem_type::INVALID).await;
        assert!(!problem.faults.is_empty());
        assert!(!problem.faults.iter().any(|fault| fault.detail.contains("erika")));
    }
    api.delete(paths::CONSENT).ok().await;
    let call = api.json(Method::PUT, paths::DEVICE_STATUS, &json!({"components": {}}));
    call.problem(410, problem_type::CONSENT_REVOKED).await;
}
