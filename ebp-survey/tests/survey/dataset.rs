//! The data set of a survey: the worked examples of `ebp-dataset/tests/cases/` to the last digit, days
//! of 92 and 100 quarter hours, what a check finds, and a revocation while it is made.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use ebp_core::{
    contract::{Registered, Registration},
    model::{Flag, Measurement},
};
use ebp_dataset::{
    MeterSeries, QUARTER, Quarter, Reading, Register, Rules,
    files::{
        BALANCE, DAILY, Decimal, ENERGY, Format, SPANS, Table, Value, check_folder, read_rows,
    },
};
use ebp_store::{HouseholdId, InsertOutcome, Store, open_store};
use ebp_survey::dataset::{ExportError, ExportOrder, Resolution, export};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::world::World;

crate::on_both!(
    the_worked_examples,
    days_of_92_and_100_quarter_hours,
    planted_faults_are_found,
    a_revocation_meanwhile_leaves_nothing,
    what_comes_later_is_left_out,
);

#[derive(Debug, Clone, Deserialize)]
struct Given {
    at: String,
    import: Option<String>,
    export: Option<String>,
    #[serde(default)]
    within: f64,
    #[serde(default)]
    clock_corrected: bool,
}

#[derive(Deserialize)]
struct Case {
    date: String,
    readings: Vec<Given>,
}

#[derive(Deserialize)]
struct TwoMeters {
    date: String,
    slot: String,
    generation: String,
    export: String,
    self_consumption: String,
    grid: Readings,
    generation_meter: Readings,
}

#[derive(Deserialize)]
struct Readings {
    readings: Vec<Given>,
}

fn load<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ebp-dataset/tests/cases");
    toml::from_str(&fs::read_to_string(cases.join(name)).unwrap()).unwrap()
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn on(date: &str, time: &str) -> Timestamp {
    let seconds = if time.len() == 5 { ":00" } else { "" };
    at(&format!("{date}T{time}{seconds}Z"))
}

impl Given {
    fn measurement(&self, date: &str, meter: Uuid) -> Measurement {
        let point = |code: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!("{{\"{code}\":{value}}}"))
        };
        let points = [point("0100010800ff", &self.import), point("0100020800ff", &self.export)];
        let data = points.into_iter().flatten().collect::<Vec<_>>().join(",");
        let corrected = self.clock_corrected.then_some(Flag::ClockCorrected);
        let within = (self.within > 0.0).then_some(Flag::TimeWithin5s);
        Measurement {
            uuid: Uuid::new_v4(),
            meter,
            measured_at: on(date, &self.at),
            data: serde_json::from_str(&format!("[{data}]")).unwrap(),
            flags: corrected.into_iter().chain(within).collect(),
        }
    }

    fn reading(&self, date: &str) -> Reading {
        let register = |text: &Option<String>| {
            text.as_ref().map(|text| Register::from_decimal(text.parse().unwrap()).unwrap())
        };
        Reading {
            import: register(&self.import),
            export: register(&self.export),
            uncertainty: if self.within > 0.0 { 5_000_000 } else { 0 },
            clock_corrected: self.clock_corrected,
            ..Reading::at(on(date, &self.at).as_microsecond())
        }
    }
}

/// A household with a meter at the grid and one that counts generation.
pub async fn household(store: &Arc<dyn Store>, name: &str) -> Registered {
    let since = at("2025-06-01T00:00:00Z");
    let registration: Registration = serde_json::from_value(json!({
        "participant": {"name": "Erika Mustermann", "email": format!("{name}@example.org")},
        "address": {"street": format!("{name} 1"), "postal_code": "51147", "city": "Köln",
                    "country": "DE"},
        "metadata": {"children": 1, "adults": 2, "adults_with_job": 1, "heat_pump": false,
                     "electric_vehicle_charger": false, "home_battery": false},
        "meters": [{"type": "ELECTRICITY", "model": "MT175"},
                   {"type": "PV-GENERATION", "model": "MT681"}],
        "pv_systems": [{"nominal_power": 9.8, "azimuth": 180, "tilt": 30,
                        "installed_on": "2020-05-01", "meter": 1}],
    }))
    .unwrap();
    let registered = store.register(registration, since).await.unwrap();
    store.grant_consent(HouseholdId(registered.household), since).await.unwrap();
    registered
}

pub async fn insert(store: &Arc<dyn Store>, of: &Registered, rows: Vec<Measurement>, when: &str) {
    for part in rows.chunks(500) {
        let id = HouseholdId(of.household);
        let stored = store.insert_measurements(id, part.to_vec(), at(when)).await.unwrap();
        assert!(stored.iter().all(|one| *one == InsertOutcome::Accepted), "{stored:?}");
    }
}

pub fn order(format: Format) -> ExportOrder {
    ExportOrder {
        name: "test".into(),
        publisher: "Test".into(),
        as_of: at("2026-11-20T00:00:00Z"),
        from: None,
        to: None,
        format,
        resolution: Resolution::Quarter,
        fill: false,
        zone: "Europe/Berlin".into(),
    }
}

pub async fn make(store: &Arc<dyn Store>, order: &ExportOrder) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set");
    export(store, order, &path, &mut |_| Ok(())).await.unwrap();
    let verdict = check_folder(&path).unwrap();
    assert_eq!(verdict.findings.first(), None);
    (folder, path)
}

/// All rows of a table, each as its columns' texts.
pub fn rows(path: &Path, table: &Table, format: Format) -> Vec<BTreeMap<&'static str, String>> {
    let mut files = vec![path.join(format!("{}.{}", table.name, format.extension()))];
    if table.by_month {
        files = fs::read_dir(path.join(table.name)).unwrap().map(|it| it.unwrap().path()).collect();
        files.sort();
    }
    let mut rows = Vec::new();
    for file in files {
        read_rows(&file, table, format, &mut |_, values: &[Value]| {
            let texts = values.iter().map(ToString::to_string);
            rows.push(table.columns.iter().map(|it| it.name).zip(texts).collect());
        })
        .unwrap();
    }
    rows
}

fn quarters(readings: impl Iterator<Item = Reading>) -> (Vec<Quarter>, Vec<ebp_dataset::Span>) {
    let (mut series, mut all) = (MeterSeries::new(Rules::default()), Vec::new());
    for reading in readings {
        series.push(&reading, &mut |row| all.push(row)).unwrap();
    }
    series.finish(&mut |row| all.push(row));
    let mut spans = ebp_dataset::Spans::default();
    let found = all.iter().filter_map(|row| spans.push(&row.import)).collect();
    (all, found)
}

fn text(energy: Option<ebp_dataset::Energy>) -> String {
    energy.map_or("null".into(), |energy| energy.to_string())
}

async fn the_worked_examples(world: World) {
    let store = world.survey.store();
    let names = [
        "1_ordinary",
        "2_gap",
        "3_late",
        "4_reset",
        "4_reset_with_a_past",
        "5_outlier",
        "6_locked",
    ];
    let mut cases = Vec::new();
    for name in names.into_iter().chain(["7_clock_corrected"]) {
        let case: Case = load(&format!("{name}.toml"));
        let made = household(store, name).await;
        let given = case.readings.iter().rev();
        let given = given.map(|it| it.measurement(&case.date, made.meters[0])).collect();
        insert(store, &made, given, "2026-02-01T00:00:00Z").await;
        cases.push((made, case));
    }
    let two: TwoMeters = load("8_two_meters.toml");
    let both = household(store, "8_two_meters").await;
    for (meter, of) in both.meters.iter().zip([&two.grid, &two.generation_meter]) {
        let given = of.readings.iter().map(|it| it.measurement(&two.date, *meter)).collect();
        insert(store, &both, given, "2026-02-01T00:00:00Z").await;
    }
    for format in [Format::Parquet, Format::Csv(Decimal::Point)] {
        let (_folder, path) = make(store, &order(format)).await;
        let (energy, spans) = (rows(&path, &ENERGY, format), rows(&path, &SPANS, format));
        for (made, case) in &cases {
            let meter = made.meters[0].to_string();
            let of_meter = |row: &&BTreeMap<&str, String>| row["meter"] == meter;
            let found: Vec<_> = energy.iter().filter(of_meter).collect();
            let (wanted, gaps) = quarters(case.readings.iter().map(|it| it.reading(&case.date)));
            assert_eq!(found.len(), wanted.len());
            for (found, wanted) in found.into_iter().zip(wanted) {
                let interval = wanted.import.interval();
                let (lo, hi) = interval.bounds.unzip();
                let start = Timestamp::from_microsecond(wanted.slot).unwrap().to_string();
                assert_eq!(found["slot_start"], start);
                assert_eq!(found["household"], made.household.to_string());
                assert_eq!(found["import_kwh"], text(interval.energy), "{start}");
                assert_eq!(found["import_lo_kwh"], text(lo), "{start}");
                assert_eq!(found["import_hi_kwh"], text(hi), "{start}");
                assert_eq!(found["import_quality"], interval.quality.name());
                assert_eq!(found["flags"], wanted.flags.0.to_string());
            }
            let found: Vec<_> = spans.iter().filter(of_meter).collect();
            assert_eq!(found.len(), gaps.len());
            for (found, wanted) in found.into_iter().zip(gaps) {
                assert_eq!(found["energy_kwh"], text(wanted.interval.energy));
                assert_eq!(found["quarters"], wanted.quarters.to_string());
            }
        }
        let balance = rows(&path, &BALANCE, format);
        let start = on(&two.date, &two.slot).to_string();
        let of = both.household.to_string();
        let row = balance.iter().find(|it| it["household"] == of && it["slot_start"] == start);
        let row = row.unwrap();
        let four = |name: &str| format!("{:.4}", row[name].parse::<f64>().unwrap());
        assert_eq!(four("generation_kwh"), two.generation);
        assert_eq!(four("export_kwh"), two.export);
        assert_eq!(four("self_consumption_kwh"), two.self_consumption);
        assert_eq!((row["quality"].as_str(), row["flags"].as_str()), ("measured", "0"));
    }
}

/// A reading of both registers behind each quarter hour of a stretch, 0.1 kWh each.
pub fn steady(meter: Uuid, (from, to): (i64, i64)) -> Vec<Measurement> {
    let slots = (from - 4 * QUARTER..=to + QUARTER).step_by(900_000_000);
    (0_i64..)
        .zip(slots)
        .map(|(number, slot)| {
            let at = Timestamp::from_microsecond(slot + 1_000_000).unwrap().to_string();
            let given = Given {
                at: at[11..at.len() - 1].to_owned(),
                import: Some(format!("{}.{}000", number / 10, number % 10)),
                export: Some("0.0000".into()),
                within: 0.0,
                clock_corrected: false,
            };
            given.measurement(&at[..10], meter)
        })
        .collect()
}

async fn days_of_92_and_100_quarter_hours(world: World) {
    let store = world.survey.store();
    let days = [
        ("2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 92),
        ("2026-06-15", "2026-06-14T22:00:00Z", "2026-06-15T22:00:00Z", 96),
        ("2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 100),
    ];
    let made = household(store, "days").await;
    for (_, from, to, _) in days {
        let ends = (at(from).as_microsecond(), at(to).as_microsecond());
        for meter in &made.meters {
            insert(store, &made, steady(*meter, ends), "2026-11-01T00:00:00Z").await;
        }
    }
    let (_folder, path) = make(store, &order(Format::Parquet)).await;
    let (daily, balance) =
        (rows(&path, &DAILY, Format::Parquet), rows(&path, &BALANCE, Format::Parquet));
    for (date, _, _, count) in days {
        let day = daily.iter().find(|row| row["local_date"] == date).unwrap();
        assert_eq!(day["quarters_expected"], count.to_string());
        assert_eq!(day["quarters_measured"], count.to_string());
        let energy: f64 = day["import_kwh"].parse().unwrap();
        assert_eq!(format!("{energy:.4}"), format!("{:.4}", f64::from(count) / 10.0));
        let numbers = balance.iter().filter(|row| row["local_date"] == date);
        let numbers: Vec<u32> = numbers.map(|row| row["local_quarter"].parse().unwrap()).collect();
        assert_eq!(numbers, (1..=u32::try_from(count).unwrap()).collect::<Vec<_>>());
    }
    // Hours and days, in a spreadsheet's form.
    for (resolution, rows_of_day) in [(Resolution::Hour, 23), (Resolution::Day, 1)] {
        let format = Format::Csv(Decimal::Comma);
        let (_folder, path) = make(store, &ExportOrder { resolution, ..order(format) }).await;
        let text = fs::read_to_string(path.join("balance.csv")).unwrap();
        let of_day = text.lines().filter(|line| line.contains(";2026-03-29;"));
        assert_eq!(of_day.count(), rows_of_day);
    }
}

async fn planted_faults_are_found(world: World) {
    let store = world.survey.store();
    let made = household(store, "faults").await;
    let ends = (at("2026-06-14T22:00:00Z"), at("2026-06-15T22:00:00Z"));
    let ends = (ends.0.as_microsecond(), ends.1.as_microsecond());
    for meter in &made.meters {
        insert(store, &made, steady(*meter, ends), "2026-11-01T00:00:00Z").await;
    }
    let format = Format::Csv(Decimal::Point);
    let (_folder, path) = make(store, &order(format)).await;
    let plant = |name: &str, change: &dyn Fn(&mut Vec<String>), finding: &str| {
        let file = path.join(name);
        let before = fs::read_to_string(&file).unwrap();
        let mut lines: Vec<String> = before.split("\r\n").map(str::to_owned).collect();
        change(&mut lines);
        fs::write(&file, lines.join("\r\n")).unwrap();
        let found = check_folder(&path).unwrap().findings;
        let texts: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert!(texts.iter().any(|text| text.contains(finding)), "{finding}: {texts:?}");
        assert!(texts.iter().any(|text| text.contains("SHA256SUMS")), "{texts:?}");
        fs::write(&file, before).unwrap();
    };
    let cell = |lines: &mut Vec<String>, row: usize, place: usize, text: &str| {
        let mut cells: Vec<_> = lines[row].split(',').map(str::to_owned).collect();
        cells[place] = text.to_owned();
        lines[row] = cells.join(",");
    };
    let energy = "energy/2026-06.csv";
    plant(energy, &|it| cell(it, 7, 3, "x"), "energy/2026-06.csv, row 7: import_kwh is no number");
    plant(energy, &|it| cell(it, 7, 3, "9"), "energy/2026-06.csv, row 7: import does not lie");
    plant(energy, &|it| cell(it, 7, 3, ""), "energy/2026-06.csv, row 7: import_quality is");
    plant(energy, &|it| cell(it, 7, 2, ""), "energy/2026-06.csv, row 7: slot_start is null");
    plant(energy, &|it| cell(it, 7, 0, "q"), "energy/2026-06.csv, row 7: q is not in households");
    plant(
        energy,
        &|it| cell(it, 7, 9, "good"),
        "energy/2026-06.csv, row 7: import_quality is \"good\"",
    );
    plant(energy, &|it| it.insert(7, it[7].clone()), "row 8: it has the same meter and slot_start");
    plant(energy, &|it| it.swap(7, 8), "row 8: it is not sorted by household, meter, slot_start");
    plant(energy, &|it| _ = it.remove(7), "energy/2026-06.csv: it has 203 rows, not 204");
    plant("balance/2026-06.csv", &|it| cell(it, 7, 7, "7"), "row 7: consumption is not import");
    plant("daily.csv", &|it| cell(it, 2, 4, "9.61"), "daily.csv, row 2: import_kwh is not the sum");
    plant("README.md", &|it| it[0].push('!'), "README.md: its content is not that of SHA256SUMS");
    fs::write(path.join("more.txt"), "").unwrap();
    let found = check_folder(&path).unwrap().findings;
    assert_eq!(found[0].to_string(), "more.txt: it is not in SHA256SUMS");
}

async fn a_revocation_meanwhile_leaves_nothing(world: World) {
    let store = world.survey.store();
    let ends = (at("2026-06-14T22:00:00Z"), at("2026-06-15T22:00:00Z"));
    let ends = (ends.0.as_microsecond(), ends.1.as_microsecond());
    let mut households = Vec::new();
    for name in ["first", "second"] {
        let made = household(store, name).await;
        insert(store, &made, steady(made.meters[0], ends), "2026-11-01T00:00:00Z").await;
        households.push(made.household);
    }
    households.sort();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set");
    let (database, first) = (world.database.clone(), households[0]);
    let mut is_revoked = false;
    // After the first household was read, another process revokes its consent.
    let mut tell = |progress: ebp_survey::dataset::Progress| {
        if progress.done == 1 && !is_revoked {
            is_revoked = true;
            let database = database.clone();
            let revoke = move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.unwrap().block_on(async {
                    let store = open_store(&database).await.unwrap();
                    let now = at("2026-11-25T00:00:00Z");
                    store.revoke_consent(HouseholdId(first), now).await.unwrap();
                    store.close().await.unwrap();
                });
            };
            std::thread::spawn(revoke).join().unwrap();
        }
        Ok(())
    };
    let failed = export(store, &order(Format::Parquet), &path, &mut tell).await.unwrap_err();
    assert!(matches!(failed, ExportError::Revoked), "{failed:?}");
    assert!(!path.exists());
    let (_folder, path) = make(store, &order(Format::Csv(Decimal::Point))).await;
    let text = fs::read_to_string(path.join("households.csv")).unwrap();
    assert!(!text.contains(&first.to_string()) && text.contains(&households[1].to_string()));
}

async fn what_comes_later_is_left_out(world: World) {
    let store = world.survey.store();
    let made = household(store, "late").await;
    let ends = (at("2026-06-14T22:00:00Z"), at("2026-06-15T22:00:00Z"));
    let ends = (ends.0.as_microsecond(), ends.1.as_microsecond());
    insert(store, &made, steady(made.meters[0], ends), "2026-11-01T00:00:00Z").await;
    let (_folder, path) = make(store, &order(Format::Parquet)).await;
    let before = fs::read_to_string(path.join("SHA256SUMS")).unwrap();
    insert(store, &made, steady(made.meters[1], ends), "2026-11-21T00:00:00Z").await;
    let (_again, path) = make(store, &order(Format::Parquet)).await;
    assert_eq!(fs::read_to_string(path.join("SHA256SUMS")).unwrap(), before);
    // Something else in the folder, other orders, others' eyes.
    let again = export(store, &order(Format::Parquet), &path, &mut |_| Ok(())).await.unwrap_err();
    assert!(matches!(again, ExportError::NotEmpty(_)), "{again:?}");
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode(&path), mode(&path.join("energy")), mode(&path.join("daily.parquet"))),
        (0o700, 0o700, 0o600)
    );
    let open = tempfile::tempdir().unwrap();
    fs::set_permissions(open.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let exposed = export(store, &order(Format::Parquet), open.path(), &mut |_| Ok(())).await;
    assert!(matches!(exposed, Err(ExportError::Exposed(_))), "{exposed:?}");
    let young = order(Format::Parquet).check(at("2026-11-20T00:05:00Z"));
    assert!(matches!(young, Err(ExportError::TooYoung(_))), "{young:?}");
}
