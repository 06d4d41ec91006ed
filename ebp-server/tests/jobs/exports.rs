//! Servers are killed while they export, and each export has one result: the archive that a server
//! makes that is left alone.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use ebp_core::{
    contract::{ExportReport, JobState, Registration},
    model::Measurement,
    scope::Group,
};
use ebp_needs::needs;
use ebp_store::{HouseholdId, JobOrder, RESULT_PART, Store, open_store};
use ebp_survey::authority::Authority;
use ebp_testkit::cluster;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use uuid::Uuid;

use super::{Numbers, SystemClock, kill, settings, show, start, wait};

/// How often a server is killed.
const KILLS: u32 = 6;

/// Households, each with so many measurements.
const HOUSEHOLDS: usize = 12;
const MEASUREMENTS: i64 = 3_000;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

async fn household(store: &dyn Store, number: usize) -> HouseholdId {
    let since = at("2026-01-01T00:00:00Z");
    let registration: Registration = serde_json::from_value(json!({
        "participant": {"name": "Erika Mustermann", "email": format!("p{number}@example.org")},
        "address": {"street": "Heidestraße 17", "postal_code": "51147", "city": "Köln",
                    "country": "DE"},
        "metadata": {"children": 1, "adults": 2, "adults_with_job": 1, "heat_pump": true,
                     "electric_vehicle_charger": false, "home_battery": false},
        "meters": [{"type": "ELECTRICITY", "model": "MT175"}]
    }))
    .unwrap();
    let made = store.register(registration, since).await.unwrap();
    let household = HouseholdId(made.household);
    store.grant_consent(household, since).await.unwrap();
    let measurement = |slot: i64| Measurement {
        uuid: Uuid::new_v4(),
        meter: made.meters[0],
        measured_at: since + SignedDuration::from_secs(900 * slot + 2),
        data: serde_json::from_str(&format!("[{{\"0100010800ff\":{}.25}}]", 100 + slot)).unwrap(),
        flags: Vec::new(),
    };
    let rows: Vec<_> = (0..MEASUREMENTS).map(measurement).collect();
    for part in rows.chunks(500) {
        let received = at("2026-03-01T00:00:00Z");
        store.insert_measurements(household, part.to_vec(), received).await.unwrap();
    }
    household
}

async fn order(store: &dyn Store) -> Uuid {
    let order = JobOrder {
        kind: "export".into(),
        input: serde_json::to_vec(&json!({"export": {"as_of": "2026-03-02T00:00:00Z"}})).unwrap(),
        subjects: Vec::new(),
        created_by: Group::Researchers,
        key: None,
        trace_id: None,
    };
    store.add_job(order).await.unwrap().uuid
}

/// What an export made, once it has ended; its archive is what its result says.
async fn result(store: &dyn Store, job: Uuid) -> ExportReport {
    let ended = wait(store, job, |job| job.state.is_final()).await;
    assert_eq!((ended.state, ended.failures), (JobState::Succeeded, 0), "{ended:?}");
    let report: ExportReport =
        serde_json::from_slice(&store.job_result(job).await.unwrap()).unwrap();
    let mut digest = ring::digest::Context::new(&ring::digest::SHA256);
    for part in 0..report.octets.div_ceil(RESULT_PART as u64) {
        digest.update(&store.archive_part(job, ended.attempt, part).await.unwrap());
    }
    let digits: String =
        digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(report.sha256, digits);
    report
}

async fn one_archive_however_often_killed(folder: &Path) {
    Authority::init(&folder.join("authority"), "Test CA", Arc::new(SystemClock)).unwrap();
    let store = open_store(&settings(folder).database).await.unwrap();
    for number in 0..HOUSEHOLDS {
        household(&*store, number).await;
    }
    let job = order(&*store).await;
    let server = start(folder);
    wait(&*store, job, |job| job.state == JobState::Running).await;
    let begun = std::time::Instant::now();
    let alone = result(&*store, job).await;
    let span = begun.elapsed();
    assert_eq!(alone.households, HOUSEHOLDS as u64);
    kill(server);

    let (mut numbers, mut reached) = (Numbers(5), BTreeSet::new());
    let job = order(&*store).await;
    for _ in 0..KILLS {
        let before = show(&*store, job).await.attempt;
        let server = start(folder);
        wait(&*store, job, |job| job.attempt > before || job.state.is_final()).await;
        tokio::time::sleep(numbers.part(span)).await;
        kill(server);
        reached.insert(show(&*store, job).await.progress);
    }
    let server = start(folder);
    assert_eq!(result(&*store, job).await, alone);
    // The folder of its attempts goes before the job's end.
    let left = std::fs::read_dir(folder.join("jobs")).unwrap().count();
    assert_eq!(left, 0);
    kill(server);
    println!("{KILLS} kills of an export of {span:?}; known at the kills: {reached:?}");
    store.close().await.unwrap();
}

#[tokio::test]
async fn one_archive_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    one_archive_however_often_killed(folder.path()).await;
}

#[needs(postgresql)]
#[tokio::test]
async fn one_archive_on_postgresql() {
    let folder = tempfile::tempdir().unwrap();
    let url = cluster::shared().database().await.0;
    std::fs::write(folder.path().join("url"), url).unwrap();
    one_archive_however_often_killed(folder.path()).await;
}
