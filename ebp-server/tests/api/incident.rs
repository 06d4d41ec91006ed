//! Endpoints 11 to 13.

use ebp_core::contract::{paths, problem_type};
use reqwest::StatusCode;
use serde_json::json;
use uuid::Uuid;

use crate::harness::{Call, Server};

const TYPES: &str = "type: must be one of SERIAL-PORT-UNAVAILABLE, OBIS-CODES-UNAVAILABLE";

#[tokio::test]
async fn reported_resolved_and_opened_again() {
    let server = Server::start().await;
    let (registered, api) = server.household("erika@example.org").await;
    let list = paths::incidents_of(registered.meters[0]);
    let post = |what: &str, body: serde_json::Value| {
        Call(api.post(&format!("{list}/{what}")).0.json(&body))
    };
    let port = || json!({"type": "SERIAL-PORT-UNAVAILABLE"});
    assert_eq!(api.get(&list).ok().await, json!([]));
    post("resolve", port()).problem(404, problem_type::NOT_FOUND).await;

    let first = post("report", port()).ok().await;
    assert_eq!(first["resolved_at"], json!(null));
    server.clock.advance(60);
    assert_eq!(post("report", port()).ok().await, first, "no action while it is open");

    let ended = post("resolve", port()).ok().await;
    assert_eq!(ended["reported_at"], first["reported_at"]);
    assert!(ended["resolved_at"].is_string());
    server.clock.advance(60);
    assert_eq!(post("resolve", port()).ok().await, ended, "no action once it has ended");

    let again = post("report", port()).ok().await;
    assert_eq!(again["resolved_at"], json!(null));
    assert_ne!(again["reported_at"], first["reported_at"]);
    post("report", json!({"type": "OBIS-CODES-UNAVAILABLE"})).ok().await;
    let all = api.get(&list).ok().await;
    let types: Vec<_> = all.as_array().unwrap().iter().map(|i| i["type"].clone()).collect();
    assert_eq!(types, ["OBIS-CODES-UNAVAILABLE", "SERIAL-PORT-UNAVAILABLE"]);
    let other = paths::incidents_of(registered.meters[1]);
    assert_eq!(api.get(&other).ok().await, json!([]), "each meter has its own");
}

#[tokio::test]
async fn a_device_says_when_it_began_and_ended_and_nothing_of_the_future() {
    let server = Server::start().await;
    let (registered, api) = server.household("erika@example.org").await;
    let list = paths::incidents_of(registered.meters[0]);
    let post = |what: &str, at: &str| {
        let body = json!({"type": "SERIAL-PORT-UNAVAILABLE", "at": at});
        Call(api.post(&format!("{list}/{what}")).0.json(&body))
    };
    let (began, ended) = ("2020-01-31T12:00:00Z", "2020-01-31T13:30:00Z");
    assert_eq!(post("report", began).ok().await["reported_at"], began);
    let incident = post("resolve", ended).ok().await;
    assert_eq!(
        (&incident["reported_at"], &incident["resolved_at"]),
        (&json!(began), &json!(ended))
    );
    let far = "2999-01-31T12:00:00Z";
    assert_ne!(post("report", far).ok().await["reported_at"], far);
    post("report", "noon").problem(400, problem_type::INVALID).await;
}

#[tokio::test]
async fn what_is_refused() {
    let server = Server::start().await;
    let (registered, api) = server.household("erika@example.org").await;
    let (_, other) = server.household("max@example.org").await;
    let list = paths::incidents_of(registered.meters[0]);
    let report = format!("{list}/report");
    let body = json!({"type": "SERIAL-PORT-UNAVAILABLE"});
    for path in [&list, &paths::incidents_of(Uuid::nil()), "/household/meter/x/incident"] {
        other.get(path).problem(404, problem_type::NOT_FOUND).await;
    }
    let call = Call(other.post(&report).0.json(&body));
    call.problem(404, problem_type::NOT_FOUND).await;
    for (body, faults) in [
        ("{}", ["type: is missing"].as_slice()),
        (r#"{"type":"FIRE"}"#, &[TYPES]),
        (r#"{"type":"FIRE","more":1}"#, &["more: is no member that is known", TYPES]),
        ("", &[]),
    ] {
        let call = Call(api.post(&report).0.header("content-type", "application/json").body(body));
        let problem = call.problem(400, problem_type::INVALID).await;
        let told: Vec<_> = problem.faults.iter().map(ToString::to_string).collect();
        assert_eq!(told, faults);
        let no_json = body.is_empty().then_some("the body is no JSON (line 1, column 0)");
        assert_eq!(problem.detail.as_deref(), no_json);
    }
    let call = Call(api.post(&report).0.header("content-type", "text/plain").body("{}"));
    call.problem(415, problem_type::UNSUPPORTED_MEDIA).await;
    api.post(paths::CONSENT).expect(StatusCode::CREATED).await;
    api.delete(paths::CONSENT).ok().await;
    api.get(&list).problem(410, problem_type::CONSENT_REVOKED).await;
}
