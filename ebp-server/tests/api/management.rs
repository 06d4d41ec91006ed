//! What researchers and administrators do.

use ebp_core::{
    clock::Clock,
    contract::{paths, problem_type},
    scope::{Group, Scopes},
};
use ebp_server::auth::set_secret;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Api, Call, Server, registration};

fn fill(template: &str, household: &Value, uuid: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    template.replace("{household}", &text(household)).replace("{uuid}", &text(uuid))
}

#[tokio::test]
async fn a_registration_is_entered_seen_and_changed() {
    let server = Server::start().await;
    let researcher = server.manager(Group::Researchers);
    let mut body = serde_json::to_value(registration("erika@example.org")).unwrap();
    // Where nobody says how well it is known, somebody entered it.
    body["location"]["precision"] = json!("entered");
    let made = researcher
        .json(Method::POST, paths::MANAGEMENT_HOUSEHOLD, &body)
        .expect(StatusCode::CREATED)
        .await;
    let household = fill(paths::MANAGED_HOUSEHOLD, &made["household"], &json!(""));
    let seen = researcher.get(&household).ok().await;
    for member in ["participant", "address", "location", "metadata"] {
        assert_eq!(seen[member], body[member], "{member}");
    }
    assert_eq!(seen["consent"]["state"], "not-granted");
    assert_eq!(seen["meters"].as_array().unwrap().len(), 2);
    assert_eq!(seen["pv_systems"][0]["meter"], made["meters"][1]);

    let mut address = body["address"].clone();
    address["street"] = json!("Am Markt 1");
    let change = json!({ "address": address, "location": {"latitude": 51, "longitude": 7.5} });
    let changed = researcher.json(Method::PATCH, &household, &change).ok().await;
    assert_eq!(changed["address"]["street"], "Am Markt 1");
    assert_eq!(changed["participant"], body["participant"]);

    let meters = fill(paths::MANAGED_METERS, &made["household"], &json!(""));
    let meter = json!({"type": "PV-GENERATION", "model": "EASY"});
    let meter = researcher.json(Method::POST, &meters, &meter).expect(StatusCode::CREATED).await;
    let one = fill(paths::MANAGED_METER, &made["household"], &meter["uuid"]);
    let device = json!({ "measurement_device": made["measurement_device"] });
    let changed = researcher.json(Method::PATCH, &one, &device).ok().await;
    assert_eq!(changed["meters"][2]["measurement_device"], made["measurement_device"]);
    // Exchanged: by researchers alone, and no device reads it any more.
    let removed = json!({"removed_at": "2026-03-10T09:20:00Z"});
    let administrator = server.manager(Group::Administrators);
    let call = administrator.json(Method::PATCH, &one, &removed);
    call.problem(403, problem_type::GROUP).await;
    let changed = researcher.json(Method::PATCH, &one, &removed).ok().await;
    assert_eq!(changed["meters"][2]["removed_at"], removed["removed_at"]);
    assert_eq!(changed["meters"][2]["measurement_device"], Value::Null);
    let call = researcher.json(Method::PATCH, &one, &json!({"removed_at": "yesterday"}));
    call.problem(400, problem_type::INVALID).await;
    let device = json!({"removed_at": null, "measurement_device": made["measurement_device"]});
    let changed = researcher.json(Method::PATCH, &one, &device).ok().await;
    assert!(changed["meters"][2].get("removed_at").is_none());

    let systems = fill(paths::MANAGED_PV_SYSTEMS, &made["household"], &json!(""));
    let system = json!({"nominal_power": 9.99, "azimuth": 90, "tilt": 20,
                        "installed_on": "2024-02-29", "meter": meter["uuid"]});
    let system = researcher.json(Method::POST, &systems, &system).expect(StatusCode::CREATED).await;
    let one = fill(paths::MANAGED_PV_SYSTEM, &made["household"], &system["uuid"]);
    let changed = researcher.json(Method::PATCH, &one, &json!({"tilt": 25.5})).ok().await;
    assert_eq!(changed["pv_systems"][1]["tilt"], 25.5);
    assert_eq!(changed["pv_systems"][1]["nominal_power"], 9.99);
}

#[tokio::test]
async fn all_faults_are_told_in_one_answer() {
    let server = Server::start().await;
    let researcher = server.manager(Group::Researchers);
    let mut body = serde_json::to_value(registration("erika")).unwrap();
    body["address"]["postal_code"] = json!("5");
    body["pv_systems"][0]["tilt"] = json!(91);
    body["metadata"]["adults_with_job"] = json!(9);
    let call = researcher.json(Method::POST, paths::MANAGEMENT_HOUSEHOLD, &body);
    let problem = call.problem(400, problem_type::INVALID).await;
    let places: Vec<_> = problem.faults.iter().map(|fault| fault.pointer.as_str()).collect();
    let expected = [
        "/address/postal_code",
        "/participant/email",
        "/pv_systems/0/tilt",
        "/metadata/adults_with_job",
    ];
    assert_eq!(places, expected);
    // What cannot be read at all is among the others.
    body["pv_systems"][0]["installed_on"] = json!("2024-02-30");
    body["meters"][0]["type"] = json!("GAS");
    let call = researcher.json(Method::POST, paths::MANAGEMENT_HOUSEHOLD, &body);
    assert_eq!(call.problem(400, problem_type::INVALID).await.faults.len(), 6);
    let registered = server.register("erika@example.org").await;
    let household = fill(paths::MANAGED_HOUSEHOLD, &json!(registered.household), &json!(""));
    let change = json!({"participant": {"name": "", "email": "x"}, "location":
        {"latitude": 91, "longitude": 181}});
    let call = researcher.json(Method::PATCH, &household, &change);
    assert_eq!(call.problem(400, problem_type::INVALID).await.faults.len(), 4);
    // Bodies that match their schema and contradict themselves.
    let mut taken = serde_json::to_value(registration("erika@example.org")).unwrap();
    taken["participant"]["name"] = json!("Max Mustermann");
    taken["metadata"]["adults_with_job"] = json!(3);
    let call = researcher.json(Method::POST, paths::MANAGEMENT_HOUSEHOLD, &taken);
    let problem = call.problem(422, problem_type::INCONSISTENT).await;
    assert_eq!(problem.faults.len(), 2);
    // A conflict that only the store knows is told beside what is against the form.
    taken["address"]["street"] = json!("");
    let call = researcher.json(Method::POST, paths::MANAGEMENT_HOUSEHOLD, &taken);
    assert_eq!(call.problem(400, problem_type::INVALID).await.faults.len(), 3);
    for path in ["/management/household/x", &format!("/management/household/{}", Uuid::nil())] {
        researcher.get(path).problem(404, problem_type::NOT_FOUND).await;
    }
}

#[tokio::test]
async fn each_group_sees_its_own_half() {
    let server = Server::start().await;
    let (registered, api) = server.consenting("erika@example.org").await;
    server.register("max@example.org").await;
    let (researcher, administrator) =
        (server.manager(Group::Researchers), server.manager(Group::Administrators));
    let kind = json!({"type": "OBIS-CODES-UNAVAILABLE"});
    let report = format!("{}/report", paths::incidents_of(registered.meters[0]));
    api.json(Method::POST, &report, &kind).ok().await;

    let seen = researcher.get(paths::MANAGEMENT_HOUSEHOLD).ok().await;
    let emails: Vec<_> =
        seen["items"].as_array().unwrap().iter().map(|i| &i["participant"]["email"]).collect();
    assert_eq!(emails, ["erika@example.org", "max@example.org"]);
    assert_eq!(seen["items"][0]["consent"]["state"], "granted");

    let health = administrator.get(paths::MANAGEMENT_HOUSEHOLD).ok().await;
    let incident = &health["items"][0]["meters"][0]["incidents"][0];
    assert_eq!(incident["type"], "OBIS-CODES-UNAVAILABLE");
    assert!(health["items"][0]["measurement_devices"][0]["last_activity"].is_string());
    assert!(!health.to_string().contains("example.org"), "administrators see nobody's name");

    let first = administrator.get("/management/device?limit=1").ok().await;
    let next = first["next"].as_str().unwrap();
    let second = administrator.get(&format!("/management/device?limit=1&cursor={next}")).ok().await;
    assert_eq!(second["next"], Value::Null);
    assert_ne!(first["items"][0]["uuid"], second["items"][0]["uuid"]);
    for query in ["limit=0", "cursor=1", "limit=1&limit=1", "from=1"] {
        let path = format!("/management/device?{query}");
        administrator.get(&path).problem(400, problem_type::INVALID).await;
    }

    let item = json!({"uuid": Uuid::new_v4(), "meter": registered.meters[0],
                      "measured_at": server.clock.now(), "data": [{"0100010800ff": 1}]});
    api.upload(&[item]).ok().await;
    // Where no region is, a household that revokes is withheld.
    let path = format!("/management/household/{}", registered.household);
    let abroad = json!({"location": {"latitude": 50.6326, "longitude": 5.5797}});
    researcher.json(Method::PATCH, &path, &abroad).ok().await;
    api.delete(paths::CONSENT).ok().await;
    let seen = researcher.get(paths::MANAGEMENT_HOUSEHOLD).ok().await;
    assert_eq!(seen["items"].as_array().unwrap().len(), 1, "a withheld household is not shown");
    let health = administrator.get(paths::MANAGEMENT_HOUSEHOLD).ok().await;
    let revoked = &health["items"][0];
    assert_eq!(revoked["withheld"], true);
    assert_eq!((&revoked["meters"], &revoked["measurement_devices"]), (&json!([]), &json!([])));
    // Whatever researchers ask, by the identifier of before or since, it is not there.
    for uuid in [registered.household.to_string(), revoked["uuid"].as_str().unwrap().to_owned()] {
        let path = format!("/management/household/{uuid}");
        researcher.get(&path).problem(404, problem_type::NOT_FOUND).await;
        let change = json!({"metadata": {"children": 1, "adults": 1, "adults_with_job": 0,
            "heat_pump": false, "electric_vehicle_charger": false, "home_battery": false}});
        let call = researcher.json(Method::PATCH, &path, &change);
        call.problem(404, problem_type::NOT_FOUND).await;
        let meter = json!({"type": "ELECTRICITY", "model": "EHZ"});
        let call = researcher.json(Method::POST, &format!("{path}/meter"), &meter);
        call.problem(404, problem_type::NOT_FOUND).await;
    }
    api.get(paths::CONSENT).problem(410, problem_type::CONSENT_REVOKED).await;
}

#[tokio::test]
async fn wrong_secrets_are_slowed_down_and_the_right_one_is_not() {
    let server = Server::start().await;
    let path = paths::MANAGEMENT_HOUSEHOLD;
    let nobody = server.api(None);
    // No secret is set yet: nothing can be right.
    let basic = |secret: &str| Call(nobody.get(path).0.basic_auth("researchers", Some(secret)));
    basic("").problem(401, problem_type::UNAUTHENTICATED).await;
    let known = server.manager(Group::Researchers);
    known.get(path).ok().await;
    let answer = basic("wrong").send().await.unwrap();
    assert!(answer.headers().contains_key("www-authenticate"));
    for _ in 0..8 {
        basic("wrong").problem(401, problem_type::UNAUTHENTICATED).await;
    }
    let answer = basic("wrong").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: i64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    known.get(path).ok().await;
    // Each further one waits twice as long, and whoever waits is told no more than that.
    server.clock.advance(wait + 1);
    basic("wrong").problem(401, problem_type::UNAUTHENTICATED).await;
    let answer = basic("wrong").send().await.unwrap();
    let wait: i64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((3..=4).contains(&wait), "{wait}");
    server.clock.advance(wait + 1);

    // A secret that is changed counts at once, and the old one no longer.
    let secrets = server.data().join("secrets.toml");
    let next = "another secret of theirs";
    set_secret(&*server.store, &secrets, Group::Researchers, next).await.unwrap();
    known.get(path).problem(401, problem_type::UNAUTHENTICATED).await;
    server.clock.advance(60);
    basic("another secret of theirs").ok().await;
}

#[tokio::test]
async fn a_certificate_is_revoked_by_an_administrator() {
    let server = Server::start().await;
    let administrator = server.manager(Group::Administrators);
    let registered = server.register("erika@example.org").await;
    let device = Some(registered.measurement_device);
    let issued = server.issue("erika@example.org", device, Scopes::all());
    let api = server.api(Some(&issued));
    api.get(paths::ACCOUNT).ok().await;
    let list = fill(
        paths::MANAGED_CERTIFICATES,
        &json!(""),
        &json!(registered.measurement_device.to_string()),
    );
    let all = administrator.get(&list).ok().await;
    assert_eq!(all["items"][0]["serial"], issued.entry.serial.to_string());
    let one = format!("{list}/{}", issued.entry.serial);
    let revoked = administrator.delete(&one).ok().await;
    assert!(revoked["revoked_at"].is_string());
    assert_eq!(administrator.delete(&one).ok().await, revoked);
    api.get(paths::ACCOUNT).problem(401, problem_type::UNAUTHENTICATED).await;
    // Also for servers that have only the authority's file.
    assert!(server.authority.list().unwrap().iter().any(|entry| entry.revoked_at.is_some()));
    let foreign = format!("{list}/{}", "0".repeat(32));
    administrator.delete(&foreign).problem(404, problem_type::NOT_FOUND).await;
}

/// Whoever guesses, from however many addresses, locks nobody out but themselves.
#[tokio::test]
async fn wrong_secrets_of_others_lock_nobody_out() {
    let server = Server::start().await;
    server.manager(Group::Researchers);
    server.manager(Group::Administrators);
    let from = |address: [u8; 4]| {
        let root = server.authority.certificate_pem();
        Api::from_address(server.address, root, None, Some(address.into()))
    };
    let ask = async |api: &Api, group: Group, secret: &str| {
        let call = api.get(paths::MANAGEMENT_HOUSEHOLD).0.basic_auth(group, Some(secret));
        Call(call).send().await.unwrap().status().as_u16()
    };
    let mut answers = Vec::new();
    for host in 1..=12 {
        let stranger = from([127, 0, 1, host]);
        for i in 0..9 {
            let group = Group::ALL[i % 2];
            answers.push(ask(&stranger, group, "a guess at their secret").await);
        }
    }
    assert_eq!(answers, [401; 108]);
    for group in Group::ALL {
        let secret = format!("the secret of {group}");
        // Of another network, and in the midst of those who guess.
        assert_eq!(ask(&from([127, 0, 2, 1]), group, &secret).await, 200, "{group}");
        assert_eq!(ask(&from([127, 0, 1, 99]), group, &secret).await, 200, "{group}");
    }
    // An address that guesses on waits; others still do not.
    let guesser = from([127, 0, 1, 1]);
    while ask(&guesser, Group::Researchers, "a guess at their secret").await != 429 {}
    let secrets = server.data().join("secrets.toml");
    set_secret(&*server.store, &secrets, Group::Researchers, "their next secret").await.unwrap();
    assert_eq!(ask(&guesser, Group::Researchers, "their next secret").await, 429);
    assert_eq!(ask(&from([127, 0, 1, 98]), Group::Researchers, "their next secret").await, 200);
    // The command on the server's machine does this.
    assert!(server.store.forget_tries().await.unwrap() >= 14);
    assert_eq!(ask(&guesser, Group::Researchers, "another guess").await, 401);
}
