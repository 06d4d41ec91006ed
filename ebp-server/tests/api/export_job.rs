//! The data set as a job: its archive is what a local export makes, is fetched in pieces, and is gone
//! with the revocation of a household in it.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use ebp_core::{
    clock::Clock,
    contract::{
        ExportReport, ExportRequest, Job, JobState, Registered, TimeBound, paths, problem_type,
    },
    model::Measurement,
    scope::Group,
};
use ebp_store::{HouseholdId, InsertOutcome};
use ebp_survey::dataset::{ExportOrder, export};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Api, Call, Server, measurement};

fn path(template: &str, job: Uuid) -> String {
    template.replace("{uuid}", &job.to_string())
}

async fn start(api: &Api, body: &Value) -> Uuid {
    let call = api.json(Method::POST, paths::MANAGEMENT_JOB, body);
    let job: Job = serde_json::from_value(call.expect(StatusCode::ACCEPTED).await).unwrap();
    job.uuid
}

/// The job once it has ended.
async fn ended(api: &Api, uuid: Uuid) -> Job {
    for _ in 0..1200 {
        let shown = api.get(&path(paths::MANAGED_JOB, uuid)).ok().await;
        let job: Job = serde_json::from_value(shown).unwrap();
        if job.state.is_final() {
            return job;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("job {uuid} does not end");
}

async fn report(api: &Api, job: Uuid) -> ExportReport {
    serde_json::from_value(api.get(&path(paths::JOB_RESULT, job)).ok().await).unwrap()
}

/// A household with two hours of measurements, and its device.
async fn household(server: &Server, email: &str) -> (Registered, Api) {
    let (made, _) = server.consenting(email).await;
    let begun = server.clock.now();
    server.clock.advance(3 * 3600);
    let measurement = |slot: i64| -> Measurement {
        let at = begun + SignedDuration::from_mins(15 * slot + 20);
        let uuid = Uuid::new_v4().as_u128();
        serde_json::from_value(measurement(uuid, made.meters[0], at)).unwrap()
    };
    let (id, now) = (HouseholdId(made.household), server.clock.now());
    let stored = server.store.insert_measurements(id, (0..8).map(measurement).collect(), now).await;
    assert_eq!(stored.unwrap(), vec![InsertOutcome::Accepted; 8]);
    // Its certificate is valid from now on.
    let device = server.device(email, &made);
    (made, device)
}

/// Ten minutes later, so that all that was stored can be exported.
fn due(server: &Server) -> Timestamp {
    let as_of = server.clock.now();
    server.clock.advance(700);
    as_of
}

/// The files of a tar archive: names without their folder, and contents.
fn unpack(mut tar: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    while tar[0] != 0 {
        let text = |from: usize, to: usize| {
            let field = &tar[from..to];
            let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
            String::from_utf8(field[..end].to_vec()).unwrap()
        };
        assert_eq!(text(100, 108), "0000600");
        let length = usize::from_str_radix(&text(124, 136), 8).unwrap();
        let name = text(0, 100).split_once('/').unwrap().1.to_owned();
        files.insert(name, tar[512..512 + length].to_vec());
        tar = &tar[512 + length.next_multiple_of(512)..];
    }
    assert_eq!(tar, [0; 1024]);
    files
}

/// The files of a folder, by their names in it.
fn listed(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            let inner = listed(&entry.path()).into_iter();
            files.extend(inner.map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else {
            files.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    files
}

fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn the_archive_is_what_a_local_export_makes() {
    let server = Server::start().await;
    household(&server, "a@example.org").await;
    household(&server, "b@example.org").await;
    let as_of = due(&server);
    let researcher = server.manager(Group::Researchers);
    // A day of the survey's time zone: in summer it begins two hours before the day of UTC.
    let from = "2020-06-01";
    let wanted = json!({"as_of": as_of, "name": "set", "from": from});
    let asked = json!({"kind": "export", "key": "first", "export": wanted});
    let job = start(&researcher, &asked).await;
    let done = ended(&researcher, job).await;
    assert_eq!((done.state, done.error.as_deref()), (JobState::Succeeded, None));
    assert_eq!((done.progress, done.total), (1000, Some(1000)));
    let report = report(&researcher, job).await;
    assert_eq!((report.name.as_str(), report.as_of, report.households), ("set", as_of, 2));
    assert_eq!(start(&researcher, &asked).await, job, "the same key");

    let whole = researcher.get(&path(paths::JOB_ARCHIVE, job)).send().await.unwrap();
    assert_eq!(whole.status(), StatusCode::OK);
    let tag = whole.headers()[header::ETAG].to_str().unwrap().to_owned();
    assert_eq!(tag, format!("\"{}\"", report.sha256));
    assert_eq!(whole.headers()[header::CONTENT_TYPE], "application/x-tar");
    assert_eq!(whole.headers()[header::CONTENT_LENGTH], report.octets.to_string().as_str());
    assert!(whole.headers().contains_key("repr-digest"));
    let archive = whole.bytes().await.unwrap().to_vec();
    assert_eq!((archive.len() as u64, sha256(&archive)), (report.octets, report.sha256.clone()));

    let folder = tempfile::tempdir().unwrap();
    let local = folder.path().join("set");
    let request = ExportRequest {
        as_of: Some(as_of),
        name: Some("set".into()),
        from: Some(TimeBound::At("2020-05-31T22:00:00Z".parse().unwrap())),
        ..ExportRequest::default()
    };
    let order = ExportOrder::from_request(&request, as_of, "Europe/Berlin").unwrap();
    export(&server.store, &order, &local, &mut |_| Ok(())).await.unwrap();
    let (remote, local) = (unpack(&archive), listed(&local));
    assert_eq!(remote.keys().collect::<Vec<_>>(), local.keys().collect::<Vec<_>>());
    assert!(remote == local, "the bytes differ");
    assert!(!server.data().join("jobs").join(job.to_string()).exists());

    // What a client lacks, of the archive that it knows.
    let fetch = async |range: &str, known: &str| {
        let call = researcher.get(&path(paths::JOB_ARCHIVE, job));
        let request = call.0.header(header::RANGE, range).header(header::IF_RANGE, known);
        let answer = Call(request).send().await.unwrap();
        let place = answer.headers().get(header::CONTENT_RANGE).cloned();
        let place = place.map(|place| place.to_str().unwrap().to_owned());
        (answer.status(), place, answer.bytes().await.unwrap())
    };
    let (status, place, rest) = fetch("bytes=700-", &tag).await;
    assert_eq!((status, &rest[..]), (StatusCode::PARTIAL_CONTENT, &archive[700..]));
    let last = report.octets - 1;
    assert_eq!(place.unwrap(), format!("bytes 700-{last}/{}", report.octets));
    let (status, _, some) = fetch("bytes=1-3", &tag).await;
    assert_eq!((status, &some[..]), (StatusCode::PARTIAL_CONTENT, &archive[1..4]));
    let (status, place, all) = fetch("bytes=700-", "\"another\"").await;
    assert_eq!((status, place, all.len()), (StatusCode::OK, None, archive.len()));
    let (status, place, none) = fetch(&format!("bytes={}-", report.octets), &tag).await;
    assert_eq!((status, none.len()), (StatusCode::RANGE_NOT_SATISFIABLE, 0));
    assert_eq!(place.unwrap(), format!("bytes */{}", report.octets));
    server.stop().await;
}

#[tokio::test]
async fn a_revocation_takes_the_archive() {
    let server = Server::start().await;
    let (stays, _) = household(&server, "stays@example.org").await;
    let (leaves, device) = household(&server, "leaves@example.org").await;
    let as_of = due(&server);
    let researcher = server.manager(Group::Researchers);
    let csv = json!({"as_of": as_of, "format": "csv", "resolution": "1h"});
    let job = start(&researcher, &json!({"kind": "export", "export": csv})).await;
    assert_eq!(ended(&researcher, job).await.state, JobState::Succeeded);
    let fetch = async || researcher.get(&path(paths::JOB_ARCHIVE, job)).send().await.unwrap();
    let before = fetch().await.bytes().await.unwrap();
    let households = |tar: &[u8]| String::from_utf8(unpack(tar)["households.csv"].clone()).unwrap();
    assert!(households(&before).contains(&leaves.household.to_string()));

    device.delete(paths::CONSENT).ok().await;
    for template in [paths::JOB_ARCHIVE, paths::JOB_RESULT] {
        researcher.get(&path(template, job)).problem(404, problem_type::NOT_FOUND).await;
    }
    let shown: Job =
        serde_json::from_value(researcher.get(&path(paths::MANAGED_JOB, job)).ok().await).unwrap();
    assert!(shown.erased && shown.result.is_none());
    assert!(server.store.archive_part(job, shown.attempt, 0).await.is_err());

    // Asked for again it is made of what there is now.
    researcher.post(&path(paths::JOB_RETRY, job)).ok().await;
    assert_eq!(ended(&researcher, job).await.state, JobState::Succeeded);
    let after = households(&fetch().await.bytes().await.unwrap());
    assert!(after.contains(&stays.household.to_string()));
    assert!(!after.contains(&leaves.household.to_string()), "{after}");
    server.stop().await;
}

#[tokio::test]
async fn only_researchers_export() {
    let server = Server::start().await;
    let researcher = server.manager(Group::Researchers);
    let administrator = server.manager(Group::Administrators);
    let asked = json!({"kind": "export"});
    let theirs = administrator.json(Method::POST, paths::MANAGEMENT_JOB, &asked);
    theirs.problem(403, problem_type::GROUP).await;
    // Nobody has granted consent.
    let job = start(&researcher, &asked).await;
    let refused = ended(&researcher, job).await;
    assert_eq!((refused.state, refused.failures), (JobState::Failed, 1));
    assert!(refused.error.unwrap().contains("no household has granted its consent"));
    let none = researcher.get(&path(paths::JOB_ARCHIVE, job));
    none.problem(409, problem_type::JOB_STATE).await;
    let theirs = administrator.get(&path(paths::JOB_ARCHIVE, job));
    theirs.problem(403, problem_type::GROUP).await;
    let other = start(&researcher, &json!({"kind": "risk-report"})).await;
    ended(&researcher, other).await;
    let other = researcher.get(&path(paths::JOB_ARCHIVE, other));
    let without = other.problem(409, problem_type::JOB_STATE).await;
    assert!(without.detail.unwrap().contains("a job of kind risk-report has no archive"));
    let young = json!({"kind": "export", "export": {"as_of": server.clock.now()}});
    let young = researcher.json(Method::POST, paths::MANAGEMENT_JOB, &young).send().await.unwrap();
    assert_eq!(young.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(young.text().await.unwrap().contains("/export/as_of"));
    let mixed = json!({"kind": "risk-report", "export": {}});
    let mixed = researcher.json(Method::POST, paths::MANAGEMENT_JOB, &mixed).send().await.unwrap();
    assert!(mixed.text().await.unwrap().contains("/export"));
    server.stop().await;
}
