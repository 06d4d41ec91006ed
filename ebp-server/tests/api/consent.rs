//! Endpoints 3 and 4: consent goes one way.

use std::{fs, path::Path};

use ebp_core::{
    clock::Clock,
    contract::{paths, problem_type},
    scope::Scopes,
};
use reqwest::{Method, StatusCode};

use crate::harness::{Server, measurement, outcomes};

#[tokio::test]
async fn granted_once_revoked_once() {
    let server = Server::start().await;
    let (_, api) = server.household("erika@example.org").await;
    assert_eq!(api.get(paths::CONSENT).ok().await["state"], "not-granted");
    api.delete(paths::CONSENT).problem(409, problem_type::CONSENT_NOT_GRANTED).await;

    let granted = api.post(paths::CONSENT).expect(StatusCode::CREATED).await;
    assert_eq!(granted["state"], "granted");
    assert!(granted["granted_at"].is_string());
    server.clock.advance(10);
    api.post(paths::CONSENT).problem(409, problem_type::CONSENT_ALREADY_GRANTED).await;
    assert_eq!(api.get(paths::CONSENT).ok().await, granted);

    let revoked = api.delete(paths::CONSENT).ok().await;
    assert_eq!(revoked["state"], "revoked");
    assert_eq!(revoked["granted_at"], granted["granted_at"]);
    assert!(revoked["revoked_at"].as_str() > granted["granted_at"].as_str());
}

#[tokio::test]
async fn afterwards_all_is_over_for_good() {
    let server = Server::start().await;
    let (registered, api) = server.consenting("erika@example.org").await;
    let personal = server.api(Some(&server.issue("erika@example.org", None, Scopes::all())));
    api.delete(paths::CONSENT).ok().await;
    let list = paths::measurements_of(registered.meters[0]);
    let everything = [
        (Method::GET, paths::ACCOUNT),
        (Method::GET, paths::HOUSEHOLD),
        (Method::GET, paths::CONSENT),
        (Method::POST, paths::CONSENT),
        (Method::DELETE, paths::CONSENT),
        (Method::GET, paths::MEASUREMENT_DEVICE),
        (Method::GET, paths::METER),
        (Method::GET, &list),
        (Method::POST, paths::MEASUREMENT),
        (Method::GET, paths::PV_SYSTEM),
    ];
    for (method, path) in everything {
        let call = api.request(method.clone(), path);
        call.problem(410, problem_type::CONSENT_REVOKED).await;
        // The participant's own certificate hears the same, and what was done.
        let problem = personal.request(method, path).problem(410, problem_type::CONSENT_REVOKED);
        assert!(problem.await.detail.unwrap().contains("the location is masked"));
    }
    // Whoever registers with the address again is somebody new and does not revive the old.
    let again = server.register("erika@example.org").await;
    assert_ne!(again.household, registered.household);
    api.get(paths::HOUSEHOLD).problem(410, problem_type::CONSENT_REVOKED).await;
}

#[tokio::test]
async fn a_clock_set_back_keeps_nobody_from_revoking() {
    let server = Server::start().await;
    let (_, api) = server.consenting("erika@example.org").await;
    server.clock.advance(-120);
    let revoked = api.delete(paths::CONSENT).ok().await;
    assert_eq!(revoked["revoked_at"], revoked["granted_at"]);
}

fn assert_absent(dir: &Path, needles: &[&[u8]]) -> usize {
    let mut files = 0;
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files += assert_absent(&path, needles);
            continue;
        }
        files += 1;
        let content = fs::read(&path).unwrap().to_ascii_lowercase();
        for needle in needles {
            let found = content.windows(needle.len()).any(|window| window == *needle);
            assert!(!found, "{} holds {:?}", path.display(), String::from_utf8_lossy(needle));
        }
    }
    files
}

#[tokio::test]
async fn no_byte_of_what_was_removed_is_left() {
    let server = Server::start().await;
    // Neighbours whose rows stay, so that pages are shared, split and reused.
    for i in 0..40 {
        server.register(&format!("neighbour{i}@example.net")).await;
    }
    let mut registration = crate::harness::registration("Wanda.Geheimnis@example.org");
    registration.participant.name = "Wanda Geheimnis".into();
    registration.address.street = "Verborgener Winkel 99".into();
    registration.address.city = "Hintertupfingen".into();
    let now = server.clock.now();
    let registered = server.store.register(registration, now).await.unwrap();
    let api = server.device("wanda.geheimnis@example.org", &registered);
    for i in 40..80 {
        server.register(&format!("neighbour{i}@example.net")).await;
    }
    api.post(paths::CONSENT).expect(StatusCode::CREATED).await;
    let meter = registered.meters[0];
    let items: Vec<_> = (0..500).map(|i| measurement(i, meter, server.clock.now())).collect();
    let stored = api.upload(&items).ok().await;
    assert!(outcomes(&stored).iter().all(|outcome| outcome == "accepted"));

    // The location is searched for by the tests of the store.
    let needles: [&[u8]; 4] = [b"wanda", b"geheimnis", b"verborgener", b"hintertupfingen"];
    // PostgreSQL's files are elsewhere; the store's own tests search them.
    let database = server.database();
    if let Some(database) = &database {
        let before = fs::read(database).unwrap();
        let log = fs::read(server.data().join("ebp.sqlite-wal")).unwrap();
        assert!([before, log].concat().windows(5).any(|window| window == b"Wanda"), "it was there");
    }

    api.delete(paths::CONSENT).ok().await;
    let files = if database.is_some() { 5 } else { 4 };
    assert!(assert_absent(server.data(), &needles) > files);
    let dir = server.stop().await;
    assert!(assert_absent(dir.path(), &needles) > 4);
}
