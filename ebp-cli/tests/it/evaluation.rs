//! `ebp report` from outside: silence is not excused, and a database and its export agree.

use std::{collections::BTreeMap, fmt::Write, fs};

use crate::support::{ebp, process};
use ebp_core::{
    contract::Registration,
    cycle::Cycle,
    model::{DataPoint, Measurement, MeasurementIds},
    obis::ObisCode,
};
use ebp_store::{Database, HouseholdId, InsertOutcome, Store, open_store};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A measurement: of which meter, made when, received when.
type Row = (Uuid, Timestamp, Timestamp);

/// A database as a server leaves it, and all that is in it.
struct Survey {
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    store: std::sync::Arc<dyn Store>,
    rows: Vec<Row>,
}

impl Survey {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let database = Database::Sqlite(folder.path().join("ebp.sqlite"));
        let store = runtime.block_on(open_store(&database)).unwrap();
        Self { folder, runtime, store, rows: Vec::new() }
    }

    /// A household with two meters that has granted its consent.
    fn household(&self, email: &str, granted: &str) -> (HouseholdId, [Uuid; 2]) {
        let registration: Registration = serde_json::from_value(json!({
            "participant": {"name": "Erika Mustermann", "email": email},
            "address": {"street": "Heidestraße 17", "postal_code": "51147", "city": "Köln",
                        "country": "DE"},
            "metadata": {"children": 0, "adults": 2, "adults_with_job": 2, "heat_pump": false,
                         "electric_vehicle_charger": false, "home_battery": false},
            "meters": [{"type": "ELECTRICITY", "model": "EHZ"},
                       {"type": "PV-GENERATION", "model": "MT681"}],
            "pv_systems": []
        }))
        .unwrap();
        self.runtime.block_on(async {
            let made = self.store.register(registration, at(granted)).await.unwrap();
            let household = HouseholdId(made.household);
            self.store.grant_consent(household, at(granted)).await.unwrap();
            (household, made.meters.try_into().unwrap())
        })
    }

    fn insert(&mut self, household: HouseholdId, rows: Vec<Row>) {
        let mut reports: BTreeMap<Timestamp, Vec<Measurement>> = BTreeMap::new();
        for &(meter, measured_at, received_at) in &rows {
            let uuid = MeasurementIds::for_meter(meter).id(Cycle::QUARTER_HOUR.slot(measured_at));
            let data = vec![DataPoint { obis: ObisCode::POSITIVE_ENERGY, value: 1.into() }];
            let flags = Vec::new();
            let one = Measurement { uuid, meter, measured_at, data, flags };
            reports.entry(received_at).or_default().push(one);
        }
        self.runtime.block_on(async {
            for (received_at, measurements) in reports {
                let stored = self.store.insert_measurements(household, measurements, received_at);
                assert!(stored.await.unwrap().iter().all(|one| *one == InsertOutcome::Accepted));
            }
        });
        self.rows.extend(rows);
    }

    fn table(&self) -> String {
        let mut table = "meter,measured_at,received_at\n".to_owned();
        for (meter, measured_at, received_at) in &self.rows {
            writeln!(table, "{meter},{measured_at},{received_at}").unwrap();
        }
        table
    }

    fn report(&self, source: &[&str], more: &[&str]) -> Value {
        let mut command = ebp();
        command.current_dir(self.folder.path());
        command.args(["report", "--format", "json"]).args(source).args(more);
        let run = process::run(command, b"").done();
        serde_json::from_str(&run.stdout).unwrap()
    }

    /// By the database.
    fn database(&self, more: &[&str]) -> Value {
        self.report(&["--data", "."], more)
    }

    /// By the table that was exported from it.
    fn export(&self, more: &[&str]) -> Value {
        fs::write(self.folder.path().join("export.csv"), self.table()).unwrap();
        self.report(&["--input", "export.csv"], more)
    }
}

/// Rows of every slot from `from` to before `to`, which came with the report at `minute`.
fn regular(meter: Uuid, minute: i64, from: &str, to: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut slot = at(from);
    while slot < at(to) {
        let measured = slot + SignedDuration::from_secs(1);
        let hour = measured.as_second().div_euclid(3600) * 3600;
        let mut received = Timestamp::from_second(hour + 60 * minute).unwrap();
        if received < measured {
            received += SignedDuration::from_hours(1);
        }
        rows.push((meter, measured, received));
        slot += SignedDuration::from_mins(15);
    }
    rows
}

fn meter(report: &Value, uuid: Uuid) -> &Value {
    let meters = report["meters"].as_array().unwrap();
    let text = uuid.to_string();
    meters.iter().find(|one| one["meter"] == text).unwrap_or_else(|| panic!("{text}: {report}"))
}

fn target(of: &Value) -> (u64, u64) {
    (of["reached"].as_u64().unwrap(), of["expected"].as_u64().unwrap())
}

/// Of four meters over two days, the second of which is evaluated: one complete, one silent for the
/// window's first 31 slots, one that died the day before, one never measured.
#[test]
fn a_silent_meter_lowers_the_figures() {
    let mut survey = Survey::new();
    let (first, [complete, late]) = survey.household("a@example.org", "2026-02-28T00:00:00Z");
    let (second, [dead, never]) = survey.household("b@example.org", "2026-02-28T00:00:00Z");
    let (from, middle, to) =
        ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z");
    survey.insert(first, regular(complete, 46, from, to));
    survey.insert(first, regular(late, 46, from, middle));
    survey.insert(first, regular(late, 46, "2026-03-02T07:45:00Z", to));
    survey.insert(second, regular(dead, 46, from, "2026-03-01T12:00:00Z"));
    let window = ["--from", middle, "--to", to];
    let report = survey.database(&window);
    let targets = |uuid| {
        let of = meter(&report, uuid);
        (target(&of["measurements"]), target(&of["reports"]), of["begins"].clone())
    };
    assert_eq!(targets(complete), ((96, 96), (24, 24), json!(middle)));
    assert_eq!(targets(late), ((65, 96), (17, 24), json!(middle)));
    assert_eq!(targets(dead), ((0, 96), (0, 24), json!(middle)));
    assert_eq!(targets(never), ((0, 96), (0, 24), json!(middle)));
    assert_eq!(target(&report["overall"]["measurements"]), (161, 384));
    assert_eq!(target(&report["overall"]["reports"]), (41, 96));
    assert_eq!(report["overall"]["missed"], 223);
    let silence = json!([{"from": middle, "to": to}]);
    assert_eq!(meter(&report, dead)["silences"], silence);
    assert_eq!(meter(&report, never)["silences"], silence);
    // A table names the meter that was never measured by a row without instants.
    let mut table = survey.table();
    writeln!(table, "{never},,").unwrap();
    fs::write(survey.folder.path().join("all.csv"), table).unwrap();
    let export = survey.report(&["--input", "all.csv"], &window);
    assert_eq!(export["overall"], report["overall"]);
    // In the window's place of a device that starts late there is nothing to excuse.
    let whole = survey.database(&["--from", "2026-02-28", "--to", to]);
    assert_eq!(target(&meter(&whole, complete)["measurements"]), (192, 192));
    assert_eq!(meter(&whole, complete)["begins"], from);
    assert_eq!(target(&meter(&whole, never)["measurements"]), (0, 288));
}

/// A server was away for the last eight hours of the first day: what came then was measured the day
/// before, and in heaps.
#[test]
fn a_database_and_its_export_agree() {
    let mut survey = Survey::new();
    let (household, [one, other]) = survey.household("a@example.org", "2026-02-28T00:00:00Z");
    let (from, middle, to) =
        ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z");
    let outage = at("2026-03-01T16:00:00Z")..at("2026-03-02T01:00:00Z");
    for (meter, minute) in [(one, 46), (other, 7)] {
        let mut rows = regular(meter, minute, from, to);
        for (_, _, received) in rows.iter_mut().filter(|row| outage.contains(&row.2)) {
            *received = outage.end + SignedDuration::from_mins(minute);
        }
        survey.insert(household, rows);
    }
    for more in [
        &["--from", middle, "--to", to][..],
        &["--from", "2026-03-02T01:30:00Z", "--to", to],
        &["--from", from, "--to", "2026-03-02T01:30:00Z"],
        &["--from", middle],
        &[],
    ] {
        let (database, export) = (survey.database(more), survey.export(more));
        assert_eq!(database["window"], export["window"], "{more:?}");
        assert_eq!(database["overall"], export["overall"], "{more:?}");
        for uuid in [one, other] {
            let (mut database, mut export) =
                (meter(&database, uuid).clone(), meter(&export, uuid).clone());
            database["model"].take();
            export["model"].take();
            assert_eq!(database, export, "{more:?}");
        }
    }
    // The heap in the second day is one report with all that came in it.
    let day = survey.database(&["--from", middle, "--to", to]);
    let per_report = &meter(&day, one)["measurements_per_report"];
    let mean = per_report["mean"].as_f64().unwrap();
    assert!((mean - f64::from(96 + 32) / 23.0).abs() < 1e-9, "{per_report}");
}

/// Devices report at minutes of their own: what one has not sent yet is not missing.
#[test]
fn what_is_not_yet_due_is_not_missing() {
    let mut survey = Survey::new();
    let (household, [early, late]) = survey.household("a@example.org", "2026-03-01T00:00:00Z");
    let from = "2026-03-01T00:00:00Z";
    let until = at("2026-03-02T10:50:00Z");
    for (meter, minute) in [(early, 7), (late, 46)] {
        let mut rows = regular(meter, minute, from, "2026-03-02T12:00:00Z");
        rows.retain(|row| row.2 <= until);
        survey.insert(household, rows);
    }
    let report = survey.database(&[]);
    assert_eq!(report["window"]["to"], "2026-03-02T11:00:00Z");
    assert_eq!(target(&meter(&report, early)["measurements"]), (137, 137));
    assert_eq!(target(&meter(&report, late)["measurements"]), (140, 140));
    assert_eq!(report["overall"]["missed"], 0);
    assert_eq!(report["overall"]["reports"]["fulfilment_percent"], 100.0);
    assert_eq!(meter(&report, early)["silences"], json!([]));
    assert_eq!(survey.export(&[])["overall"], report["overall"]);
    // Whoever says where the window ends is told what is not there.
    let report = survey.database(&["--to", "2026-03-02T11:00:00Z"]);
    assert_eq!(target(&meter(&report, early)["measurements"]), (137, 140));

    // One that has been silent for longer than a report cycle is overdue.
    let mut survey = Survey::new();
    let (household, [early, late]) = survey.household("a@example.org", "2026-03-01T00:00:00Z");
    survey.insert(household, regular(early, 7, from, "2026-03-02T06:00:00Z"));
    survey.insert(household, regular(late, 46, from, "2026-03-02T11:00:00Z"));
    let report = survey.database(&[]);
    // Of the slots from six o'clock on, those until ten were due at 10:07.
    assert_eq!(target(&meter(&report, early)["measurements"]), (120, 136));
    assert_eq!(survey.export(&[])["overall"], report["overall"]);
}

/// A household that cannot be masked yet is counted like any other and named by nothing; what is
/// measured after a revocation was never to be expected.
#[test]
fn withheld_households_are_counted_and_said_to_be() {
    let mut survey = Survey::new();
    let (first, [one, other]) = survey.household("a@example.org", "2026-03-01T00:00:00Z");
    let (second, [gone, also]) = survey.household("b@example.org", "2026-03-01T00:00:00Z");
    let (from, to) = ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z");
    for meter in [one, other] {
        survey.insert(first, regular(meter, 46, from, to));
    }
    for meter in [gone, also] {
        survey.insert(second, regular(meter, 46, from, "2026-03-01T12:00:00Z"));
    }
    survey.runtime.block_on(async {
        survey.store.revoke_consent(second, at("2026-03-01T12:01:00Z")).await.unwrap();
    });
    let window = ["--from", from, "--to", to];
    let report = survey.database(&window);
    assert_eq!(report["withheld_households"], 1);
    let meters = report["meters"].as_array().unwrap();
    assert_eq!(meters.len(), 4);
    assert_eq!(meters.iter().filter(|one| one["withheld"] == true).count(), 2);
    assert_eq!(target(&report["overall"]["measurements"]), (288, 288));
    assert_eq!(target(&report["overall"]["reports"]), (72, 72));
    for format in ["json", "table", "csv"] {
        let plot = format!("{format}.svg");
        let mut command = ebp();
        command.current_dir(survey.folder.path());
        command.args(["report", "--data", ".", "--plot", &plot, "--format", format]);
        command.args(window);
        let run = process::run(command, b"").done();
        let svg = fs::read_to_string(survey.folder.path().join(&plot)).unwrap();
        for text in [&run.stdout, &svg] {
            assert!(text.contains("withheld"), "{text}");
            for uuid in [gone, also] {
                assert!(!text.contains(&uuid.to_string()[..8]), "{text}");
            }
        }
    }
}
