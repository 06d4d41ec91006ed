//! Administrators change the rules: one of two who saw the same version, and nothing that cannot be.

use ebp_core::{
    clock::Clock,
    contract::{AlertRules, ChangedRules, problem_type},
    scope::Group,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{pass, paths, receiver::Receiver, watching};
use crate::harness::{Api, Call, Server, measurement};

/// A change for that version, or for any.
fn change(administrator: &Api, version: Option<&str>, rules: &Value) -> Call {
    let call = administrator.json(Method::PUT, paths::ALERT_RULE, rules);
    match version {
        Some(version) => Call(call.0.header("if-match", version)),
        None => call,
    }
}

/// The rules that hold, and their `ETag`.
async fn held(administrator: &Api) -> (AlertRules, String) {
    let answer = administrator.get(paths::ALERT_RULE).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
    (answer.json().await.unwrap(), tag)
}

#[tokio::test]
async fn of_two_administrators_who_saw_the_same_rules_one_changes_them() {
    let server = Server::start().await;
    let administrator = server.manager(Group::Administrators);
    let (configured, seen) = held(&administrator).await;
    assert_eq!((configured.version, &*seen), (0, "\"0\""));

    let first = json!({"silent": 7200, "quiet_hours": {
        "from": "22:00", "to": "07:00", "digest": "07:30", "zone": "Europe/Berlin",
    }});
    let answer = change(&administrator, Some(&seen), &first).send().await.unwrap();
    assert_eq!(
        (answer.status(), &answer.headers()["etag"]),
        (StatusCode::OK, &"\"1\"".parse().unwrap())
    );
    let rules: AlertRules = answer.json().await.unwrap();
    assert_eq!((rules.version, rules.silent, rules.late), (1, Some(7200), None));
    assert_eq!(rules.channels, configured.channels, "the ways of sending stay");
    assert_eq!(held(&administrator).await, (rules, "\"1\"".to_owned()));

    let second = change(&administrator, Some(&seen), &json!({"late": 60}));
    let problem = second.problem(412, problem_type::CHANGED).await;
    assert!(problem.detail.unwrap().contains("If-Match"), "it says what to do");
    // A version that there is not yet, a weak one, a household's.
    for other in ["\"2\"", "W/\"1\"", "\"01\"", "\"0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a\""] {
        change(&administrator, Some(other), &json!({})).problem(412, problem_type::CHANGED).await;
    }
    change(&administrator, Some("1"), &json!({})).problem(400, problem_type::INVALID).await;
    change(&administrator, Some("\"0\", \"1\""), &json!({"late": 60})).ok().await;
    // Any version, said or not.
    change(&administrator, Some("*"), &json!({"late": 61})).ok().await;
    assert_eq!(change(&administrator, None, &json!({"late": 62})).ok().await["version"], 4);

    let changes = administrator.get(paths::ALERT_RULE_CHANGES).ok().await;
    let changes: Vec<ChangedRules> = serde_json::from_value(changes).unwrap();
    let late: Vec<_> = changes.iter().map(|change| (change.version, change.rules.late)).collect();
    assert_eq!(late, [(4, Some(62)), (3, Some(61)), (2, Some(60)), (1, None)]);
    server.stop().await;
}

#[tokio::test]
async fn many_who_ask_for_no_version_all_change_them() {
    let server = Server::start().await;
    let administrator = server.manager(Group::Administrators);
    let set = async |version: Option<&str>, late: u64| {
        let call = change(&administrator, version, &json!({"late": late}));
        call.send().await.unwrap().status().as_u16()
    };
    let statuses = tokio::join!(set(None, 1), set(None, 2), set(None, 3));
    assert_eq!(statuses, (200, 200, 200));
    assert_eq!(held(&administrator).await.0.version, 3);
    // Of those who saw the same version exactly one does.
    let seen = Some("\"3\"");
    let statuses = tokio::join!(set(seen, 1), set(seen, 2), set(seen, 3));
    let mut statuses = <[u16; 3]>::from(statuses);
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412]);
    server.stop().await;
}

#[tokio::test]
async fn rules_that_cannot_be_name_the_place_and_change_nothing() {
    let server = Server::start().await;
    let administrator = server.manager(Group::Administrators);
    let hours = |from: &str, to: &str, digest: &str, zone: &str| {
        json!({"quiet_hours": {
            "from": from, "to": to, "digest": digest, "zone": zone,
        }})
    };
    for (rules, status, kind, place) in [
        (json!({"silent": 0}), 400, problem_type::INVALID, "/silent"),
        (json!({"late": 31_622_401}), 400, problem_type::INVALID, "/late"),
        (json!({"incident": -1}), 400, problem_type::INVALID, "/incident"),
        (json!({"certificate": "21 days"}), 400, problem_type::INVALID, "/certificate"),
        (json!({"damaged_percent": 101}), 400, problem_type::INVALID, "/damaged_percent"),
        (json!({"loud": 1}), 400, problem_type::INVALID, "/loud"),
        (hours("24:00", "07:00", "07:00", "UTC"), 400, problem_type::INVALID, "/quiet_hours/from"),
        (hours("7", "7", "7", "Mars/Base"), 400, problem_type::INVALID, "/quiet_hours/digest"),
        (
            hours("22:00", "22:00", "22:00", "UTC"),
            422,
            problem_type::INCONSISTENT,
            "/quiet_hours/to",
        ),
        (
            hours("22:00", "07:00", "06:00", "UTC"),
            422,
            problem_type::INCONSISTENT,
            "/quiet_hours/digest",
        ),
        (
            hours("22:00", "07:00", "07:00", "Mars/Base"),
            422,
            problem_type::INCONSISTENT,
            "/quiet_hours/zone",
        ),
    ] {
        let problem = change(&administrator, None, &rules).problem(status, kind).await;
        let places: Vec<_> = problem.faults.iter().map(|fault| &*fault.pointer).collect();
        assert!(places.contains(&place), "{rules}: {places:?}");
    }
    // What is wrong is said before who was late.
    let wrong = hours("22:00", "22:00", "22:00", "UTC");
    change(&administrator, Some("\"9\""), &wrong).problem(422, problem_type::INCONSISTENT).await;
    assert_eq!(held(&administrator).await.0.version, 0);
    server.stop().await;
}

#[tokio::test]
async fn a_server_watches_by_the_rules_as_they_were_changed() {
    let receiver = Receiver::start().await;
    let server = watching(Some(&receiver), |_, _| {}).await;
    let administrator = server.manager(Group::Administrators);
    change(&administrator, None, &json!({"silent": 86_400})).ok().await;
    let (made, api) = server.consenting("erika@example.org").await;
    api.upload(&[measurement(1, made.meters[0], server.clock.now())]).ok().await;
    // By the configuration it would be silent by now.
    pass(&server, 12).await;
    assert!(server.store.alert_counts().await.unwrap().open.iter().all(|(_, open)| *open == 0));
    change(&administrator, Some("\"1\""), &json!({"silent": 7_200})).ok().await;
    pass(&server, 6).await;
    assert_eq!(receiver.wait(1).await[0].notice().items[0].device, made.measurement_device);
    server.stop().await;
}
