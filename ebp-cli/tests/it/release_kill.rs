//! A release that is killed at any instant: the same command finishes it, with the bytes that it would
//! have had; a confirmation that is interrupted is finished by the person who began it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use ebp_core::{contract::Registered, model::Measurement};
use ebp_store::{DataRelease, Database, open_store};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use uuid::Uuid;

use crate::release::{Survey, consent, open_with_texts, registration};

/// Enough for a research file.
const HOUSEHOLDS: usize = 32;
/// Numbers of [`registration`] below it are of households that differ.
const FIRST: usize = 5;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Every day from February to April.
fn measurements(meter: Uuid, number: usize) -> Vec<Measurement> {
    let day = |day: i64| {
        let shown = format!("{}.{:04}", 1_000 + number as i64 * 17 + day * 9, number * 7 + 11);
        Measurement {
            uuid: Uuid::new_v4(),
            meter,
            measured_at: at("2026-02-08T00:00:01Z") + SignedDuration::from_hours(24 * day),
            data: serde_json::from_str(&format!("[{{\"0100010800ff\":{shown}}}]")).unwrap(),
            flags: Vec::new().into_iter().collect(),
        }
    };
    (0..75).map(day).collect()
}

async fn fill(folder: &Path) -> (Vec<Registered>, Vec<String>) {
    let store = open_with_texts(folder).await;
    let mut households = Vec::new();
    for number in FIRST..FIRST + HOUSEHOLDS {
        let since = at("2026-02-01T00:00:00Z") + SignedDuration::from_secs(number as i64);
        let made = store.register(registration(number), since).await.unwrap();
        let id = consent(&store, &made, since).await;
        for meter in &made.meters {
            let rows = measurements(*meter, number);
            store.insert_measurements(id, rows, at("2026-05-01T00:00:00Z")).await.unwrap();
        }
        households.push(made);
    }
    store.close().await.unwrap();
    (households, Vec::new())
}

/// Starts the command, and kills it as soon as something holds; whether it came to that. One that ends
/// before has succeeded.
fn kill_when(mut command: Command, holds: &dyn Fn() -> bool) -> bool {
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    loop {
        if holds() {
            child.kill().unwrap();
            return child.wait().unwrap().code().is_none();
        }
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return false;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Every file below a folder, by its path.
fn files_in(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut files, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_owned();
                files.insert(name, fs::read(path).unwrap());
            }
        }
    }
    files
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").args(["--archive"]).args([from, to]).status().unwrap();
    assert!(copied.success());
}

fn draft_of(survey: &Survey, set: &str) -> Value {
    serde_json::from_slice(&fs::read(survey.path(&format!("{set}.draft.json"))).unwrap()).unwrap()
}

fn ledger(survey: &Survey) -> Vec<DataRelease> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let database = Database::Sqlite(survey.path("data/ebp.sqlite"));
        let store = open_store(&database).await.unwrap();
        let all = store.data_releases().await.unwrap();
        store.close().await.unwrap();
        all
    })
}

#[test]
fn a_killed_release_is_finished_with_the_same_bytes() {
    let survey = Survey::with(fill);
    drafts_that_are_killed(&survey);
    confirmations_that_are_killed(&survey);
}

fn drafts_that_are_killed(survey: &Survey) {
    let set = survey.path("killed");
    let kill = |holds: &dyn Fn() -> bool| kill_when(survey.research_command("killed", &[]), holds);
    let there = |name: &str| {
        let path = set.join(name);
        move || path.exists()
    };
    // Chance ends with the seed: whatever follows comes to the same, killed or not.
    assert!(kill(&there(".export/seed")));
    copy(&set, &survey.path("whole"));
    let whole = survey.research("whole", &[]).done();
    let wanted = files_in(&survey.path("whole"));
    assert!(!wanted.keys().any(|path| path.starts_with(".export")), "{:?}", wanted.keys());

    let facts = set.join(".export/facts.jsonl");
    let read = || fs::read_to_string(&facts).is_ok_and(|text| text.lines().count() > 12);
    let beside = survey.path("killed.draft.json");
    let points: [&dyn Fn() -> bool; 5] = [
        &read,
        &there("balance/2026-03.parquet"),
        &there("RELEASE-CHECK.json"),
        &there("SHA256SUMS"),
        &|| beside.exists(),
    ];
    let kills = points.iter().filter(|holds| kill(holds)).count();
    assert!(kills >= 3, "only {kills} kills came in time");
    if set.join(".export").exists() {
        let done = survey.research("killed", &[]).done();
        assert_eq!(done.stdout.replace("killed", "whole"), whole.stdout);
    }
    let made = files_in(&set);
    assert_eq!(made.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>());
    for (path, bytes) in &made {
        assert!(wanted[path] == *bytes, "{} differs", path.display());
    }
    let (draft, other) = (draft_of(survey, "killed"), draft_of(survey, "whole"));
    for name in ["number", "digest", "seed_fingerprint", "households"] {
        assert_eq!(draft[name], other[name], "{name}");
    }
    let ids = |set: &str| fs::read_to_string(survey.path(&format!("{set}.ids.csv"))).unwrap();
    assert_eq!(ids("killed"), ids("whole"));
    survey.research("killed", &[]).refused(2, &["is not empty"]);
}

fn confirmations_that_are_killed(survey: &Survey) {
    let set = survey.path("killed");
    let confirm = || survey.command(&["export", "confirm", "killed"], Some("bob"));
    let beside = survey.path("killed.draft.json");
    let kept = survey.path("draft");
    fs::copy(&beside, &kept).unwrap();
    assert!(kill_when(confirm(), &|| {
        thread::sleep(Duration::from_millis(20));
        true
    }));
    assert_eq!(ledger(survey), []);

    // What comes after the ledger fails: as if it was killed there.
    let in_the_way = set.join("RELEASE.part");
    fs::create_dir(&in_the_way).unwrap();
    survey.run(&["export", "confirm", "killed"], Some("bob")).refused(1, &["RELEASE.json"]);
    fs::remove_dir(&in_the_way).unwrap();
    let [entry] = ledger(survey).try_into().unwrap();
    let issue = ["ca", "issue", "--output", "people", "--administrator", "carol"];
    survey.run(&issue, None).done();
    survey
        .run(&["export", "confirm", "killed"], Some("carol"))
        .refused(1, &["R14", "bob has confirmed it"]);
    let confirmation = set.join("RELEASE.json");
    survey.run(&["export", "confirm", "killed"], Some("bob")).done();
    let text = fs::read_to_string(&confirmation).unwrap();
    assert!(text.contains(&entry.confirmed_signature), "{text}");

    // Killed when all but the draft was in its place.
    fs::copy(&kept, &beside).unwrap();
    survey.run(&["export", "confirm", "killed"], Some("bob")).done();
    assert_eq!(fs::read_to_string(&confirmation).unwrap(), text);
    assert_eq!(ledger(survey), [entry]);
    a_changed_confirmation_is_found(survey, &text);
}

/// `ebp export --check` reads what two persons signed.
fn a_changed_confirmation_is_found(survey: &Survey, text: &str) {
    survey.run_plain(&["export", "--check", "killed"]).done();
    let mut changed: Value = serde_json::from_str(text).unwrap();
    changed["signatures"][0] = changed["signatures"][1].clone();
    fs::write(survey.path("killed/RELEASE.json"), changed.to_string()).unwrap();
    let found = survey.run_plain(&["export", "--check", "killed"]);
    assert_eq!(found.code, Some(1), "{found:?}");
    assert!(found.stdout.lines().all(|line| line.starts_with("RELEASE.json: ")), "{found:?}");
    assert!(found.stdout.contains("one person signed twice"), "{found:?}");
}
