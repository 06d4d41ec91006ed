//! The server's page: readiness, figures, jobs, sessions.

use ebp_core::{
    clock::Clock,
    contract::{DeviceStatus, JobState, ReportedErrorGroup},
    scope::Group,
};
use ebp_needs::needs;
use ebp_store::JobOrder;
use ebp_survey::ErrorGroup;

use super::consenting;
use crate::world::World;

fn order(kind: &str, created_by: Group) -> JobOrder {
    let kind = kind.to_owned();
    JobOrder {
        kind,
        input: b"{}".to_vec(),
        subjects: vec![],
        created_by,
        key: None,
        trace_id: None,
    }
}

async fn shows_the_server(world: World) {
    consenting(&world, 1).await;
    let store = world.store();
    let report = store.add_job(order("risk-report", Group::Administrators)).await.unwrap();
    let import = store.add_job(order("household-import", Group::Researchers)).await.unwrap();
    let mut browser = world.signed_in(Group::Administrators).await;
    let error = |types: &str, first_seen: &str| ErrorGroup {
        id: "0123456789ab".to_owned(),
        types: types.to_owned(),
        place: "ebp-store/src/<x>.rs:7".to_owned(),
        component: "jobs",
        count: 4711,
        first_seen: first_seen.parse().unwrap(),
        last_seen: "2026-01-31T12:00:00Z".parse().unwrap(),
    };
    world.server.count_error(error("StoreError::Old", "2020-01-01T00:00:00Z"));
    let page = browser.get("/status/server?lang=en").await;
    assert!(page.body.contains("StoreError::Old") && page.body.contains("4711"), "{}", page.body);
    assert!(page.body.contains("ebp-store/src/&#60;x&#62;.rs:7"), "{}", page.body);
    assert!(!page.body.contains("(new)"), "{}", page.body);
    // What is seen first after now is new.
    world.server.count_error(error("StoreError::New", "2090-01-01T00:00:00Z"));
    let page = browser.get("/status/server?lang=en").await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert_eq!(page.body.matches("(new)").count(), 1, "{}", page.body);
    for said in [
        "The server answers.",
        "Devices: 0 reported lately, 0 did not, 1 never did; 0 are of households that revoked.",
        "Jobs: 2 waiting, 0 running, 0 failed.",
        "Where backups are is not configured",
        "Risk report",
        "Import of households",
        "(this session)",
        "an error occurred that there had not been before",
    ] {
        assert!(page.body.contains(said), "{said}: {}", page.body);
    }

    assert!(page.body.contains("No device has reported an error."), "{}", page.body);
    let device = consenting(&world, 7).await;
    let now = world.clock.now();
    let group = |number: u32, types: &str| ReportedErrorGroup {
        fingerprint: format!("{number:012x}"),
        component: "tunnel".to_owned(),
        types: vec![types.to_owned(), "io::Error::TimedOut".to_owned()],
        place: "ebp-fleet/src/<y>.rs:9".to_owned(),
        count: 1234,
        first_seen: now,
        last_seen: now,
    };
    // The store checks the form: what could be no place is refused.
    let status = |errors| DeviceStatus {
        components: [("transmitter".to_owned(), "7.6.5".to_owned())].into(),
        errors,
        ..DeviceStatus::default()
    };
    let of = device.measurement_device;
    let refused = store.report_status(of, status(vec![group(1, "A::B")]), now).await;
    assert!(refused.is_err(), "{refused:?}");
    let place = "ebp-fleet/src/tunnel.rs:9".to_owned();
    let told = ReportedErrorGroup { place, ..group(1, "FleetError::Away") };
    store.report_status(of, status(vec![told]), now).await.unwrap();
    let page = browser.get("/status/server?lang=en").await;
    for said in [
        "FleetError::Away &#60; io::Error::TimedOut",
        "ebp-fleet/src/tunnel.rs:9",
        "7.6.5 (1)",
        "1234",
        "a device reported an error that no device had before",
    ] {
        assert!(page.body.contains(said), "{said}: {}", page.body);
    }
    let german = browser.get("/status/server?lang=de").await;
    assert!(german.body.contains("Fehler der Geräte"), "{}", german.body);
    browser.get("/status/server?lang=en").await;

    let cancel = format!("/status/server/job/{}/cancel", report.uuid);
    let answer = browser.submit("/status/server", &cancel, &[]).await;
    assert_eq!(answer.location(), "/status/server?done=cancelled", "{}", answer.body);
    let answer = browser.submit("/status/server", &cancel, &[]).await;
    assert_eq!(answer.location(), "/status/server?done=not-so", "it has ended");
    let retry = format!("/status/server/job/{}/retry", report.uuid);
    let answer = browser.submit("/status/server", &retry, &[]).await;
    assert_eq!(answer.location(), "/status/server?done=retried");
    assert_eq!(store.job(report.uuid).await.unwrap().state, JobState::Waiting);
    // Imports are the researchers'.
    let cancel = format!("/status/server/job/{}/cancel", import.uuid);
    browser.submit("/status/server", &cancel, &[]).await;
    let retry = format!("/status/server/job/{}/retry", import.uuid);
    assert_eq!(browser.submit("/status/server", &retry, &[]).await.status, 403);

    // A session is ended after a question.
    let mut researcher = world.signed_in(Group::Researchers).await;
    assert_eq!(researcher.get("/registration").await.status, 200);
    let page = browser.get("/status/server").await.body;
    let path = page.split("href=\"/status/server/session/").nth(1).expect("another session");
    let path = format!("/status/server/session/{}", path.split('"').next().unwrap());
    assert!(browser.get(&path).await.body.contains("has to sign in again"));
    let answer = browser.submit(&path, &path, &[]).await;
    assert_eq!(answer.location(), "/status/server?done=session");
    assert_eq!(researcher.get("/registration").await.status, 303);
    assert_eq!(browser.get(&path).await.status, 404);
}

#[tokio::test]
async fn on_sqlite() {
    shows_the_server(World::on_sqlite().await).await;
}

#[needs(postgresql)]
#[tokio::test]
async fn on_postgresql() {
    shows_the_server(World::on_postgresql().await).await;
}

#[tokio::test]
async fn a_server_whose_clock_is_wrong_is_not_ready() {
    let world = World::on_sqlite().await;
    let mut browser = world.signed_in(Group::Administrators).await;
    world.server.break_clock();
    let page = browser.get("/status/server?lang=en").await.body;
    assert!(page.contains("The server does not answer: the clocks disagree"), "{page}");
}
