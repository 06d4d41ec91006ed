//! Errors of devices arrive in groups: administrators see them, and are told of a new one once.

use ebp_core::{
    clock::Clock,
    contract::{AlertChange, AlertKind, DeviceStatus, ErrorGroups, problem_type},
    scope::Group,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{pass, paths, receiver::Receiver, watching};
use crate::harness::{Api, Server, measurement};

fn group(number: u32, now: jiff::Timestamp) -> Value {
    json!({
        "fingerprint": format!("{number:012x}"), "component": "sending",
        "types": ["SpoolError::Full", "io::Error::StorageFull"],
        "place": "ebp-device/src/spool.rs:7", "count": 3, "first_seen": now, "last_seen": now,
    })
}

async fn tell(api: &Api, errors: &[Value]) {
    let status = json!({"components": {"transmitter": "0.9.0"}, "errors": errors});
    let answer = api.json(Method::PUT, paths::DEVICE_STATUS, &status).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT, "{}", answer.text().await.unwrap());
}

async fn shown(server: &Server) -> ErrorGroups {
    let answer = server.manager(Group::Administrators).get(paths::ERROR_GROUP).ok().await;
    serde_json::from_value(answer).unwrap()
}

#[tokio::test]
async fn a_new_group_of_errors_is_told_of_once_for_all_devices() {
    let receiver = Receiver::start().await;
    let server = watching(Some(&receiver), |_, _| {}).await;
    let (first, _) = server.consenting("first@example.org").await;
    let (other, _) = server.consenting("other@example.org").await;
    // Certificates of tests are valid for an hour.
    let of_first = || server.device("first@example.org", &first);
    let of_other = || server.device("other@example.org", &other);
    let now = server.clock.now();
    let measured = async |number: u128| {
        for (made, api, n) in [(&first, of_first(), 0), (&other, of_other(), 1)] {
            let item = measurement(number * 2 + n, made.meters[0], server.clock.now());
            api.upload(&[item]).ok().await;
        }
    };
    measured(1).await;
    tell(&of_first(), &[group(1, now)]).await;
    pass(&server, 1).await;
    let notice = receiver.wait(1).await[0].notice();
    assert_eq!((notice.began, notice.items.len()), (1, 1), "{notice:?}");
    let item = &notice.items[0];
    assert_eq!((item.kind, item.change), (AlertKind::NewError, AlertChange::Began));
    assert_eq!(item.device, first.measurement_device);

    // Another device has it, too: that is known.
    measured(2).await;
    tell(&of_other(), &[group(1, now)]).await;
    tell(&of_first(), &[group(1, now)]).await;
    pass(&server, 2).await;
    assert_eq!(receiver.count(), 1);
    let groups = shown(&server).await;
    assert_eq!((groups.devices.len(), groups.devices[0].devices), (1, 2), "{groups:?}");
    assert_eq!((groups.devices[0].count, &*groups.devices[0].versions[0].version), (6, "0.9.0"));
    assert_eq!(groups.server, [], "this one has had none");

    // A day later it is no news.
    for number in 3..28 {
        measured(number).await;
        pass(&server, 2).await;
    }
    let notice = receiver.wait(2).await[1].notice();
    assert_eq!((notice.began, notice.ended), (0, 1));
    assert_eq!(notice.items[0].kind, AlertKind::NewError);
    let text = metrics(&server).await;
    assert!(text.lines().any(|line| line == "ebp_device_error_groups 1"), "{text}");
    let device = first.measurement_device.to_string();
    assert!(!text.contains(&device) && !text.contains("SpoolError"), "no metric names them");

    // With its consent ends what its device said.
    of_first().delete(paths::CONSENT).ok().await;
    assert_eq!(shown(&server).await.devices[0].devices, 1);
    server.stop().await;
}

async fn metrics(server: &Server) -> String {
    let call = server.manager(Group::Administrators).get(paths::METRICS);
    call.send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn no_group_can_carry_a_text() {
    let server = Server::start().await;
    let (_, api) = server.household("erika@example.org").await;
    let now = server.clock.now();
    let with = |member: &str, value: Value| {
        let mut group = group(1, now);
        group[member] = value;
        json!({"components": {}, "errors": [group]})
    };
    for (status, place) in [
        (with("fingerprint", json!("0123456789AB")), "/errors/0/fingerprint"),
        (with("component", json!("of Erika")), "/errors/0/component"),
        (with("types", json!(["the spool of Erika is full"])), "/errors/0/types/0"),
        (with("types", json!([])), "/errors/0/types"),
        (with("types", json!(vec!["A"; 9])), "/errors/0/types"),
        (with("place", json!("Heidestr. 17")), "/errors/0/place"),
        (with("count", json!(0)), "/errors/0/count"),
        (with("message", json!("no")), "/errors/0/message"),
        (json!({"components": {}, "errors": vec![group(1, now); 21]}), "/errors"),
    ] {
        let call = api.json(Method::PUT, paths::DEVICE_STATUS, &status);
        let problem = call.problem(400, problem_type::INVALID).await;
        let places: Vec<_> = problem.faults.iter().map(|fault| &*fault.pointer).collect();
        assert!(places.contains(&place), "{status}: {places:?}");
    }
    let twice = json!({"components": {}, "errors": [group(1, now), group(1, now)]});
    let call = api.json(Method::PUT, paths::DEVICE_STATUS, &twice);
    assert_eq!(
        call.problem(422, problem_type::INCONSISTENT).await.faults[0].pointer,
        "/errors/1/fingerprint"
    );
    assert_eq!(shown(&server).await, ErrorGroups::default());
    // As a device of a release before tells it.
    tell(&api, &[]).await;
    assert_eq!(DeviceStatus::default().errors, []);
    server.stop().await;
}
