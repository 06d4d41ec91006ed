//! Who is let in: certificates of the authority that are valid, registered and not revoked.

use std::{sync::Arc, time::Duration};

use ebp_client::{Client, ClientError, ClientOptions, identity::Identity};
use ebp_core::{
    clock::{Clock, SystemClock},
    contract::{Problem, paths, problem_type},
    scope::Scopes,
};
use ebp_survey::authority::{Authority, ClientRequest};
use rustls::HandshakeKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use uuid::Uuid;

use crate::harness::{Api, Call, Server, measurement, outcomes};

fn request(email: &str, device: Uuid) -> ClientRequest {
    ClientRequest {
        participant: Uuid::from_u128(5),
        email: email.into(),
        device: Some(device),
        scopes: Scopes::all(),
        validity: Duration::from_secs(3600),
    }
}

#[tokio::test]
async fn without_a_certificate() {
    let server = Server::start().await;
    server.register("erika@example.org").await;
    let nobody = server.api(None);
    for path in [paths::ACCOUNT, paths::HOUSEHOLD, paths::CONSENT, paths::METER] {
        let problem = nobody.get(path).problem(401, problem_type::UNAUTHENTICATED).await;
        assert_eq!(problem.detail.as_deref(), Some("no client certificate"));
    }
    nobody.upload(&[]).problem(401, problem_type::UNAUTHENTICATED).await;
    assert_eq!(nobody.get(paths::HEALTHZ).ok().await["status"], "ok");
}

#[tokio::test]
async fn a_foreign_certificate_is_refused_in_the_handshake() {
    let server = Server::start().await;
    let registered = server.register("erika@example.org").await;
    let dir = tempfile::tempdir().unwrap();
    // Of the same name as the true one.
    let foreign = Authority::init(dir.path(), "Test CA", Arc::new(SystemClock)).unwrap();
    let issued =
        foreign.issue(&request("erika@example.org", registered.measurement_device)).unwrap();
    let api = server.api(Some(&issued));
    assert!(api.get(paths::HOUSEHOLD).send().await.is_err());
    assert!(api.get(paths::HEALTHZ).send().await.is_err());
}

#[tokio::test]
async fn a_servers_certificate_is_none_of_a_participant() {
    let server = Server::start().await;
    let issued = server.authority.issue_server(&["localhost".into()]).unwrap();
    let api = server.api(Some(&issued));
    for path in [paths::HOUSEHOLD, paths::ACCOUNT, paths::MANAGEMENT_HOUSEHOLD] {
        api.get(path).problem(403, problem_type::GROUP).await;
    }
}

#[tokio::test]
async fn an_expired_certificate_is_refused_in_the_handshake() {
    let server = Server::start().await;
    let registered = server.register("erika@example.org").await;
    let issued =
        server.issue("erika@example.org", Some(registered.measurement_device), Scopes::all());
    server.clock.advance(3700);
    assert!(server.api(Some(&issued)).get(paths::HOUSEHOLD).send().await.is_err());
}

#[tokio::test]
async fn a_certificate_expires_on_a_kept_connection() {
    let server = Server::start().await;
    let (_, api) = server.household("erika@example.org").await;
    api.get(paths::HOUSEHOLD).ok().await;
    server.clock.advance(3700);
    let problem = api.get(paths::HOUSEHOLD).problem(401, problem_type::UNAUTHENTICATED).await;
    assert_eq!(problem.detail.as_deref(), Some("the certificate is expired"));
}

/// It is the server's clock that is wrong, and not the certificate.
#[tokio::test]
async fn a_server_whose_clock_is_behind_says_so() {
    let server = Server::start().await;
    let (_, api) = server.household("erika@example.org").await;
    api.get(paths::HOUSEHOLD).ok().await;
    server.clock.advance(-7200);
    let problem = api.get(paths::HOUSEHOLD).problem(503, problem_type::SERVER_CLOCK).await;
    let detail = problem.detail.unwrap();
    assert!(detail.starts_with("by 1h 5") && detail.ends_with(" at least"), "{detail}");
}

/// The device's own client finds it out where the handshake already fails.
#[tokio::test]
async fn a_device_says_whose_clock_is_behind() {
    let server = Server::start().await;
    let registered = server.register("erika@example.org").await;
    let device = Some(registered.measurement_device);
    let issued = server.issue("erika@example.org", device, Scopes::all());
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    issued.save(&path("device.pem"), &path("device.key")).unwrap();
    let ca = server.data().join("authority/ca.pem");
    let ask = async || {
        let identity = Identity::load(&path("device.pem"), &path("device.key"), &ca).unwrap();
        let url = format!("https://{}", server.address);
        let ask = move || Client::new(&url, &identity, ClientOptions::default())?.consent();
        tokio::task::spawn_blocking(ask).await.unwrap()
    };
    ask().await.unwrap();
    server.clock.advance(-7200);
    let error = ask().await.unwrap_err();
    assert!(error.is_temporary() && !error.not_authorized(), "{error}");
    let told = error.to_string();
    assert!(told.contains("is behind by ") && told.contains("it says 20"), "{told}");
    let ClientError::ServerClockBehind { behind, .. } = error else { panic!("{told}") };
    assert!((7190..=7260).contains(&behind.as_secs()), "{told}");
    // Ahead, the certificate has expired, as far as anybody can tell.
    server.clock.advance(7200 + 3700);
    let error = ask().await.unwrap_err();
    assert!(error.not_authorized(), "{error}");
}

#[tokio::test]
async fn a_revoked_certificate_is_refused_from_the_next_request_on() {
    let server = Server::start().await;
    let registered = server.register("erika@example.org").await;
    let device = Some(registered.measurement_device);
    let issued = server.issue("erika@example.org", device, Scopes::all());
    let (kept, fresh) = (server.api(Some(&issued)), server.api(Some(&issued)));
    kept.get(paths::HOUSEHOLD).ok().await;
    server.authority.revoke(&issued.entry.serial).unwrap();
    for api in [kept, fresh] {
        let problem = api.get(paths::HOUSEHOLD).problem(401, problem_type::UNAUTHENTICATED).await;
        assert_eq!(problem.detail.as_deref(), Some("the certificate is revoked"));
    }
    // The device's next certificate is not concerned.
    server.device("erika@example.org", &registered).get(paths::HOUSEHOLD).ok().await;
}

#[tokio::test]
async fn a_certificate_that_the_register_lacks_is_not_trusted() {
    let server = Server::start().await;
    let (registered, api) = server.household("erika@example.org").await;
    api.get(paths::HOUSEHOLD).ok().await;
    // The register is in the database: a file that was lost takes nothing from it.
    let register = server.data().join("authority/register.jsonl");
    let text = std::fs::read_to_string(&register).unwrap();
    std::fs::remove_file(&register).unwrap();
    api.get(paths::HOUSEHOLD).ok().await;

    // Signed by the authority, and registered nowhere.
    let device = Some(registered.measurement_device);
    let lost = server.issue("erika@example.org", device, Scopes::all());
    let lost_api = server.api(Some(&lost));
    let lines = std::fs::read_to_string(&register).unwrap();
    std::fs::write(&register, "").unwrap();
    let problem = lost_api.get(paths::HOUSEHOLD).problem(401, problem_type::UNAUTHENTICATED).await;
    assert_eq!(problem.detail.as_deref(), Some("the certificate is not registered"));
    // Once it is in the file it counts; nobody is let in by a file that cannot be read.
    std::fs::write(&register, "damaged\n").unwrap();
    for api in [&api, &lost_api] {
        api.get(paths::HOUSEHOLD).problem(500, problem_type::INTERNAL).await;
    }
    std::fs::write(&register, text + &lines).unwrap();
    for api in [&api, &lost_api] {
        api.get(paths::HOUSEHOLD).ok().await;
    }
}

/// A copy of yesterday's register revives nothing.
#[tokio::test]
async fn an_old_register_revives_nothing() {
    let server = Server::start().await;
    let (registered, _) = server.household("erika@example.org").await;
    let device = Some(registered.measurement_device);
    let issued = server.issue("erika@example.org", device, Scopes::all());
    let api = server.api(Some(&issued));
    api.get(paths::HOUSEHOLD).ok().await;
    let register = server.data().join("authority/register.jsonl");
    let before = std::fs::read_to_string(&register).unwrap();
    server.authority.revoke(&issued.entry.serial).unwrap();
    api.get(paths::HOUSEHOLD).problem(401, problem_type::UNAUTHENTICATED).await;
    std::fs::write(&register, before).unwrap();
    let problem = api.get(paths::HOUSEHOLD).problem(401, problem_type::UNAUTHENTICATED).await;
    assert_eq!(problem.detail.as_deref(), Some("the certificate is revoked"));
}

#[tokio::test]
async fn names_that_nobody_registered() {
    let server = Server::start().await;
    let erika = server.register("erika@example.org").await;
    let max = server.register("max@example.org").await;
    let all = Scopes::all;
    let strangers = [
        server.issue("nobody@example.org", None, all()),
        server.issue("erika@example.org", Some(Uuid::from_u128(1)), all()),
        // Erika's address with Max's device is neither of them.
        server.issue("erika@example.org", Some(max.measurement_device), all()),
        server.issue("max@example.org", Some(erika.measurement_device), all()),
    ];
    for (place, issued) in strangers.iter().enumerate() {
        // A device that is not there has no use for another certificate.
        let kind = match place {
            1 => problem_type::UNREGISTERED,
            _ => problem_type::UNAUTHENTICATED,
        };
        server.api(Some(issued)).get(paths::HOUSEHOLD).problem(401, kind).await;
    }
}

#[tokio::test]
async fn another_household_is_not_to_be_seen() {
    let server = Server::start().await;
    let (erikas, erika) = server.consenting("erika@example.org").await;
    let (maxs, max) = server.consenting("max@example.org").await;
    let now = server.clock.now();
    max.upload(&[measurement(1, maxs.meters[0], now)]).ok().await;

    let known = erika.get(&paths::measurements_of(maxs.meters[0]));
    // Each request has an identifier of its own.
    let problem = async |call: Call| Problem {
        trace_id: None,
        ..call.problem(404, problem_type::NOT_FOUND).await
    };
    let known = problem(known).await;
    let unknown = erika.get(&paths::measurements_of(Uuid::from_u128(9)));
    assert_eq!(problem(unknown).await, known);
    let none = erika.get("/household/meter/9/measurement");
    assert_eq!(problem(none).await, known);

    let items = [
        measurement(2, maxs.meters[0], now),
        measurement(3, Uuid::from_u128(9), now),
        measurement(4, erikas.meters[0], now),
    ];
    assert_eq!(
        outcomes(&erika.upload(&items).ok().await),
        ["the household has no such meter", "the household has no such meter", "accepted"]
    );
    let page = max.get(&paths::measurements_of(maxs.meters[0])).ok().await;
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_resumed_session_is_looked_at_again() {
    let server = Server::start().await;
    let registered = server.register("erika@example.org").await;
    let device = Some(registered.measurement_device);
    let issued = server.issue("erika@example.org", device, Scopes::all());
    // No connection is kept: each request shakes hands, from the second on with a ticket.
    let api = Api::new(server.address, server.authority.certificate_pem(), Some(&issued));
    let unkept = || {
        let mut call = api.get(paths::HOUSEHOLD);
        call.0 = call.0.header("connection", "close");
        call
    };
    unkept().ok().await;
    unkept().ok().await;
    let mut raw = server.raw(&api).await;
    raw.write_all(b"GET /household HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(raw.read(&mut [0; 512]).await.unwrap() > 0);
    assert_eq!(raw.get_ref().1.handshake_kind(), Some(HandshakeKind::Resumed));
    server.authority.revoke(&issued.entry.serial).unwrap();
    unkept().problem(401, problem_type::UNAUTHENTICATED).await;
}
