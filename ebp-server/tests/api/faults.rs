//! One answer tells every fault, by its place and without its value; and refusals are problems,
//! whoever they come from.

use std::collections::BTreeSet;

use ebp_core::{
    contract::{Problem, paths, problem_type},
    scope::Group,
};
use proptest::{prelude::*, sample::subsequence, strategy::ValueTree, test_runner::TestRunner};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Call, Server, registration};

/// Independent faults of a registration: where, and what is put there (`null`: it is taken away).
fn wrongs() -> Vec<(&'static str, Value)> {
    vec![
        ("/participant/name", json!(7)),
        ("/participant/email", json!("secret")),
        ("/participant/phone", json!("secret")),
        ("/address/street", json!(" \t")),
        ("/address/city", Value::Null),
        ("/address/country", json!("de")),
        ("/location/latitude", json!(90.001)),
        ("/location/longitude", json!("secret")),
        ("/metadata/children", json!(-1)),
        ("/metadata/adults", json!(1.5)),
        ("/metadata/heat_pump", json!("yes")),
        ("/metadata/home_battery", Value::Null),
        ("/meters/0/type", json!("secret")),
        ("/meters/0/uuid", json!("secret")),
        ("/meters/1/model", json!("x".repeat(41))),
        ("/pv_systems/0/nominal_power", json!(0)),
        ("/pv_systems/0/azimuth", json!(360)),
        ("/pv_systems/0/tilt", json!("35")),
        ("/pv_systems/0/installed_on", json!("2024-02-30")),
        ("/pv_systems/0/meter", json!(0)),
        ("/measurement_device", json!("secret")),
        ("/a~1b~0c", json!("secret")),
    ]
}

/// Puts a value where a pointer leads, or takes it away.
fn put(body: &mut Value, pointer: &str, value: &Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    let name = name.replace("~1", "/").replace("~0", "~");
    if value.is_null() {
        parent.remove(&name).unwrap();
    } else {
        parent.insert(name, value.clone());
    }
}

#[tokio::test]
async fn so_many_faults_so_many_errors() {
    let server = Server::start().await;
    let researcher = server.manager(Group::Researchers);
    let good = serde_json::to_value(registration("erika@example.org")).unwrap();
    let mut runner = TestRunner::deterministic();
    let some = subsequence(wrongs(), 1..=wrongs().len());
    for _ in 0..64 {
        let chosen = some.new_tree(&mut runner).unwrap().current();
        let mut body = good.clone();
        for (pointer, value) in &chosen {
            put(&mut body, pointer, value);
        }
        let call = researcher.json(Method::POST, paths::MANAGEMENT_HOUSEHOLD, &body);
        let answer = call.send().await.unwrap();
        let text = answer.text().await.unwrap();
        assert!(!text.contains("secret"), "{text}");
        let problem: Problem = serde_json::from_str(&text).unwrap();
        let told: BTreeSet<_> = problem.faults.iter().map(|f| f.pointer.as_str()).collect();
        let expected: BTreeSet<_> = chosen.iter().map(|(pointer, _)| *pointer).collect();
        assert_eq!(told, expected, "{text}");
        assert_eq!(problem.faults.len(), chosen.len(), "{text}");
    }
    let listed = researcher.get(paths::MANAGEMENT_HOUSEHOLD).ok().await;
    assert_eq!(listed["items"], json!([]));
}

#[tokio::test]
async fn every_body_is_told_all_its_faults() {
    let server = Server::start().await;
    let researcher = server.manager(Group::Researchers);
    let administrator = server.manager(Group::Administrators);
    let made = server.register("erika@example.org").await;
    let household = paths::MANAGED_HOUSEHOLD.replace("{household}", &made.household.to_string());
    let device = paths::MANAGED_ENROLMENT.replace("{uuid}", &made.measurement_device.to_string());
    let meter = format!("{household}/meter/{}", made.meters[0]);
    let system = format!("{household}/pv_system/{}", made.pv_systems[0]);
    let (post, patch) = (Method::POST, Method::PATCH);
    let cases = [
        (&researcher, &patch, &household, json!({"location": {"latitude": "x"}, "meters": []}), 3),
        (&researcher, &patch, &meter, json!({"type": 1, "model": "", "uuid": null}), 3),
        (&researcher, &patch, &system, json!({"tilt": -1, "installed_on": "x", "meter": 7}), 3),
        (&administrator, &post, &device, json!({"hours": 721, "scopes": "root", "more": 1}), 3),
        (&administrator, &post, &device, json!([]), 1),
    ];
    for (who, method, path, body, faults) in cases {
        let problem = who.json(method.clone(), path, &body).problem(400, problem_type::INVALID);
        let problem = problem.await;
        assert_eq!(problem.faults.len(), faults, "{path}: {problem:?}");
    }
    let enroll = json!({"csr": 1, "more": "secret"});
    let call = server.api(None).json(post.clone(), paths::ENROLL, &enroll);
    assert_eq!(call.problem(400, problem_type::INVALID).await.faults.len(), 3);
    let enroll = json!({"csr": "secret", "token": "secret"});
    let call = server.api(None).json(post, paths::ENROLL, &enroll);
    let problem = call.problem(422, problem_type::INCONSISTENT).await;
    assert_eq!(problem.faults[0].pointer, "/csr");
}

#[tokio::test]
async fn the_frameworks_refusals_are_problems_too() {
    let server = Server::start().await;
    let (_, api) = server.household("erika@example.org").await;
    api.get("/household/meter/%ff/measurement").problem(400, problem_type::INVALID).await;
    api.get("/nowhere").problem(404, problem_type::NOT_FOUND).await;
    let call = api.request(Method::PUT, paths::ACCOUNT);
    let answer = call.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.headers()["allow"], "GET,HEAD");
    assert_eq!(answer.json::<Problem>().await.unwrap().kind, problem_type::METHOD_NOT_ALLOWED);
}

/// A client that still writes when it is refused still reads the refusal.
#[tokio::test]
async fn a_refusal_is_read_whatever_the_body() {
    let server = Server::start().await;
    let big = vec![b' '; 20 << 20];
    for _ in 0..4 {
        let call = Call(server.api(None).post(paths::MEASUREMENT).0.body(big.clone()));
        call.problem(401, problem_type::UNAUTHENTICATED).await;
        let issued = server.issue("erika@example.org", None, "account".parse().unwrap());
        let call = Call(server.api(Some(&issued)).post(paths::MEASUREMENT).0.body(big.clone()));
        call.problem(403, problem_type::SCOPE).await;
    }
}

/// Readers differ in which of two members counts, so that none does, wherever a body is read.
#[tokio::test]
async fn repeated_members_are_refused_by_their_name() {
    let server = Server::start().await;
    let researcher = server.manager(Group::Researchers);
    let (registered, api) = server.consenting("erika@example.org").await;
    let good = serde_json::to_string(&registration("max@example.org")).unwrap();
    let other = good.replacen("\"email\":", "\"email\":\"secret\",\"\\u0065mail\":", 1);
    assert_ne!(good, other);
    let item = crate::harness::measurement(
        1,
        registered.meters[0],
        ebp_core::clock::Clock::now(&*server.clock),
    );
    let upload = json!({ "measurements": [item] }).to_string();
    let incident = format!("/household/meter/{}/incident/report", registered.meters[0]);
    let cases = [
        (&researcher, paths::MANAGEMENT_HOUSEHOLD, other, "/participant/email"),
        (&api, &incident, r#"{"type":"secret","type":"NO_DATA"}"#.into(), "/type"),
        (
            &api,
            paths::MEASUREMENT,
            upload.replacen("\"data\"", "\"data\":\"secret\",\"data\"", 1),
            "/measurements/0/data",
        ),
        (
            &api,
            paths::MEASUREMENT,
            upload.replacen("{\"measurements\"", "{\"measurements\":[],\"measurements\"", 1),
            "/measurements",
        ),
    ];
    for (who, path, body, pointer) in cases {
        let call = who.post(path).0.header("content-type", "application/json").body(body);
        let problem = Call(call).problem(400, problem_type::INVALID).await;
        let told: Vec<_> = problem.faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(told, [pointer], "{problem:?}");
        assert!(!format!("{problem:?}").contains("secret"));
    }
    assert_eq!(
        researcher.get(paths::MANAGEMENT_HOUSEHOLD).ok().await["items"].as_array().unwrap().len(),
        1
    );
    let path = paths::measurements_of(registered.meters[0]);
    assert_eq!(api.get(&path).ok().await["items"], json!([]));
}
