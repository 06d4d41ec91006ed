//! Changes of a version, their history, and searching households.

use ebp_core::{
    contract::{paths, problem_type},
    scope::Group,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Api, Call, Server, registration};

fn path_of(household: Uuid) -> String {
    paths::MANAGED_HOUSEHOLD.replace("{household}", &household.to_string())
}

/// The version of a household.
async fn version(researcher: &Api, path: &str) -> String {
    let answer = researcher.get(path).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.headers()["etag"].to_str().unwrap().to_owned()
}

fn change(researcher: &Api, path: &str, version: &str, body: &Value) -> Call {
    let call = researcher.json(Method::PATCH, path, body);
    Call(call.0.header("if-match", version).header("ebp-label", "ÄM".as_bytes()))
}

#[tokio::test]
async fn of_two_who_saw_the_same_version_one_changes_it() {
    let server = Server::start().await;
    let registered = server.register("erika@example.org").await;
    let researcher = server.manager(Group::Researchers);
    let path = path_of(registered.household);
    let seen = version(&researcher, &path).await;
    assert_eq!(version(&researcher, &path).await, seen, "nothing changed");
    let street = |street: &str| json!({"address": {"street": street, "postal_code": "51147", "city": "Köln", "country": "DE"}});
    let answer = change(&researcher, &path, &seen, &street("Neue Gasse 2")).send().await.unwrap();
    let next = answer.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(version(&researcher, &path).await, next);
    let late = change(&researcher, &path, &seen, &street("Alte Gasse 3"));
    let problem = late.problem(412, problem_type::CHANGED).await;
    assert!(problem.detail.unwrap().contains("If-Match"), "it says what to do");
    assert_eq!(researcher.get(&path).ok().await["address"]["street"], "Neue Gasse 2");

    // The members are the household's.
    let meter = format!("{path}/meter/{}", registered.meters[0]);
    let model = json!({"model": "EHZ"});
    change(&researcher, &meter, &seen, &model).problem(412, problem_type::CHANGED).await;
    change(&researcher, &meter, &next, &model).ok().await;
    let system = format!("{path}/pv_system/{}", registered.pv_systems[0]);
    change(&researcher, &system, &next, &json!({"tilt": 20}))
        .problem(412, problem_type::CHANGED)
        .await;
    let gone = researcher.delete(&system);
    Call(gone.0.header("if-match", &next)).problem(412, problem_type::CHANGED).await;
    // As before without one, and with any.
    researcher.json(Method::PATCH, &system, &json!({"tilt": 20})).ok().await;
    change(&researcher, &system, "*", &json!({"tilt": 21})).ok().await;
    let weak = format!("W/{}", version(&researcher, &path).await);
    change(&researcher, &system, &weak, &json!({"tilt": 22}))
        .problem(412, problem_type::CHANGED)
        .await;
    change(&researcher, &system, "abc", &json!({})).problem(400, problem_type::INVALID).await;

    let history =
        paths::HOUSEHOLD_CHANGES.replace("{household}", &registered.household.to_string());
    let changes = researcher.get(&history).ok().await;
    let told: Vec<_> = changes["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| {
            (
                change["kind"].as_str().unwrap(),
                change["label"].as_str(),
                change["fields"].to_string(),
            )
        })
        .collect();
    let tilt = || "[\"/tilt\"]".to_owned();
    assert_eq!(
        told,
        [
            ("changed", Some("ÄM"), "[\"/address/street\"]".to_owned()),
            ("meter-changed", Some("ÄM"), "[\"/model\"]".to_owned()),
            ("pv-system-changed", None, tilt()),
            ("pv-system-changed", Some("ÄM"), tilt()),
        ]
    );
    let text = changes.to_string();
    for value in ["Neue Gasse", "Alte Gasse", "Heidestra", "EHZ", "MT175"] {
        assert!(!text.contains(value), "{value}");
    }
    let label = |text: &str| {
        Call(researcher.json(Method::PATCH, &path, &street("x")).0.header("ebp-label", text))
    };
    for wrong in ["", &"x".repeat(17)] {
        label(wrong).problem(400, problem_type::INVALID).await;
    }
    server.manager(Group::Administrators).get(&history).problem(403, problem_type::GROUP).await;
}

#[tokio::test]
async fn households_are_searched_sorted_and_counted() {
    let server = Server::start().await;
    let researcher = server.manager(Group::Researchers);
    for (name, email, city) in [
        ("Änne Müller", "anne@example.org", "Köln"),
        ("Bert 100%", "bert@example.org", "Bonn"),
        ("Carl Meier", "carl@example.org", "Köln"),
    ] {
        let mut body = serde_json::to_value(registration(email)).unwrap();
        body["participant"]["name"] = json!(name);
        body["address"]["city"] = json!(city);
        let call = researcher.json(Method::POST, paths::MANAGEMENT_HOUSEHOLD, &body);
        call.expect(StatusCode::CREATED).await;
    }
    let ask = |query: &str| researcher.get(&format!("{}?{query}", paths::MANAGEMENT_HOUSEHOLD));
    let names = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap();
        items.iter().map(|item| item["participant"]["name"].as_str().unwrap().to_owned()).collect()
    };
    let all = ask("").ok().await;
    assert_eq!(all["counts"], json!({"registered": 3, "granted": 0, "revoked": 0, "withheld": 0}));
    assert_eq!(all["items"][0]["city"], "Köln");
    for (query, found) in [
        ("q=m%C3%9CLLER", vec!["Änne Müller"]),
        ("q=k%C3%B6ln&sort=-name", vec!["Änne Müller", "Carl Meier"]),
        ("q=100%25", vec!["Bert 100%"]),
        ("q=%25", vec!["Bert 100%"]),
        ("q=_", vec![]),
        ("q=bert@example.org", vec!["Bert 100%"]),
        ("consent=granted", vec![]),
        ("consent=not-granted&sort=city&q=bonn", vec!["Bert 100%"]),
    ] {
        let page = ask(query).ok().await;
        assert_eq!(names(&page), found, "{query}");
        assert_eq!(page["counts"], all["counts"], "{query}");
    }
    let first = ask("sort=name&limit=2").ok().await;
    let cursor = first["next"].as_str().unwrap();
    let rest = ask(&format!("sort=name&limit=2&cursor={cursor}")).ok().await;
    assert_eq!((names(&rest), &rest["next"]), (vec!["Änne Müller".to_owned()], &json!(null)));
    for wrong in [
        "q=%00",
        "consent=withheld",
        "sort=tilt",
        "sort=",
        "cursor=x",
        "limit=0",
        &format!("q={}", "x".repeat(201)),
        &format!("cursor={cursor}"),
    ] {
        let problem = ask(wrong).problem(400, problem_type::INVALID).await;
        assert!(!format!("{problem:?}").contains("xxx"), "no value");
    }
    // Administrators see no people, and search for none.
    let administrator = server.manager(Group::Administrators);
    let search = format!("{}?q=anne", paths::MANAGEMENT_HOUSEHOLD);
    administrator.get(&search).problem(400, problem_type::INVALID).await;
}

/// Researchers make devices and tokens, and administrators see whose a device is, and nothing else.
#[tokio::test]
async fn researchers_make_devices_and_administrators_see_names() {
    let server = Server::start().await;
    let registered = server.register("erika@example.org").await;
    let researcher = server.manager(Group::Researchers);
    let administrator = server.manager(Group::Administrators);
    let body = json!({"household": registered.household});
    for api in [&researcher, &administrator] {
        let made = api.json(Method::POST, paths::MANAGEMENT_DEVICE, &body);
        let made = made.expect(StatusCode::CREATED).await;
        let token = paths::MANAGED_ENROLMENT.replace("{uuid}", made["uuid"].as_str().unwrap());
        api.json(Method::POST, &token, &json!({})).expect(StatusCode::CREATED).await;
    }
    researcher.get(paths::MANAGEMENT_DEVICE).problem(403, problem_type::GROUP).await;
    let devices = administrator.get(paths::MANAGEMENT_DEVICE).ok().await;
    let shown = administrator.get(&format!(
        "{}/{}",
        paths::MANAGEMENT_DEVICE,
        registered.measurement_device
    ));
    assert_eq!(shown.ok().await["participant"], "Erika Mustermann");
    assert!(
        devices["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|it| it["participant"] == "Erika Mustermann")
    );
    let health = administrator.get(paths::MANAGEMENT_HOUSEHOLD).ok().await.to_string();
    for text in [&*devices.to_string(), &*health] {
        for person in ["erika@example.org", "Heidestra", "51147", "Köln", "50.85"] {
            assert!(!text.contains(person), "{person}");
        }
    }
    assert!(!health.contains("Mustermann"));
}

/// What is removed or changed of a device is made for the version that was seen, and is in the history
/// of its household.
#[tokio::test]
async fn devices_and_removals_go_by_the_version_and_the_history_has_them() {
    let server = Server::start().await;
    let researcher = server.manager(Group::Researchers);
    let administrator = server.manager(Group::Administrators);
    let body = serde_json::to_value(registration("erika@example.org")).unwrap();
    let registering = researcher.json(Method::POST, paths::MANAGEMENT_HOUSEHOLD, &body);
    let registering = Call(registering.0.header("ebp-label", "ÄM".as_bytes()));
    let registered = registering.expect(StatusCode::CREATED).await;
    let household: Uuid = serde_json::from_value(registered["household"].clone()).unwrap();
    let path = path_of(household);
    let made = administrator.json(
        Method::POST,
        paths::MANAGEMENT_DEVICE,
        &json!({"household": household}),
    );
    let made = made.expect(StatusCode::CREATED).await;
    let uuid = made["uuid"].as_str().unwrap();
    let device = format!("{}/{uuid}", paths::MANAGEMENT_DEVICE);
    let seen = version(&administrator, &device).await;
    assert_eq!(version(&researcher, &path).await, seen, "it is the household's");
    let of = |path: &str| path.replace("{uuid}", uuid);
    let silence = json!({"reason": "away", "until_recovery": true});
    administrator
        .json(Method::POST, &of(paths::MANAGED_ENROLMENT), &json!({}))
        .expect(StatusCode::CREATED)
        .await;
    administrator.post(&of(paths::MANAGED_SIGN_IN_CODE)).expect(StatusCode::CREATED).await;
    administrator
        .json(Method::POST, &of(paths::DEVICE_SILENCE), &silence)
        .expect(StatusCode::CREATED)
        .await;
    administrator.delete(&of(paths::MANAGED_CERTIFICATES)).ok().await;
    let no_content = async |call: Call| {
        assert_eq!(call.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    };
    no_content(administrator.delete(&of(paths::DEVICE_SILENCE))).await;
    assert_eq!(version(&researcher, &path).await, seen, "none of these changes the household");
    let old = "\"00000000000000000000000000000000\"";
    let if_match = |call: Call, version: &str| Call(call.0.header("if-match", version));
    let changing = administrator.json(Method::PATCH, &device, &json!({"meters": []}));
    if_match(changing, old).problem(412, problem_type::CHANGED).await;
    for removing in [administrator.delete(&device), researcher.delete(&path)] {
        if_match(removing, old).problem(412, problem_type::CHANGED).await;
    }
    no_content(if_match(administrator.delete(&device), &seen)).await;
    let history = paths::HOUSEHOLD_CHANGES.replace("{household}", &household.to_string());
    let changes = researcher.get(&history).ok().await;
    let told: Vec<_> = changes["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| (change["kind"].as_str().unwrap(), change["group"].as_str().unwrap()))
        .collect();
    let administrators = |kind| (kind, "administrators");
    assert_eq!(
        told,
        [
            ("registered", "researchers"),
            administrators("device-added"),
            administrators("token-made"),
            administrators("sign-in-code-made"),
            administrators("device-silenced"),
            administrators("certificate-revoked"),
            administrators("silence-ended"),
            administrators("device-removed"),
        ]
    );
    assert_eq!(changes["items"][0]["label"], "ÄM");
    let seen = version(&researcher, &path).await;
    no_content(if_match(researcher.delete(&path), &seen)).await;
    researcher.get(&path).problem(404, problem_type::NOT_FOUND).await;
}
