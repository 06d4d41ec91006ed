//! Roll-outs: devices ask what they are to run, administrators steer.

use ebp_core::{
    contract::{DeviceUpdate, NewRollout, paths, problem_type},
    scope::Group,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Api, Call, Server};

const HOUR: i64 = 3_600;

fn path_of(rollout: &Value) -> String {
    paths::MANAGED_ROLLOUT.replace("{uuid}", rollout["uuid"].as_str().unwrap())
}

fn said(kept: &str) -> Value {
    let update = DeviceUpdate { kept: Some(kept.to_owned()), ..DeviceUpdate::default() };
    serde_json::to_value(update).unwrap()
}

async fn ask(device: &Api, kept: &str) -> Value {
    device.json(Method::POST, paths::DEVICE_UPDATE, &said(kept)).ok().await
}

/// What a device reports of its program.
async fn report(device: &Api, version: &str) {
    let status = json!({"components": {"transmitter": version}});
    let put = device.json(Method::PUT, paths::DEVICE_STATUS, &status).send().await.unwrap();
    assert_eq!(put.status(), StatusCode::NO_CONTENT);
}

fn start(first: &[Uuid]) -> Value {
    let new = NewRollout {
        version: "1.4.2".to_owned(),
        first: first.to_vec(),
        steps: Some(vec![100]),
        soak: Some(60),
    };
    serde_json::to_value(new).unwrap()
}

async fn begin(administrator: &Api, first: &[Uuid]) -> Value {
    let call = administrator.json(Method::POST, paths::MANAGEMENT_ROLLOUT, &start(first));
    Call(call.0.header("ebp-label", "ea")).expect(StatusCode::CREATED).await
}

fn steer(administrator: &Api, path: &str, action: &str, tag: Option<&str>) -> Call {
    let mut call = administrator.json(Method::PATCH, path, &json!({"action": action})).0;
    if let Some(tag) = tag {
        call = call.header("if-match", tag);
    }
    Call(call.header("ebp-label", "bo"))
}

/// Waits until the server has judged so.
async fn wait_until(administrator: &Api, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..200 {
        let report = administrator.get(path).ok().await;
        if is_so(&report) {
            return report;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("{}", administrator.get(path).ok().await);
}

/// The same while minutes pass: a soak begins when the server sees that a device has gone over.
async fn wait_past_soak(
    server: &Server,
    device: &Api,
    path: &str,
    is_so: impl Fn(&Value) -> bool,
) -> Value {
    let administrator = server.manager(Group::Administrators);
    for _ in 0..20 {
        let report = administrator.get(path).ok().await;
        if is_so(&report) {
            return report;
        }
        server.clock.advance(61);
        let kept = report["devices"].as_array().unwrap().iter();
        let all = kept.filter(|it| it["state"] == "gone-over").count() == 2;
        ask(device, if all { "1.4.2" } else { "1.4.1" }).await;
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    }
    panic!("{}", administrator.get(path).ok().await);
}

#[tokio::test]
async fn a_version_goes_from_the_first_device_to_all() {
    let server = Server::start().await;
    let administrator = server.manager(Group::Administrators);
    let (one, first) = server.consenting("erika@example.org").await;
    let (two, second) = server.consenting("max@example.org").await;
    for device in [&first, &second] {
        report(device, "1.4.1").await;
        assert_eq!(ask(device, "1.4.1").await, json!({"wish": "any"}));
    }
    let rollout = begin(&administrator, &[one.measurement_device]).await;
    let path = path_of(&rollout);
    let offered = |device: Uuid| {
        move |report: &Value| {
            let devices = report["devices"].as_array().unwrap();
            devices.iter().any(|it| it["device"] == json!(device) && it["state"] == "offered")
        }
    };
    let is = offered(one.measurement_device);
    wait_until(&administrator, &path, is).await;
    assert_eq!(ask(&second, "1.4.1").await, json!({"wish": "stay"}));
    assert_eq!(ask(&first, "1.4.1").await, json!({"wish": "run", "version": "1.4.2"}));

    // It says that it has kept the version; its services do not report it yet.
    ask(&first, "1.4.2").await;
    let report_of = async || administrator.get(&path).ok().await;
    assert_eq!(report_of().await["counts"]["gone-over"], Value::Null);
    report(&first, "1.4.2").await;
    ask(&first, "1.4.2").await;
    wait_until(&administrator, &path, |report| report["counts"]["gone-over"] == 1).await;
    assert_eq!(report_of().await["rollout"]["step"], 0, "its soak is not over");
    let is = offered(two.measurement_device);
    let report_now = wait_past_soak(&server, &second, &path, is).await;
    assert_eq!(report_now["rollout"]["step"], 1);
    assert_eq!(ask(&second, "1.4.1").await["version"], "1.4.2");
    report(&second, "1.4.2").await;
    ask(&second, "1.4.2").await;
    wait_until(&administrator, &path, |report| report["counts"]["gone-over"] == 2).await;
    let is = |report: &Value| report["rollout"]["state"] == "finished";
    let report_now = wait_past_soak(&server, &second, &path, is).await;
    let events = report_now["events"].as_array().unwrap();
    let by: Vec<_> = events.iter().map(|event| event["by"].as_str()).collect();
    assert_eq!(by, [None, None, Some("ea")]);

    // A device that comes back later is told the same.
    let (_, late) = server.consenting("late@example.org").await;
    assert_eq!(ask(&late, "1.4.1").await["version"], "1.4.2");
}

#[tokio::test]
async fn of_two_administrators_the_second_learns_of_the_first() {
    let server = Server::start().await;
    let administrator = server.manager(Group::Administrators);
    let rollout = begin(&administrator, &[]).await;
    let path = path_of(&rollout);
    let again = administrator.json(Method::POST, paths::MANAGEMENT_ROLLOUT, &start(&[]));
    again.problem(409, problem_type::ROLLOUT_STATE).await;
    let shown = administrator.get(&path).send().await.unwrap();
    let tag = shown.headers()["etag"].to_str().unwrap().to_owned();
    let halted = steer(&administrator, &path, "halt", Some(&tag)).ok().await;
    assert_eq!(halted["rollout"]["halt"], "administrator");
    for (action, tag) in [("end", &*tag), ("resume", "W/\"2\"")] {
        let late = steer(&administrator, &path, action, Some(tag));
        let problem = late.problem(412, problem_type::CHANGED).await;
        assert!(problem.detail.unwrap().contains("If-Match"));
    }
    steer(&administrator, &path, "resume", Some("2")).problem(400, problem_type::INVALID).await;
    steer(&administrator, &path, "halt", None).problem(409, problem_type::ROLLOUT_STATE).await;
    let resumed = steer(&administrator, &path, "resume", Some("\"2\"")).ok().await;
    assert_eq!(resumed["rollout"]["revision"], 3);
    let ended = steer(&administrator, &path, "end", None).ok().await;
    assert_eq!(
        (&ended["rollout"]["state"], &ended["events"][0]["by"]),
        (&json!("ended"), &json!("bo"))
    );
    steer(&administrator, &path, "end", None).problem(409, problem_type::ROLLOUT_STATE).await;
    begin(&administrator, &[]).await;
    let listed = administrator.get(paths::MANAGEMENT_ROLLOUT).ok().await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_wrong_is_said_by_its_place() {
    let server = Server::start().await;
    let administrator = server.manager(Group::Administrators);
    let device = server.consenting("erika@example.org").await.1;
    let wrong = json!({"version": "1.4.2", "steps": [50, 25, 100]});
    let call = administrator.json(Method::POST, paths::MANAGEMENT_ROLLOUT, &wrong);
    let problem = call.problem(422, problem_type::INCONSISTENT).await;
    assert_eq!(problem.faults[0].pointer, "/steps");
    let wrong = json!({"kept": "latest"});
    device
        .json(Method::POST, paths::DEVICE_UPDATE, &wrong)
        .problem(400, problem_type::INVALID)
        .await;
    let unknown = start(&[Uuid::from_u128(9)]);
    let call = administrator.json(Method::POST, paths::MANAGEMENT_ROLLOUT, &unknown);
    call.problem(404, problem_type::NOT_FOUND).await;
    administrator
        .get(&path_of(&json!({"uuid": Uuid::nil()})))
        .problem(404, problem_type::NOT_FOUND)
        .await;
}

/// A device of the first step that took the version and says nothing any more.
#[tokio::test]
async fn silence_halts_the_first_step_though_nobody_asks() {
    let server = Server::start().await;
    let administrator = server.manager(Group::Administrators);
    let (made, device) = server.consenting("erika@example.org").await;
    let (other, _) = server.consenting("max@example.org").await;
    report(&device, "1.4.1").await;
    ask(&device, "1.4.1").await;
    let rollout = begin(&administrator, &[made.measurement_device]).await;
    let path = path_of(&rollout);
    wait_until(&administrator, &path, |report| report["counts"]["offered"] == 1).await;
    assert_eq!(ask(&device, "1.4.1").await["wish"], "run");
    server.clock.advance(6 * HOUR + 60);
    // With a certificate that still counts.
    let other = server.device("max@example.org", &other);
    assert_eq!(ask(&other, "1.4.1").await["wish"], "stay");
    let report = wait_until(&administrator, &path, |it| it["rollout"]["state"] == "halted").await;
    assert_eq!(report["rollout"]["halt"], "silence");
    assert_eq!(report["counts"]["silent"], 1);
}

/// A version that nobody published is waited for for ever: it is refused where the server knows the
/// releases.
#[tokio::test]
async fn only_what_is_published_is_rolled_out() {
    let folder = Server::start().await.stop().await;
    let releases = folder.path().join("releases");
    let server = Server::open_with(folder, |settings, _| settings.releases = Some(releases)).await;
    let administrator = server.manager(Group::Administrators);
    let call = administrator.json(Method::POST, paths::MANAGEMENT_ROLLOUT, &start(&[]));
    let call = Call(call.0.header("ebp-label", "ea"));
    let problem = call.expect(StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(problem["errors"][0]["pointer"], "/version", "{problem}");
    assert!(problem.to_string().contains("not published"), "{problem}");
    let list = administrator.get(paths::MANAGEMENT_ROLLOUT).ok().await;
    assert_eq!(list["items"], json!([]));
    server.stop().await;
}
