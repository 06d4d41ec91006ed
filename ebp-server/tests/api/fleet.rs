//! The fleet as administrators ask for it: pages with filters, orders and counts, coverage, histories
//! and silences.

use ebp_core::{
    clock::Clock,
    contract::{paths, problem_type},
    scope::Group,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Api, Server, measurement};

fn device_path(template: &str, device: Uuid) -> String {
    template.replace("{uuid}", &device.to_string())
}

fn states(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap()).collect()
}

fn count(page: &Value, state: &str) -> u64 {
    let counts = page["counts"].as_array().unwrap();
    counts.iter().find(|one| one["state"] == state).unwrap()["devices"].as_u64().unwrap()
}

#[tokio::test]
async fn the_fleet_is_listed_with_its_states() {
    let server = Server::start().await;
    let administrator = server.manager(Group::Administrators);
    server.register("none@example.org").await;
    let (quiet, _) = server.consenting("quiet@example.org").await;
    let (well, api) = server.consenting("well@example.org").await;
    let items: Vec<_> = well
        .meters
        .iter()
        .zip(1..)
        .map(|(meter, uuid)| measurement(uuid, *meter, server.clock.now()))
        .collect();
    api.upload(&items).ok().await;

    let page = administrator.get(paths::MANAGEMENT_FLEET).ok().await;
    assert_eq!(states(&page), ["never-spoke", "healthy", "not-granted"]);
    assert_eq!((count(&page, "never-spoke"), count(&page, "silent")), (1, 0));
    assert_eq!(page["items"][1]["uuid"], json!(well.measurement_device));
    assert_eq!(page["items"][1]["participant"], "Erika Mustermann");
    // Of people there is the name, and nothing else.
    let text = page.to_string();
    assert!(!text.contains("example.org") && !text.contains("Heidestra"), "{text}");

    let path = format!("{}?state=never-spoke", paths::MANAGEMENT_FLEET);
    let only = administrator.get(&path).ok().await;
    assert_eq!(only["items"][0]["uuid"], json!(quiet.measurement_device));
    assert_eq!((states(&only).len(), count(&only, "healthy")), (1, 1));

    // Page by page, in either direction.
    for (sort, expected) in [
        ("state", ["never-spoke", "healthy", "not-granted"]),
        ("-state", ["not-granted", "healthy", "never-spoke"]),
    ] {
        let (mut cursor, mut seen) = (String::new(), Vec::new());
        loop {
            let path = format!("{}?limit=1&sort={sort}{cursor}", paths::MANAGEMENT_FLEET);
            let page = administrator.get(&path).ok().await;
            seen.push(states(&page)[0].to_owned());
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, expected);
    }

    // Activity is no report: by its requests for consent alone it stays silent.
    server.clock.advance(2 * 3600 + 60);
    let api = server.device("well@example.org", &well);
    api.get(paths::CONSENT).ok().await;
    let page = administrator.get(paths::MANAGEMENT_FLEET).ok().await;
    assert_eq!(states(&page), ["never-spoke", "silent", "not-granted"]);
    assert_eq!(page["items"][1]["reasons"], json!(["silent", "late"]));

    for wrong in [
        "?state=lost",
        "?sort=name",
        "?sort=--state",
        "?limit=0",
        "?limit=1001",
        "?cursor=1",
        "?q=",
        "?q=%00",
        "?version=",
        "?state=late&state=late",
        "?x=1",
    ] {
        let path = format!("{}{wrong}", paths::MANAGEMENT_FLEET);
        administrator.get(&path).problem(400, problem_type::INVALID).await;
    }
    let long = format!("{}?q={}", paths::MANAGEMENT_FLEET, "x".repeat(101));
    administrator.get(&long).problem(400, problem_type::INVALID).await;
    // What looks like SQL is a name that nobody has.
    let odd = format!("{}?q=%27)%20OR%201%3D1%20--&sort=participant", paths::MANAGEMENT_FLEET);
    assert_eq!(states(&administrator.get(&odd).ok().await), [""; 0]);
    let researcher = server.manager(Group::Researchers);
    researcher.get(paths::MANAGEMENT_FLEET).problem(403, problem_type::GROUP).await;
}

async fn silenced(administrator: &Api, device: Uuid) -> Value {
    let path = format!("{}?q={device}", paths::MANAGEMENT_FLEET);
    administrator.get(&path).ok().await["items"][0]["silence"].take()
}

#[tokio::test]
async fn a_device_is_looked_at_and_silenced() {
    let server = Server::start().await;
    let administrator = server.manager(Group::Administrators);
    let (made, api) = server.consenting("erika@example.org").await;
    let device = made.measurement_device;
    let now = server.clock.now();
    api.upload(&[measurement(1, made.meters[0], now)]).ok().await;

    let coverage = administrator.get(&device_path(paths::DEVICE_COVERAGE, device)).ok().await;
    assert_eq!(
        (&coverage["cycle"], coverage["meters"].as_array().unwrap().len()),
        (&json!(900), 2)
    );
    let days = coverage["meters"][0]["days"].as_array().unwrap();
    assert_eq!((days.len(), days[29].as_str().unwrap().len()), (30, 96));
    let letters: String = days.iter().map(|day| day.as_str().unwrap()).collect();
    assert_eq!(letters.matches('m').count(), 1);
    for wrong in [
        "?from=2026-01-01&to=2026-01-01",
        "?from=2026-01-01&to=2026-04-12",
        "?from=2026-13-01",
        "?from=-9999-01-01",
        "?to=9999-12-31",
        "?days=1",
    ] {
        let path = format!("{}{wrong}", device_path(paths::DEVICE_COVERAGE, device));
        administrator.get(&path).problem(400, problem_type::INVALID).await;
    }
    let most =
        format!("{}?from=2026-01-01&to=2026-04-11", device_path(paths::DEVICE_COVERAGE, device));
    let most = administrator.get(&most).ok().await;
    assert_eq!(most["meters"][0]["days"].as_array().unwrap().len(), 100);

    let history = administrator.get(&device_path(paths::DEVICE_HISTORY, device)).ok().await;
    assert_eq!(history, json!({"incidents": [], "days": []}));
    let path = device_path(paths::DEVICE_SILENCE, device);
    administrator.get(&path).problem(404, problem_type::NOT_FOUND).await;
    administrator.delete(&path).problem(404, problem_type::NOT_FOUND).await;
    let silence = json!({"reason": "The household is being renovated"});
    let begun = administrator.json(Method::POST, &path, &silence).expect(StatusCode::CREATED).await;
    assert_eq!(begun["until_recovery"], true);
    server.clock.advance(3 * 3600);
    assert_eq!(administrator.get(&path).ok().await, begun);
    assert_eq!(silenced(&administrator, device).await, begun);
    let past = json!({"reason": "x", "ends_at": "2020-01-01T00:00:00Z"});
    let call = administrator.json(Method::POST, &path, &past);
    call.problem(422, problem_type::INCONSISTENT).await;
    let wrong = json!({"reason": "\u{7}", "until": 1});
    let call = administrator.json(Method::POST, &path, &wrong);
    assert_eq!(call.problem(400, problem_type::INVALID).await.faults.len(), 2);
    // It recovers: both meters are measured.
    let api = server.device("erika@example.org", &made);
    let now = server.clock.now();
    let items = [measurement(2, made.meters[0], now), measurement(3, made.meters[1], now)];
    api.upload(&items).ok().await;
    administrator.get(&path).problem(404, problem_type::NOT_FOUND).await;
    assert_eq!(silenced(&administrator, device).await, json!(null));
    administrator.json(Method::POST, &path, &silence).expect(StatusCode::CREATED).await;
    let ended = administrator.delete(&path).send().await.unwrap();
    assert_eq!(ended.status(), StatusCode::NO_CONTENT);

    for path in [paths::DEVICE_COVERAGE, paths::DEVICE_HISTORY, paths::DEVICE_SILENCE] {
        administrator
            .get(&device_path(path, Uuid::nil()))
            .problem(404, problem_type::NOT_FOUND)
            .await;
    }
    api.delete(paths::CONSENT).ok().await;
    for path in [paths::DEVICE_COVERAGE, paths::DEVICE_HISTORY, paths::DEVICE_SILENCE] {
        administrator
            .get(&device_path(path, device))
            .problem(410, problem_type::CONSENT_REVOKED)
            .await;
    }
    let page = administrator.get(paths::MANAGEMENT_FLEET).ok().await;
    assert_eq!((states(&page), &page["items"][0]["household"]), (vec!["revoked"], &json!(null)));
}

#[tokio::test]
async fn how_a_household_is_wired_is_said_and_changed() {
    let server = Server::start().await;
    let researcher = server.manager(Group::Researchers);
    let made = server.register("erika@example.org").await;
    let household = paths::MANAGED_HOUSEHOLD.replace("{household}", &made.household.to_string());
    let shown = researcher.get(&household).ok().await;
    assert_eq!(shown["metadata"]["metering_concept"], "unknown");
    assert_eq!(shown["metadata"]["battery"], "unknown");
    let mut metadata = shown["metadata"].clone();
    metadata["metering_concept"] = json!("surplus-feed-in");
    metadata["home_battery"] = json!(true);
    metadata["battery"] = json!("dc");
    let body = json!({ "metadata": metadata });
    let changed = researcher.json(Method::PATCH, &household, &body).ok().await;
    assert_eq!(changed["metadata"], metadata);
    metadata["battery"] = json!("none");
    let body = json!({ "metadata": metadata });
    let call = researcher.json(Method::PATCH, &household, &body);
    let problem = call.problem(422, problem_type::INCONSISTENT).await;
    assert_eq!(problem.faults[0].pointer, "/metadata/battery");

    let meter = |meter: Uuid| format!("{household}/meter/{meter}");
    let register = json!({"generation_register": "2.8.0"});
    let call = researcher.json(Method::PATCH, &meter(made.meters[0]), &register);
    let problem = call.problem(422, problem_type::INCONSISTENT).await;
    assert_eq!(problem.faults[0].pointer, "/generation_register");
    let changed = researcher.json(Method::PATCH, &meter(made.meters[1]), &register).ok().await;
    assert_eq!(changed["meters"][1]["generation_register"], "2.8.0");
    let none = json!({"generation_register": null});
    let changed = researcher.json(Method::PATCH, &meter(made.meters[1]), &none).ok().await;
    assert_eq!(changed["meters"][1].get("generation_register"), None);
}

/// A device that goes on asking a day after it was told that consent is revoked is seen, and whose it was
/// is not.
#[tokio::test]
async fn a_device_that_speaks_on_after_a_revocation_is_seen() {
    let server = Server::start().await;
    let administrator = server.manager(Group::Administrators);
    let (made, api) = server.consenting("erika@example.org").await;
    let (stopped, other) = server.consenting("max@example.org").await;
    for api in [&api, &other] {
        api.delete(paths::CONSENT).ok().await;
    }
    let speak = async |server: &Server| {
        let api = server.device("erika@example.org", &made);
        api.get(paths::CONSENT).problem(410, problem_type::CONSENT_REVOKED).await;
    };
    speak(&server).await;
    server.clock.advance(23 * 3600);
    speak(&server).await;
    let page = administrator.get(paths::MANAGEMENT_FLEET).ok().await;
    assert_eq!(states(&page), ["revoked", "revoked"], "it may take a day to stop");
    // The day goes on after a restart of the server.
    let server = Server::open(server.stop().await, ebp_server::Limits::default()).await;
    let administrator = server.manager(Group::Administrators);
    speak(&server).await;
    server.clock.advance(3600);
    speak(&server).await;
    let page = administrator.get(paths::MANAGEMENT_FLEET).ok().await;
    assert_eq!(states(&page), ["speaks-on", "revoked"]);
    assert_eq!((count(&page, "speaks-on"), count(&page, "revoked")), (1, 1));
    let [first, second] = &page["items"].as_array().unwrap()[..] else { panic!() };
    assert_eq!(first["uuid"], json!(made.measurement_device));
    assert_eq!(first["reasons"], json!(["speaks-on", "revoked"]));
    assert_eq!(second["uuid"], json!(stopped.measurement_device));
    for of in ["household", "participant", "last_report"] {
        assert!(first.get(of).is_none_or(Value::is_null), "{first}");
    }
    assert!(!page.to_string().contains(&made.household.to_string()));
}
