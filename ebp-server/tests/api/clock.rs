//! Servers whose machine's clock is wrong.

use ebp_core::{
    clock::{Clock, SystemClock},
    contract::{Consent, paths, problem_type},
    scope::Scopes,
};
use ebp_server::Settings;
use jiff::SignedDuration;
use reqwest::StatusCode;

use crate::{
    ENGINE,
    harness::{Engine, Server, TestClock},
};

/// A server over the same database, on a machine that is ahead by so many seconds.
async fn ahead(dir: tempfile::TempDir, seconds: i64) -> Server {
    let wrong = |settings: &mut Settings, clock: &TestClock| {
        clock.advance(seconds);
        settings.trust_database_clock = true;
    };
    Server::open_with(dir, wrong).await
}

#[tokio::test]
async fn the_databases_clock_counts() {
    let server = Server::start().await;
    let has_clock = ENGINE == Engine::Postgres && server.database().is_none();
    let registered = server.register("erika@example.org").await;
    let device = Some(registered.measurement_device);
    let identity = server.issue("erika@example.org", device, Scopes::all());
    let dir = server.stop().await;

    // Far off: nothing is stamped, nothing refused for good.
    let server = ahead(dir, 600).await;
    let api = server.api(Some(&identity));
    server.api(None).get(paths::HEALTHZ).ok().await;
    if has_clock {
        for path in [paths::READYZ, paths::CONSENT] {
            api.get(path).problem(503, problem_type::UNAVAILABLE).await;
        }
    } else {
        api.get(paths::READYZ).ok().await;
    }
    let dir = server.stop().await;

    // A little: stamps are the database's, by which those of all servers agree.
    let server = ahead(dir, 90).await;
    let api = server.api(Some(&identity));
    api.get(paths::READYZ).ok().await;
    let granted = api.post(paths::CONSENT).expect(StatusCode::CREATED).await;
    let consent: Consent = serde_json::from_value(granted).unwrap();
    let off = consent.granted_at.unwrap().duration_since(SystemClock.now()).abs();
    assert_eq!(off < SignedDuration::from_secs(60), has_clock, "{off:?}");
}
