//! Endpoints 1, 2, 5, 6 and 9: what a participant sees of the registration.

use ebp_core::{
    clock::Clock,
    contract::{paths, problem_type},
    scope::{Scope, Scopes},
};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::harness::{Server, measurement};

#[tokio::test]
async fn the_registration_is_given_back() {
    let server = Server::start().await;
    let (registered, api) = server.household("erika@example.org").await;
    assert_eq!(
        api.get(paths::ACCOUNT).ok().await,
        json!({"name": "Erika Mustermann", "email": "erika@example.org"})
    );
    assert_eq!(
        api.get(paths::HOUSEHOLD).ok().await,
        json!({
            "uuid": registered.household,
            "address": {"street": "Heidestraße 17", "postal_code": "51147", "city": "Köln",
                        "country": "DE"},
            "location": {"latitude": 50.8503, "longitude": 7.1017, "precision": "entered"},
            "metadata": {"children": 1, "adults": 2, "adults_with_job": 1, "heat_pump": true,
                         "electric_vehicle_charger": false, "home_battery": false,
                         "metering_concept": "unknown", "battery": "unknown"},
            "consent": {"state": "not-granted", "granted_at": null, "revoked_at": null}
        })
    );
    assert_eq!(
        api.get(paths::METER).ok().await,
        json!([
            {"uuid": registered.meters[0], "type": "ELECTRICITY", "model": "MT175",
             "measurement_device": registered.measurement_device},
            {"uuid": registered.meters[1], "type": "PV-GENERATION", "model": "MT681",
             "measurement_device": registered.measurement_device}
        ])
    );
    assert_eq!(
        api.get(paths::PV_SYSTEM).ok().await,
        json!([{"uuid": registered.pv_systems[0], "nominal_power": 7.48, "azimuth": 180,
                "tilt": 35, "installed_on": "2019-05-03", "meter": registered.meters[1]}])
    );
}

#[tokio::test]
async fn devices_are_seen_with_their_activity() {
    let server = Server::start().await;
    let (registered, api) = server.household("erika@example.org").await;
    let before = server.clock.now();
    let devices = api.get(paths::MEASUREMENT_DEVICE).ok().await;
    assert_eq!(devices[0]["uuid"], json!(registered.measurement_device));
    assert_eq!((&devices[0]["components"], &devices[0]["health"]), (&json!({}), &json!(null)));
    assert_eq!(devices[0]["meters"], json!(registered.meters));
    let first: jiff::Timestamp = devices[0]["last_activity"].as_str().unwrap().parse().unwrap();
    assert!(first.as_second() >= before.as_second());

    // Within a minute it is not worth a write.
    server.clock.advance(30);
    let devices = api.get(paths::MEASUREMENT_DEVICE).ok().await;
    assert_eq!(devices[0]["last_activity"], first.to_string());
    server.clock.advance(61);
    let devices = api.get(paths::MEASUREMENT_DEVICE).ok().await;
    let later: jiff::Timestamp = devices[0]["last_activity"].as_str().unwrap().parse().unwrap();
    assert!(later.duration_since(first).as_secs() >= 91);
}

/// A page that shows a household its data is no sign that the device measures.
#[tokio::test]
async fn only_what_may_send_measurements_is_activity_and_only_reports_are_reports() {
    let server = Server::start().await;
    let registered = server.register("erika@example.org").await;
    let device = Some(registered.measurement_device);
    let page = server.api(Some(&server.issue(
        "erika@example.org",
        device,
        Scopes::from_iter([Scope::Account, Scope::Household, Scope::Consent]),
    )));
    let seen = async || {
        let devices = page.get(paths::MEASUREMENT_DEVICE).ok().await;
        let instant = |name: &str| devices[0][name].as_str().map(str::to_owned);
        (instant("last_activity"), instant("last_report"))
    };
    page.post(paths::CONSENT).expect(StatusCode::CREATED).await;
    page.get(paths::CONSENT).ok().await;
    server.clock.advance(90);
    page.get(paths::ACCOUNT).ok().await;
    assert_eq!(seen().await, (None, None), "the page is no device that measures");

    let measuring =
        server.api(Some(&server.issue("erika@example.org", device, Scopes::of_a_device())));
    measuring.get(paths::CONSENT).ok().await;
    let (active, reported) = seen().await;
    assert!(active.is_some(), "it may send measurements");
    assert_eq!(reported, None, "a question for consent is no report");

    let now = server.clock.now();
    measuring.upload(&[measurement(1, registered.meters[0], now)]).ok().await;
    let (_, uploaded) = seen().await;
    let noted: jiff::Timestamp = uploaded.clone().unwrap().parse().unwrap();
    assert_eq!(noted.duration_since(now).as_secs(), 0);
    server.clock.advance(90);
    measuring.upload(&[json!({"uuid": "x"})]).problem(400, problem_type::INVALID).await;
    assert_eq!(seen().await.1, uploaded, "a malformed upload is no report");
    let status =
        json!({"components": {}, "clock": null, "spool": null, "meters": [], "notices": []});
    let answer = measuring.json(Method::PUT, paths::DEVICE_STATUS, &status).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT, "{}", answer.text().await.unwrap());
    let later: jiff::Timestamp = seen().await.1.unwrap().parse().unwrap();
    assert!(later.duration_since(noted).as_secs() >= 90, "a status is a report");
}

#[tokio::test]
async fn a_participant_with_two_households_acts_for_the_one_of_the_device() {
    let server = Server::start().await;
    let (own, own_device) = server.household("erika@example.org").await;
    let (parents, parents_device) = server.household("Erika@example.org").await;
    assert_ne!(own.household, parents.household);
    assert_eq!(own_device.get(paths::HOUSEHOLD).ok().await["uuid"], json!(own.household));
    assert_eq!(parents_device.get(paths::HOUSEHOLD).ok().await["uuid"], json!(parents.household));

    let personal = server.api(Some(&server.issue("erika@example.org", None, Scopes::all())));
    for path in [paths::HOUSEHOLD, paths::METER, paths::CONSENT, paths::PV_SYSTEM] {
        personal.get(path).problem(409, problem_type::HOUSEHOLD_AMBIGUOUS).await;
    }
    personal.upload(&[]).problem(409, problem_type::HOUSEHOLD_AMBIGUOUS).await;
    assert_eq!(personal.get(paths::ACCOUNT).ok().await["email"], "erika@example.org");

    // One of them leaves: the other stays as it was, and is the only one now.
    parents_device.post(paths::CONSENT).expect(StatusCode::CREATED).await;
    parents_device.delete(paths::CONSENT).ok().await;
    parents_device.get(paths::HOUSEHOLD).problem(410, problem_type::CONSENT_REVOKED).await;
    assert_eq!(personal.get(paths::HOUSEHOLD).ok().await["uuid"], json!(own.household));
    assert_eq!(own_device.get(paths::ACCOUNT).ok().await["email"], "erika@example.org");
}

#[tokio::test]
async fn a_participant_needs_no_device() {
    let server = Server::start().await;
    let registered = server.register("erika@example.org").await;
    let personal = server.api(Some(&server.issue("ERIKA@example.org", None, Scopes::all())));
    let household = personal.get(paths::HOUSEHOLD).ok().await;
    assert_eq!(household["uuid"], json!(registered.household));
    let devices = personal.get(paths::MEASUREMENT_DEVICE).ok().await;
    assert_eq!(devices[0]["last_activity"], json!(null), "no device has spoken");
}
