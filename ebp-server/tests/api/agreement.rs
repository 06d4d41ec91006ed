//! The survey's texts, consent to one of them, and withdrawals that came elsewhere.

use ebp_core::{
    clock::Clock,
    contract::{Language, PurposeText, SurveyPurpose, SurveyText, paths, problem_type},
    scope::{Group, Scope, Scopes},
};
use ebp_server::Settings;
use ebp_survey::Survey;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    harness::{Api, Server, TestClock},
    token::{Issuer, bearer, claims},
};

/// Writes the texts of a version into a server's folder.
fn write_texts(folder: &std::path::Path, version: u32, summary: &str) {
    for language in ["de", "en"] {
        let own = folder.join(version.to_string()).join(language);
        std::fs::create_dir_all(&own).unwrap();
        std::fs::write(own.join("summary.md"), format!("{summary} ({language})")).unwrap();
        std::fs::write(own.join("details.md"), "All of it.").unwrap();
    }
}

async fn with_texts(dir: tempfile::TempDir) -> Server {
    let texts = dir.path().join("texts");
    Server::open_with(dir, |settings: &mut Settings, _: &TestClock| {
        settings.texts = Some(texts);
        settings.survey.name = Some("Strom im Haus".into());
    })
    .await
}

async fn server_with_texts() -> Server {
    let dir = Server::prepare(crate::ENGINE).await;
    write_texts(&dir.path().join("texts"), 1, "Kurz");
    with_texts(dir).await
}

fn grant(api: &Api, body: &Value) -> crate::harness::Call {
    api.json(Method::POST, paths::CONSENT, body)
}

#[tokio::test]
async fn consent_is_to_a_text() {
    let server = server_with_texts().await;
    let nobody = server.api(None);
    let survey = nobody.get(paths::SURVEY).ok().await;
    assert_eq!((&survey["name"], &survey["text_version"]), (&json!("Strom im Haus"), &json!(1)));
    assert_eq!(survey["texts"][0]["summary"], "Kurz (de)\n");
    assert_eq!(survey["texts"][1]["language"], "en");

    let (_, api) = server.household("erika@example.org").await;
    for incomplete in [json!({}), json!({"text_version": 1}), json!({"language": "de"})] {
        let problem = grant(&api, &incomplete).problem(422, problem_type::INCONSISTENT).await;
        assert_eq!(problem.faults.len(), 2 - incomplete.as_object().unwrap().len());
    }
    api.post(paths::CONSENT).problem(422, problem_type::INCONSISTENT).await;
    for wrong in
        [json!({"text_version": 0, "language": "de"}), json!({"language": "fr"}), json!([])]
    {
        grant(&api, &wrong).problem(400, problem_type::INVALID).await;
    }
    let stale = json!({"text_version": 7, "language": "de"});
    let problem = grant(&api, &stale).problem(409, problem_type::CONSENT_TEXT_CHANGED).await;
    assert_eq!(problem.text_version, Some(1));
    assert!(problem.detail.unwrap().contains("GET /survey"));
    assert_eq!(api.get(paths::CONSENT).ok().await["state"], "not-granted");

    let agreed = json!({"text_version": 1, "language": "de"});
    let granted = grant(&api, &agreed).expect(StatusCode::CREATED).await;
    assert_eq!(granted["text"], json!({"version": 1, "language": "de"}));
    assert_eq!(api.get(paths::CONSENT).ok().await, granted);
    grant(&api, &stale).problem(409, problem_type::CONSENT_ALREADY_GRANTED).await;
}

/// Each further purpose is given and withdrawn by itself, with its text and its time, and everybody who
/// may see consent sees that.
#[tokio::test]
async fn further_purposes_are_consents_of_their_own() {
    let dir = Server::prepare(crate::ENGINE).await;
    let server = Server::open_with(dir, |settings: &mut Settings, _: &TestClock| {
        settings.survey.purposes = vec![SurveyPurpose {
            name: "later-studies".into(),
            texts: vec![PurposeText { language: Language::De, text: "Laden Sie mich ein.".into() }],
        }];
    })
    .await;
    let offered = server.api(None).get(paths::SURVEY).ok().await;
    assert_eq!(offered["purposes"][0]["texts"][0]["text"], "Laden Sie mich ein.");
    let (registered, api) = server.household("erika@example.org").await;
    let path = paths::purpose_of("later-studies");
    let german = json!({"language": "de"});
    let give = async |path: &str, body: &Value| {
        let answer = api.json(Method::POST, path, body).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    assert_eq!(give(&path, &german).await.0, 409, "consent is not granted");
    let granted = api.post(paths::CONSENT).expect(StatusCode::CREATED).await;
    assert_eq!(granted["purposes"], Value::Null, "nothing is bundled");
    api.delete(&path).problem(404, problem_type::NOT_FOUND).await;
    for (path, body, status) in [
        (&path, json!({"language": "en"}), 404),
        (&path, json!({}), 400),
        (&path, json!({"language": "de", "more": 1}), 400),
        (&paths::purpose_of("another"), german.clone(), 404),
        (&paths::purpose_of("..%2f"), german.clone(), 404),
    ] {
        assert_eq!(give(path, &body).await.0, status, "{path} {body}");
    }
    let begun = server.clock.now();
    let (status, given) = give(&path, &german).await;
    assert_eq!((status, given["state"].as_str()), (200, Some("granted")));
    let purpose = given["purposes"][0].clone();
    assert_eq!((&purpose["name"], &purpose["language"]), (&json!("later-studies"), &json!("de")));
    assert_eq!(purpose["text"], "Laden Sie mich ein.");
    let at = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(begun <= at(&purpose["given_at"]) && at(&purpose["given_at"]) <= server.clock.now());
    assert_eq!(purpose["withdrawn_at"], Value::Null);
    server.clock.advance(60);
    assert_eq!(give(&path, &german).await.1["purposes"][0], purpose, "the first time counts");

    // In consent, in all data, and at the researchers.
    assert_eq!(api.get(paths::CONSENT).ok().await["purposes"][0], purpose);
    let everything = api.get(paths::EXPORT).ok().await;
    assert_eq!(everything["household"]["consent"]["purposes"][0], purpose);
    let household =
        paths::MANAGED_HOUSEHOLD.replace("{household}", &registered.household.to_string());
    let researcher = server.manager(Group::Researchers);
    let shown = researcher.get(&household).ok().await;
    assert_eq!(shown["consent"]["purposes"][0], purpose);

    let withdrawn = api.delete(&path).ok().await;
    assert_eq!(withdrawn["state"], "granted", "the consent to measuring stays");
    assert!(at(&withdrawn["purposes"][0]["withdrawn_at"]) > at(&purpose["given_at"]));
    assert_eq!(withdrawn["purposes"][0]["given_at"], purpose["given_at"]);
    assert_eq!(api.delete(&path).ok().await, withdrawn);
    // Before it is answered it is on the server's own list, which names nobody.
    let list = std::fs::read_to_string(server.data().join("revocations.jsonl")).unwrap();
    assert_eq!(list.lines().count(), 1, "{list}");
    assert!(!list.contains(&registered.household.to_string()), "{list}");
    let (_, again) = give(&path, &german).await;
    assert_eq!(again["purposes"][0]["withdrawn_at"], Value::Null);
    // With consent everything ends.
    let revoked = api.delete(paths::CONSENT).ok().await;
    assert_eq!(revoked["purposes"], Value::Null);
    assert_eq!(give(&path, &german).await.0, 410);
}

/// Prices by quarter hours are told for the time that is asked for.
#[tokio::test]
async fn prices_by_quarter_hours() {
    let dir = Server::prepare(crate::ENGINE).await;
    let file = dir.path().join("prices.csv");
    let text =
        "start,import,export\n2026-06-15T12:00:00Z,0.3012,\n2026-06-15T12:15:00Z,-0.01,0.0794\n";
    std::fs::write(&file, text).unwrap();
    let server = Server::open_with(dir, |settings: &mut Settings, _: &TestClock| {
        settings.quarter_prices = Some(file);
    })
    .await;
    let nobody = server.api(None);
    let survey = nobody.get(paths::SURVEY).ok().await;
    assert_eq!(
        survey["quarter_prices"],
        json!({"from": "2026-06-15T12:00:00Z", "to": "2026-06-15T12:30:00Z", "import": [],
               "export": []})
    );
    let asked = "/survey?prices_from=2026-06-15T11:45:00Z&prices_to=2026-06-15T12:30:00Z";
    let prices = &nobody.get(asked).ok().await["quarter_prices"];
    assert_eq!(prices["import"].to_string(), "[null,0.3012,-0.01]");
    assert_eq!(prices["export"].to_string(), "[null,null,0.0794]");
    for wrong in [
        "prices_from=2026-06-15T11:45:00Z",
        "prices_from=2026-06-15&prices_to=2026-06-16",
        "prices_from=2026-06-15T11:46:00Z&prices_to=2026-06-15T12:30:00Z",
        "prices_from=2026-06-15T12:30:00Z&prices_to=2026-06-15T11:45:00Z",
        "prices_from=2026-06-15T00:00:00Z&prices_to=2026-07-17T00:00:00Z",
    ] {
        nobody.get(&format!("/survey?{wrong}")).problem(400, problem_type::INVALID).await;
    }
    let dir = server.stop().await;
    std::fs::write(dir.path().join("prices.csv"), "start,import,export\nx,1,1\n").unwrap();
    let error = Server::open_with(dir, |settings: &mut Settings, _: &TestClock| {
        settings.quarter_prices = Some(settings.data.join("prices.csv"));
    })
    .await
    .ended()
    .await
    .unwrap_err()
    .to_string();
    assert!(error.contains("prices.csv, line 2"), "{error}");
}

#[tokio::test]
async fn a_new_text_counts_on_every_server() {
    let server = server_with_texts().await;
    let (_, api) = server.household("erika@example.org").await;
    let nobody = server.api(None);
    let first = nobody.get(paths::SURVEY).send().await.unwrap();
    let tag = first.headers()["etag"].to_str().unwrap().to_owned();
    let known = async |tag: &str| {
        let call = nobody.get(paths::SURVEY).0.header("if-none-match", tag);
        call.send().await.unwrap()
    };
    let again = known(&tag).await;
    assert_eq!((again.status().as_u16(), again.headers()["etag"].to_str().unwrap()), (304, &*tag));
    assert_eq!(again.text().await.unwrap(), "");

    // Another server of the database publishes a new version.
    let text = |summary: &str, language| SurveyText {
        language,
        summary: summary.into(),
        details: "All".into(),
        release: None,
    };
    let other = Survey::new(server.store.clone(), server.clock.clone());
    let texts = vec![text("Neu", Language::De)];
    let texts = ebp_survey::text::VersionedTexts { version: 2, texts };
    other.publish_texts(texts).await.unwrap();
    assert_eq!(known(&tag).await.status().as_u16(), 200);
    let survey = nobody.get(paths::SURVEY).ok().await;
    assert_eq!(survey["text_version"], 2);
    let old = json!({"text_version": 1, "language": "de"});
    let problem = grant(&api, &old).problem(409, problem_type::CONSENT_TEXT_CHANGED).await;
    assert_eq!(problem.text_version, Some(2));
    // The old one is there for those who agreed to it.
    let before = nobody.get("/survey?text_version=1").ok().await;
    assert_eq!(before["texts"][0]["summary"], "Kurz (de)\n");
    nobody.get("/survey?text_version=3").problem(404, problem_type::NOT_FOUND).await;
    nobody.get("/survey?text_version=0").problem(400, problem_type::INVALID).await;

    // A server whose folder has an older version starts, and serves the newest; one whose text of a
    // version differs does not.
    let dir = server.stop().await;
    let server = with_texts(dir).await;
    assert_eq!(server.api(None).get(paths::SURVEY).ok().await["text_version"], 2);
    let dir = server.stop().await;
    write_texts(&dir.path().join("texts"), 2, "Anders");
    let error = with_texts(dir).await.ended().await.unwrap_err().to_string();
    assert!(error.contains("version 2 of the survey's texts was published before"), "{error}");
}

#[tokio::test]
async fn a_gap_keeps_a_server_from_its_start() {
    let dir = Server::prepare(crate::ENGINE).await;
    write_texts(&dir.path().join("texts"), 1, "Wer:\nTODO");
    let error = with_texts(dir).await.ended().await.unwrap_err().to_string();
    assert!(error.contains("1/de/summary.md, line 2") || error.contains("1/en/summary.md, line 2"));
}

#[tokio::test]
async fn without_texts_all_is_as_before() {
    let server = Server::start().await;
    let survey = server.api(None).get(paths::SURVEY).ok().await;
    let expected = json!({"name": null, "controller": null, "contacts": [], "text_version": null,
                          "texts": [], "prices": []});
    assert_eq!(survey, expected);
    let (_, api) = server.household("erika@example.org").await;
    let said = json!({"text_version": 1, "language": "de"});
    grant(&api, &said).problem(422, problem_type::INCONSISTENT).await;
    let granted = api.post(paths::CONSENT).expect(StatusCode::CREATED).await;
    let mut members: Vec<_> = granted.as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["granted_at", "granted_through", "revoked_at", "state"]);
}

#[tokio::test]
async fn a_withdrawal_by_letter_is_a_revocation() {
    let server = Server::start().await;
    let (registered, api) = server.consenting("erika@example.org").await;
    let (other, _) = server.household("max@example.org").await;
    let personal = server.api(Some(&server.issue("erika@example.org", None, Scopes::all())));
    let researcher = server.manager(Group::Researchers);
    let path =
        |household: uuid::Uuid| paths::REVOCATION.replace("{household}", &household.to_string());
    let today = jiff::tz::TimeZone::UTC.to_datetime(server.clock.now()).date();
    let body =
        |day: jiff::civil::Date, channel: &str| json!({"received_on": day, "channel": channel});
    let letter = body(today, "letter");
    let record = |household, body: &Value| researcher.json(Method::POST, &path(household), body);

    for refused in [
        body(today.saturating_add(jiff::Span::new().days(2)), "letter"),
        body(today.saturating_sub(jiff::Span::new().days(2)), "phone"),
    ] {
        let problem = record(registered.household, &refused);
        let problem = problem.problem(422, problem_type::INCONSISTENT).await;
        assert_eq!(problem.faults[0].pointer, "/received_on");
    }
    record(registered.household, &body(today, "fax")).problem(400, problem_type::INVALID).await;
    record(uuid::Uuid::nil(), &letter).problem(404, problem_type::NOT_FOUND).await;
    record(other.household, &letter).problem(409, problem_type::CONSENT_NOT_GRANTED).await;
    for stranger in [&api, &server.manager(Group::Administrators), &server.api(None)] {
        let answer = stranger.json(Method::POST, &path(registered.household), &letter);
        assert!([401, 403].contains(&answer.send().await.unwrap().status().as_u16()));
    }
    api.get(paths::HOUSEHOLD).ok().await;

    let revoked = record(registered.household, &letter).ok().await;
    let month = format!("{}", today.first_of_month());
    assert_eq!(revoked["withdrawal"], json!({"received_on": month, "channel": "letter"}));
    assert!(revoked["revoked_at"].as_str().unwrap().starts_with(&format!("{month}T00:00:00")));
    for device in [&api, &personal] {
        let problem = device.get(paths::CONSENT).problem(410, problem_type::CONSENT_REVOKED).await;
        assert!(problem.detail.unwrap().contains("measuring has ended"));
    }
    record(registered.household, &letter).problem(404, problem_type::NOT_FOUND).await;
    let listed = researcher.get(paths::MANAGEMENT_HOUSEHOLD).ok().await;
    let left = listed["items"].as_array().unwrap().iter().find(|it| it["participant"].is_null());
    let shown = format!("/management/household/{}", left.unwrap()["uuid"].as_str().unwrap());
    let shown = researcher.get(&shown).ok().await;
    assert_eq!(shown["consent"]["withdrawal"], revoked["withdrawal"]);
    assert!(shown["address"].is_null() && shown["participant_uuid"].is_null());
}

/// By which way consent was granted follows from the identity, is answered and exported, and goes with
/// the revocation.
#[tokio::test]
async fn by_which_way_consent_was_granted_is_stored() {
    let server = Server::start().await;
    let issuer = Issuer::new("EdDSA");
    Issuer::publish(&[&issuer], server.data());
    let scopes = || Scopes::from_iter([Scope::Consent]);
    for (number, way) in ["page", "device", "certificate", "token"].into_iter().enumerate() {
        let email = format!("person{number}@example.org");
        let made = server.register(&email).await;
        let device = Some(made.measurement_device);
        let api = match way {
            "page" => server.api(Some(&server.issue(&email, device, Scopes::of_a_frontend()))),
            "device" => server.api(Some(&server.issue(&email, device, Scopes::of_a_device()))),
            "certificate" => server.api(Some(&server.issue(&email, None, scopes()))),
            _ => {
                let token = issuer.token(&claims(&server, &email, &scopes().to_string()));
                bearer(&server, &token)
            }
        };
        let before = api.get(paths::CONSENT).ok().await;
        assert_eq!(before.get("granted_through"), None, "{way}");
        // A request cannot say it.
        let claimed = grant(&api, &json!({"granted_through": "page"}));
        claimed.problem(400, problem_type::INVALID).await;
        let granted = api.post(paths::CONSENT).expect(StatusCode::CREATED).await;
        assert_eq!(granted["granted_through"], way);
        assert_eq!(api.get(paths::CONSENT).ok().await, granted);
        let own = server.api(Some(&server.issue(&email, None, Scopes::all())));
        let export = own.get(paths::EXPORT).ok().await;
        assert_eq!(export["household"]["consent"]["granted_through"], way);
        let household = ebp_store::HouseholdId(made.household);
        let revoked = server.store.revoke_consent(household, server.clock.now()).await.unwrap();
        assert_eq!(revoked.granted_through.map(|it| it.name()), Some(way), "it is told once more");
    }
    let query = ebp_store::ListQuery { after: None, limit: 10 };
    for entry in server.store.registrations(query).await.unwrap().items {
        let left = server.store.consent(ebp_store::HouseholdId(entry.uuid)).await.unwrap();
        assert!(left.revoked_at.is_some() && left.granted_through.is_none(), "{left:?}");
    }
    server.stop().await;
}
