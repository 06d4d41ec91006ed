//! A household is registered once by mistake at most, removed while nothing was measured in it, and
//! what was measured is there for researchers.

use ebp_core::{
    clock::Clock,
    contract::{paths, problem_type},
    scope::Group,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Server, measurement, registration};

fn path_of(template: &str, household: Uuid, uuid: Uuid) -> String {
    template.replace("{household}", &household.to_string()).replace("{uuid}", &uuid.to_string())
}

#[tokio::test]
async fn a_repeated_registration_is_refused_by_name() {
    let server = Server::start().await;
    let researcher = server.manager(Group::Researchers);
    let first = server.register("erika@example.org").await;
    let body = serde_json::to_value(registration("Erika@example.org")).unwrap();
    let post = |path: &str| researcher.json(Method::POST, path, &body);
    for path in [paths::MANAGEMENT_HOUSEHOLD, paths::REGISTRATION_CHECK] {
        let problem = post(path).problem(409, problem_type::REGISTERED_ALREADY).await;
        assert_eq!(problem.household, Some(first.household));
        let detail = problem.detail.unwrap();
        assert!(detail.contains(&first.household.to_string()), "{detail}");
        assert!(detail.contains("?further=true"), "{detail}");
    }
    let further = |path| format!("{path}?further=true");
    let checked = post(&further(paths::REGISTRATION_CHECK)).send().await.unwrap();
    assert_eq!(checked.status(), StatusCode::NO_CONTENT);
    let list = || async { researcher.get(paths::MANAGEMENT_HOUSEHOLD).ok().await["items"].clone() };
    assert_eq!(list().await.as_array().unwrap().len(), 1, "nothing is stored by a check");
    post(&further(paths::MANAGEMENT_HOUSEHOLD)).expect(StatusCode::CREATED).await;
    for wrong in ["?further=1", "?further=true&further=true", "?again=true"] {
        let path = format!("{}{wrong}", paths::MANAGEMENT_HOUSEHOLD);
        post(&path).problem(400, problem_type::INVALID).await;
    }
    let administrator = server.manager(Group::Administrators);
    let call = administrator.json(Method::POST, paths::REGISTRATION_CHECK, &body);
    call.problem(403, problem_type::GROUP).await;
    let mut wrong = body.clone();
    wrong["pv_systems"][0]["tilt"] = json!(91);
    let call = researcher.json(Method::POST, paths::REGISTRATION_CHECK, &wrong);
    assert_eq!(call.problem(400, problem_type::INVALID).await.faults.len(), 1);
}

#[tokio::test]
async fn a_household_is_removed_until_something_was_measured() {
    let server = Server::start().await;
    let researcher = server.manager(Group::Researchers);
    let (mistake, device) = server.household("erika@example.org").await;
    let path = path_of(paths::MANAGED_HOUSEHOLD, mistake.household, Uuid::nil());
    server.manager(Group::Administrators).delete(&path).problem(403, problem_type::GROUP).await;
    let removed = researcher.delete(&path).send().await.unwrap();
    assert_eq!(removed.status(), StatusCode::NO_CONTENT);
    researcher.delete(&path).problem(404, problem_type::NOT_FOUND).await;
    // A new certificate would not help its device.
    device.get(paths::CONSENT).problem(401, problem_type::UNREGISTERED).await;

    let (kept, device) = server.consenting("erika@example.org").await;
    let item = measurement(1, kept.meters[0], server.clock.now());
    device.upload(&[item]).ok().await;
    let path = path_of(paths::MANAGED_HOUSEHOLD, kept.household, Uuid::nil());
    let problem = researcher.delete(&path).problem(409, problem_type::IN_USE).await;
    assert!(problem.detail.unwrap().contains("measurements"));
}

#[tokio::test]
async fn researchers_see_what_consent_allows() {
    let server = Server::start().await;
    let researcher = server.manager(Group::Researchers);
    let (registered, device) = server.consenting("erika@example.org").await;
    let (household, meter) = (registered.household, registered.meters[0]);
    let path = path_of(paths::MANAGED_MEASUREMENT, household, meter);
    assert_eq!(researcher.get(&path).ok().await["items"], json!([]));
    let items: Vec<Value> =
        (1..=3).map(|number| measurement(number, meter, server.clock.now())).collect();
    device.upload(&items).ok().await;
    let first = researcher.get(&format!("{path}?limit=2")).ok().await;
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    let next = format!("{path}?cursor={}", first["next"].as_str().unwrap());
    let last = researcher.get(&next).ok().await;
    assert_eq!((last["items"].as_array().unwrap().len(), &last["next"]), (1, &Value::Null));
    researcher.get(&format!("{path}?limit=0")).problem(400, problem_type::INVALID).await;

    let other = server.register("max@example.org").await;
    for (household, meter) in [(other.household, meter), (household, Uuid::nil())] {
        let path = path_of(paths::MANAGED_MEASUREMENT, household, meter);
        researcher.get(&path).problem(404, problem_type::NOT_FOUND).await;
    }
    server.manager(Group::Administrators).get(&path).problem(403, problem_type::GROUP).await;
    device.get(&path).problem(403, problem_type::GROUP).await;

    // Once it revokes nobody finds it by what it was called.
    device.delete(paths::CONSENT).ok().await;
    researcher.get(&path).problem(404, problem_type::NOT_FOUND).await;
}

#[tokio::test]
async fn a_device_is_told_which_meters_it_reads() {
    let server = Server::start().await;
    let (registered, device) = server.household("erika@example.org").await;
    let meters = device.get(paths::DEVICE_METER).ok().await;
    assert_eq!(meters[0]["uuid"], json!(registered.meters[0]));
    assert_eq!(meters.as_array().unwrap().len(), registered.meters.len());
    let body = json!({"household": registered.household, "meters": [registered.meters[1]]});
    let administrator = server.manager(Group::Administrators);
    let call = administrator.json(Method::POST, paths::MANAGEMENT_DEVICE, &body);
    call.expect(StatusCode::CREATED).await;
    let meters = device.get(paths::DEVICE_METER).ok().await;
    assert_eq!(meters.as_array().unwrap().len(), registered.meters.len() - 1);
    administrator.get(paths::DEVICE_METER).problem(403, problem_type::GROUP).await;
}
