//! The data set out of a SQLite database beside DuckDB: ten million readings, in turn:
//! `EBP_BENCH_PYTHON=PYTHON cargo bench -p ebp-survey --features dataset --bench export`, where that
//! Python has `duckdb==1.5.5`, `duckdb-extension-sqlite-scanner==1.5.5` and `duckdb-extensions==1.5.5`,
//! which hands the scanner to DuckDB.
//!
//! Ours is the whole set, in one pass: readings, energy, balance, daily, spans, sorted, with their
//! descriptions and hashes. DuckDB writes the three values of each reading to one sorted Parquet file,
//! taken out of the same table by `json_extract` and by regular expressions; the better of the two
//! counts. Compared are readings for a second of processor time; memory is the most that each process
//! had.
//!
//! `EBP_BENCH_READINGS` (10,000,000), `EBP_BENCH_ROUNDS` (3), `EBP_BENCH_CSV` (unset: Parquet alone).

#![allow(clippy::unwrap_used, reason = "a benchmark that fails has failed")]

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use ebp_dataset::files::{Decimal, Format};
use ebp_store::{Database, HouseholdId, open_store};
use ebp_survey::dataset::{ExportOrder, Resolution, export};
use jiff::{SignedDuration, Timestamp};

/// A year of one meter.
const YEAR: usize = 35_040;
/// Where a process is told that it exports.
const EXPORT: &str = "export-only";
const QUARTER: i64 = 900_000_000;

/// What DuckDB does.
const DUCKDB: &str = r#"
import resource, sys, duckdb
from duckdb_extensions import import_extension
database, output, way, form = sys.argv[1:5]
codes = {"energy_in": "0100010800ff", "energy_out": "0100020800ff", "power": "0100100700ff"}
def value(code):
    if way == "json":
        # Each point is an object of one member.
        return f"coalesce(json_extract(data, '$[0].{code}'), json_extract(data, '$[1].{code}'), json_extract(data, '$[2].{code}'))::DOUBLE"
    return f"nullif(regexp_extract(data, '\"{code}\":(-?[0-9.]+)', 1), '')::DOUBLE"
values = ", ".join(f"{value(code)} AS {name}" for name, code in codes.items())
import_extension("sqlite_scanner")
db = duckdb.connect()
db.execute("SET threads = 2; LOAD sqlite_scanner; SET TimeZone = 'UTC'")
db.execute(f"ATTACH '{database}' AS ebp (TYPE sqlite, READ_ONLY)")
form = "FORMAT parquet, COMPRESSION zstd" if form == "parquet" else "FORMAT csv"
db.execute(f"COPY (SELECT meter, measured_at, {values} FROM ebp.measurement ORDER BY meter, measured_at) TO '{output}' ({form})")
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"#;

/// Processor time in seconds, and the most memory in KiB.
struct Used(f64, u64);

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).map(String::as_str) == Some(EXPORT) {
        return export_only(Path::new(&arguments[2]), Path::new(&arguments[3]), &arguments[4]);
    }
    let readings = number("EBP_BENCH_READINGS", 10_000_000);
    let rounds = number("EBP_BENCH_ROUNDS", 3);
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("ebp.sqlite");
    let rows = fill(&database, readings);
    let size = std::fs::metadata(&database).unwrap().len();
    println!("# The data set of {rows} readings, {} MB of SQLite, {rounds} rounds", size >> 20);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load before: {}", load.split(' ').take(3).collect::<Vec<_>>().join(" "));
    let mut forms = vec!["parquet"];
    forms.extend(std::env::var_os("EBP_BENCH_CSV").map(|_| "csv"));
    for form in forms {
        compare(&database, folder.path(), form, rows, rounds);
    }
}

fn compare(database: &Path, folder: &Path, form: &str, rows: usize, rounds: usize) {
    println!("\n## {form}\n");
    println!(
        "| | readings a second of processor time | most memory, MB | size, MB |\n|---|---|---|---|"
    );
    let mut best: [Option<f64>; 3] = [None; 3];
    let mut lines: [String; 3] = Default::default();
    for _ in 0..rounds {
        for (place, who) in
            ["ebp, the whole set", "DuckDB, json", "DuckDB, regexp"].iter().enumerate()
        {
            let output = folder.join("output");
            let used = match place {
                0 => ours(database, &output, form),
                1 => duckdb(database, &output, "json", form),
                _ => duckdb(database, &output, "regexp", form),
            };
            let Some(Used(seconds, memory)) = used else { continue };
            let rate = rows as f64 / seconds;
            let size = bytes(&output);
            if output.is_dir() {
                let readings = bytes(&output.join("readings"));
                if readings > 0 {
                    println!("readings alone: {:.1} bytes each", readings as f64 / rows as f64);
                }
                std::fs::remove_dir_all(&output).unwrap();
            } else {
                std::fs::remove_file(&output).unwrap();
            }
            if best[place].is_none_or(|best| rate > best) {
                best[place] = Some(rate);
                lines[place] =
                    format!("| {who} | {rate:.0} | {} | {} |", memory / 1024, size >> 20);
            }
        }
    }
    lines.iter().filter(|line| !line.is_empty()).for_each(|line| println!("{line}"));
    match (best[0], best[1].into_iter().chain(best[2]).reduce(f64::max)) {
        (Some(ours), Some(theirs)) => println!("\nratio {:.2}", ours / theirs),
        _ => println!("\n*** SKIPPED: DuckDB, whose Python EBP_BENCH_PYTHON names ***"),
    }
}

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

fn bytes(path: &Path) -> u64 {
    let Ok(data) = std::fs::metadata(path) else { return 0 };
    if !data.is_dir() {
        return data.len();
    }
    std::fs::read_dir(path).unwrap().map(|entry| bytes(&entry.unwrap().path())).sum()
}

/// A household for each two meters, with a year of each and as many meters as make so many readings.
fn fill(database: &Path, readings: usize) -> usize {
    let since: Timestamp = "2025-01-01T00:00:00Z".parse().unwrap();
    let households = readings.div_ceil(2 * YEAR).max(1);
    let meters: Vec<uuid::Uuid> = runtime().block_on(async {
        let store = open_store(&Database::Sqlite(database.to_owned())).await.unwrap();
        let mut meters = Vec::new();
        for number in 0..households {
            let granted = since - SignedDuration::from_hours(24);
            let registration = serde_json::json!({
                "participant": {"name": "Bench", "email": format!("{number}@example.org")},
                "address": {"street": "Musterstraße 1", "postal_code": "65183",
                            "city": "Wiesbaden", "country": "DE"},
                "metadata": {"children": 0, "adults": 2, "adults_with_job": 2, "heat_pump": false,
                             "electric_vehicle_charger": false, "home_battery": false},
                "meters": [{"type": "ELECTRICITY", "model": "EHZ"},
                           {"type": "PV-GENERATION", "model": "MT681"}],
                "pv_systems": [{"nominal_power": 7.5, "azimuth": 180, "tilt": 35,
                                "installed_on": "2019-05-03", "meter": 1}]
            });
            let made = store.register(serde_json::from_value(registration).unwrap(), granted).await;
            let made = made.unwrap();
            store.grant_consent(HouseholdId(made.household), granted).await.unwrap();
            meters.extend(made.meters);
        }
        store.close().await.unwrap();
        meters
    });
    let mut db = rusqlite::Connection::open(database).unwrap();
    db.pragma_update(None, "synchronous", "off").unwrap();
    let since = since.as_microsecond();
    for (place, meter) in meters.iter().enumerate() {
        let number: i64 = db
            .query_row("SELECT number FROM meter WHERE uuid = ?", [meter.as_bytes()], |row| {
                row.get(0)
            })
            .unwrap();
        let all = db.transaction().unwrap();
        let sql = "INSERT INTO measurement (meter, slot, measured_at, received_at, data)
                   VALUES (?, ?, ?, ?, ?)";
        let mut insert = all.prepare(sql).unwrap();
        let (mut import, mut export) = (50_000_000 + place as u64 * 7_919, 1_000_000_u64);
        for slot in 0..YEAR as i64 {
            // Tenths of a watt-hour, more or less by the hour of the day.
            let step = (slot % 96).unsigned_abs() * 37 % 1_900;
            let power = step as i64 * 4 - 3_600;
            if power > 0 {
                import += step
            } else {
                export += step
            }
            let shown = |value: u64| format!("{}.{:04}", value / 10_000, value % 10_000);
            let sign = if power < 0 { "-" } else { "" };
            let data = format!(
                "[{{\"0100010800ff\":{}}},{{\"0100020800ff\":{}}},{{\"0100100700ff\":{sign}{}.{:03}}}]",
                shown(import),
                shown(export),
                power.abs() / 1_000,
                power.abs() % 1_000
            );
            let begin = since + slot * QUARTER;
            insert.execute((number, begin, begin + 1_000_000, begin + 2_000_000, data)).unwrap();
        }
        drop(insert);
        all.commit().unwrap();
    }
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); ANALYZE").unwrap();
    meters.len() * YEAR
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn export_only(database: &Path, output: &Path, form: &str) {
    let order = ExportOrder {
        name: "bench".to_owned(),
        publisher: "bench".to_owned(),
        as_of: "2026-02-01T00:00:00Z".parse().unwrap(),
        from: None,
        to: None,
        format: if form == "csv" { Format::Csv(Decimal::Point) } else { Format::Parquet },
        resolution: Resolution::Quarter,
        fill: false,
        zone: "Europe/Berlin".to_owned(),
    };
    runtime().block_on(async {
        let store = open_store(&Database::Sqlite(database.to_owned())).await.unwrap();
        export(&store, &order, output, &mut |_| Ok(())).await.unwrap();
        store.close().await.unwrap();
    });
    // In hundredths of a second, of this process and its threads.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("{} {}", ticks as f64 / 100.0, line.split_whitespace().next().unwrap());
}

fn ours(database: &Path, output: &Path, form: &str) -> Option<Used> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    used(command.arg(EXPORT).arg(database).arg(output).arg(form))
}

fn duckdb(database: &Path, output: &Path, way: &str, form: &str) -> Option<Used> {
    let python = std::env::var_os("EBP_BENCH_PYTHON").map_or("python3".into(), PathBuf::from);
    let mut command = Command::new(python);
    used(command.arg("-c").arg(DUCKDB).arg(database).arg(output).args([way, form]))
}

fn used(command: &mut Command) -> Option<Used> {
    let output = command.stderr(Stdio::inherit()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (seconds, memory) = text.trim().rsplit('\n').next()?.split_once(' ')?;
    output.status.success().then_some(Used(seconds.parse().ok()?, memory.parse().ok()?))
}
