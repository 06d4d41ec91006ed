//! Certificates that end before their time: with a participant's e-mail address, with consent, with
//! a device that is lost.

use std::fs;

use ebp_core::{
    clock::Clock,
    contract::{Problem, paths, problem_type},
    scope::{Group, Scopes},
};
use ebp_store::{Database, RegisterEntry, Serial};
use ebp_survey::{
    Survey,
    authority::{Authority, Issued},
};
use rcgen::{CertificateParams, KeyPair};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Api, Engine, Server, URL, registration};

fn csr(key: &KeyPair) -> String {
    CertificateParams::default().serialize_request(key).unwrap().pem().unwrap()
}

/// A device's certificate from the server, by a one-time token.
async fn enrolled(server: &Server, device: Uuid) -> Api {
    let token = token(server, device).await;
    let key = KeyPair::generate().unwrap();
    let body = json!({"token": token, "csr": csr(&key)});
    let nobody = server.api(None);
    let answer = nobody.json(Method::POST, paths::ENROLL, &body).expect(StatusCode::CREATED).await;
    client(server, &answer, &key)
}

async fn token(server: &Server, device: Uuid) -> Value {
    let path = paths::MANAGED_ENROLMENT.replace("{uuid}", &device.to_string());
    let administrator = server.manager(Group::Administrators);
    let made = administrator.json(Method::POST, &path, &json!({}));
    made.expect(StatusCode::CREATED).await["token"].take()
}

fn client(server: &Server, answer: &Value, key: &KeyPair) -> Api {
    let entry: RegisterEntry = serde_json::from_value(json!({
        "serial": "0".repeat(32), "kind": "client", "device": null, "scopes": "",
        "not_before": "2026-01-01T00:00:00Z", "not_after": "2026-01-01T00:00:00Z",
        "revoked_at": null
    }))
    .unwrap();
    let chain_pem = answer["chain"].as_str().unwrap().to_owned();
    server.api(Some(&Issued { entry, chain_pem, key_pem: key.serialize_pem() }))
}

async fn refused(api: &Api, path: &str) -> String {
    let problem: Problem = api.get(path).problem(401, problem_type::UNAUTHENTICATED).await;
    problem.detail.unwrap()
}

#[tokio::test]
async fn a_participants_certificate_does_not_act_for_the_next_holder_of_the_address() {
    let server = Server::start().await;
    let (registered, device) = server.consenting("erika@example.org").await;
    let person = server.api(Some(&server.issue("erika@example.org", None, Scopes::all())));
    let enrolled = enrolled(&server, registered.measurement_device).await;
    person.get(paths::ACCOUNT).ok().await;
    device.delete(paths::CONSENT).ok().await;
    let mut next = registration("erika@example.org");
    next.participant.name = "Max Nachfolger".into();
    server.store.register(next, server.clock.now()).await.unwrap();
    // That it is over for good is all that the earlier one hears.
    for path in [paths::ACCOUNT, paths::HOUSEHOLD, paths::CONSENT] {
        person.get(path).problem(410, problem_type::CONSENT_REVOKED).await;
    }
    // The devices hear that it is over for good, by whatever their certificates were issued.
    for api in [&device, &enrolled] {
        api.get(paths::CONSENT).problem(410, problem_type::CONSENT_REVOKED).await;
    }
    let renew = json!({"csr": csr(&KeyPair::generate().unwrap())});
    let renewal = enrolled.json(Method::POST, paths::RENEW, &renew);
    renewal.problem(410, problem_type::CONSENT_REVOKED).await;
}

#[tokio::test]
async fn another_address_ends_the_earlier_ones() {
    let server = Server::start().await;
    let registered = server.register("erika@example.org").await;
    let by_authority = server.device("erika@example.org", &registered);
    let by_server = enrolled(&server, registered.measurement_device).await;
    let person = server.api(Some(&server.issue("erika@example.org", None, Scopes::all())));
    let token = token(&server, registered.measurement_device).await;
    let researcher = server.manager(Group::Researchers);
    let path = paths::MANAGED_HOUSEHOLD.replace("{household}", &registered.household.to_string());
    for (email, ends) in [("Erika@Example.org", false), ("e@example.net", true)] {
        let contact = json!({"participant": {"name": "Erika Mustermann", "email": email}});
        let changed = researcher.json(Method::PATCH, &path, &contact).ok().await;
        let same = changed["participant_uuid"] == registered.participant.to_string();
        assert_eq!(same, !ends, "{email}");
        if !ends {
            by_authority.get(paths::CONSENT).ok().await;
            by_server.get(paths::CONSENT).ok().await;
            person.get(paths::ACCOUNT).ok().await;
        }
    }
    assert_eq!(refused(&person, paths::ACCOUNT).await, "nobody is registered by it");
    let told = refused(&by_authority, paths::CONSENT).await;
    assert!(told.contains("e-mail address has changed: enroll the device anew"), "{told}");
    assert_eq!(refused(&by_server, paths::CONSENT).await, "the certificate is revoked");
    let body = json!({"token": token, "csr": csr(&KeyPair::generate().unwrap())});
    let call = server.api(None).json(Method::POST, paths::ENROLL, &body);
    call.problem(401, problem_type::UNAUTHENTICATED).await;
    // Back at the first address they stay ended.
    let contact =
        json!({"participant": {"name": "Erika Mustermann", "email": "erika@example.org"}});
    researcher.json(Method::PATCH, &path, &contact).ok().await;
    for (api, path) in [(&person, paths::ACCOUNT), (&by_authority, paths::CONSENT)] {
        refused(api, path).await;
    }
    enrolled(&server, registered.measurement_device).await.get(paths::CONSENT).ok().await;
}

/// Before, it counted only on servers that had the very register that was changed.
#[tokio::test]
async fn what_ebp_ca_revokes_counts_on_every_server() {
    let server = Server::start().await;
    let (registered, _) = server.consenting("erika@example.org").await;
    let email = "erika@example.org";
    let device = server.issue(email, Some(registered.measurement_device), Scopes::all());
    let person = server.issue(email, None, Scopes::all());
    let stray = server.issue(email, Some(Uuid::new_v4()), Scopes::all());

    // Another machine with a copy of the authority's folder, and another server on the database.
    let folder = Server::prepare(Engine::Sqlite).await;
    let own = folder.path().join("authority");
    for file in ["ca.pem", "ca.key", "register.jsonl"] {
        fs::copy(server.data().join("authority").join(file), own.join(file)).unwrap();
    }
    let url = server.data().join(URL);
    if url.exists() {
        fs::copy(url, folder.path().join(URL)).unwrap();
    }
    let database = server.database();
    let other = Server::open_with(folder, |settings, clock| {
        clock.advance(1);
        if let Some(path) = database {
            settings.database = Database::Sqlite(path);
        }
    })
    .await;

    let authority = Authority::open(&own, other.clock.clone()).unwrap();
    let survey = Survey::new(other.store.clone(), other.clock.clone())
        .with_authority(authority, std::time::Duration::from_secs(86_400));
    for (issued, path) in [(&device, paths::CONSENT), (&person, paths::ACCOUNT)] {
        let apis = [&server, &other].map(|server| server.api(Some(issued)));
        for api in &apis {
            api.get(path).ok().await;
        }
        survey.revoke_certificate(issued.entry.serial).await.unwrap();
        for api in &apis {
            assert_eq!(refused(api, path).await, "the certificate is revoked");
        }
        survey.revoke_certificate(issued.entry.serial).await.unwrap();
    }
    // Its device is not registered: that keeps nobody from revoking it.
    survey.revoke_certificate(stray.entry.serial).await.unwrap();
    let kept = server.store.certificate(stray.entry.serial).await.unwrap().unwrap();
    assert!(kept.revoked_at.is_some() && kept.device.is_none());
    // The first server's own register says nothing of it.
    assert!(server.authority.list().unwrap().iter().all(|entry| entry.revoked_at.is_none()));
    assert!(survey.revoke_certificate(Serial::random()).await.is_err());
}

#[tokio::test]
async fn a_lost_device_is_revoked_with_all_that_its_key_could_still_get() {
    let server = Server::start().await;
    let registered = server.register("erika@example.org").await;
    let device = registered.measurement_device;
    let other = server.household("max@example.org").await.1;
    let by_authority = server.device("erika@example.org", &registered);
    let token = token(&server, device).await;
    let key = KeyPair::generate().unwrap();
    let body = json!({"token": token, "csr": csr(&key)});
    let nobody = server.api(None);
    let enroll = || nobody.json(Method::POST, paths::ENROLL, &body);
    let by_server = client(&server, &enroll().expect(StatusCode::CREATED).await, &key);
    let next_key = KeyPair::generate().unwrap();
    let renew = json!({"csr": csr(&next_key)});
    let next = by_server.json(Method::POST, paths::RENEW, &renew).expect(StatusCode::CREATED).await;
    let next = client(&server, &next, &next_key);
    // Kept connections, each.
    for api in [&by_authority, &by_server, &next] {
        api.get(paths::CONSENT).ok().await;
    }
    let administrator = server.manager(Group::Administrators);
    let path = paths::MANAGED_CERTIFICATES.replace("{uuid}", &device.to_string());
    let answer = administrator.delete(&path).ok().await;
    assert_eq!(answer, json!({"device": device, "revoked": 3}));
    assert_eq!(administrator.delete(&path).ok().await["revoked"], 0);
    let again = json!({"csr": csr(&KeyPair::generate().unwrap())});
    for api in [&by_authority, &by_server, &next] {
        assert_eq!(refused(api, paths::CONSENT).await, "the certificate is revoked");
        let renewal = api.json(Method::POST, paths::RENEW, &again);
        renewal.problem(401, problem_type::UNAUTHENTICATED).await;
    }
    // The token that a lost answer could be asked for again with is void, too.
    enroll().problem(401, problem_type::UNAUTHENTICATED).await;
    let listed = administrator.get(&path).ok().await;
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 3);
    assert!(items.iter().all(|item| item["revoked_at"].is_string()), "{listed}");
    let file = server.authority.list().unwrap();
    let of_device = file.iter().filter(|entry| entry.device == Some(device));
    assert!(of_device.clone().count() == 1 && of_device.clone().all(|e| e.revoked_at.is_some()));
    other.get(paths::CONSENT).ok().await;
    let unknown = path.replace(&device.to_string(), &Uuid::nil().to_string());
    administrator.delete(&unknown).problem(404, problem_type::NOT_FOUND).await;
    let researcher = server.manager(Group::Researchers);
    researcher.delete(&path).problem(403, problem_type::GROUP).await;
    enrolled(&server, device).await.get(paths::CONSENT).ok().await;
}

#[tokio::test]
async fn a_device_renews_once_a_day_and_its_list_comes_in_pages() {
    let server = Server::start().await;
    let registered = server.register("erika@example.org").await;
    let device = registered.measurement_device;
    let mut api = enrolled(&server, device).await;
    let renew = async |api: &Api, key: &KeyPair| {
        let body = json!({"csr": csr(key)});
        api.json(Method::POST, paths::RENEW, &body).send().await.unwrap()
    };
    for day in 0..5 {
        let key = KeyPair::generate().unwrap();
        let answer = renew(&api, &key).await;
        assert_eq!(answer.status(), 201, "day {day}");
        // The answer may be lost: the same key may ask again, and no other one.
        let again = renew(&api, &key).await;
        assert_eq!(again.status(), 201, "day {day}");
        let refused = renew(&api, &KeyPair::generate().unwrap()).await;
        assert_eq!(refused.status(), 429);
        let wait: i64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((80_000..=86_400).contains(&wait), "{wait}");
        let problem: Problem = refused.json().await.unwrap();
        assert_eq!(problem.kind, problem_type::RENEWED_RECENTLY);
        let earlier = api;
        api = client(&server, &again.json().await.unwrap(), &key);
        api.get(paths::CONSENT).ok().await;
        earlier.get(paths::CONSENT).ok().await;
        server.clock.advance(86_400);
    }
    let administrator = server.manager(Group::Administrators);
    let path = paths::MANAGED_CERTIFICATES.replace("{uuid}", &device.to_string());
    // One that the authority's own file has stands among the others.
    server.issue("erika@example.org", Some(device), Scopes::of_a_device());
    let (mut serials, mut valid, mut sizes) = (Vec::new(), 0, Vec::new());
    let mut query = "?limit=5".to_owned();
    loop {
        let page = administrator.get(&format!("{path}{query}")).ok().await;
        let items = page["items"].as_array().unwrap();
        sizes.push(items.len());
        serials.extend(items.iter().map(|item| item["serial"].as_str().unwrap().to_owned()));
        valid += items.iter().filter(|item| item["revoked_at"].is_null()).count();
        match page["next"].as_str() {
            Some(next) => query = format!("?limit=5&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(sizes, [5, 5, 2], "by the token, two a day, and one by the authority");
    assert_eq!(valid, 3, "two that servers issued, and the authority's own");
    let count = serials.len();
    serials.sort();
    serials.dedup();
    assert_eq!(serials.len(), count, "none twice");
    for query in ["limit=0", "cursor=1", "from=1"] {
        administrator.get(&format!("{path}?{query}")).problem(400, problem_type::INVALID).await;
    }
}
