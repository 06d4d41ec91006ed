//! `ebp export` from outside: the demo's data set, killed at ten instants, in another time zone and
//! language, checked, and damaged.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::support::{
    ebp,
    process::{self, Run},
};
use ebp_dataset::files::{ENERGY, Format, READINGS, SPANS, Table, Value, read_rows};

/// A demo that was run once, with its history of 30 days.
fn demo() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = ebp();
    command.current_dir(folder.path()).args(["demo", "--once", "--cycle", "1s", "--past", "30d"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (folder, String::from_utf8(output.stdout).unwrap())
}

fn run(command: Command) -> Run {
    process::run(command, b"")
}

fn check(set: &Path) -> Run {
    let mut command = ebp();
    command.args(["export", "--check"]).arg(set);
    run(command)
}

fn export(folder: &Path, to: &str, as_of: &str) -> Command {
    let mut command = ebp();
    command.current_dir(folder).args(["export", "--config", "demo-state/server.toml"]);
    command.args(["--as-of", as_of, "--output", to]);
    command
}

fn each_row(set: &Path, table: &Table, mut take: impl FnMut(&[Value])) {
    let mut files: Vec<PathBuf> = match table.by_month {
        true => fs::read_dir(set.join(table.name)).unwrap().map(|it| it.unwrap().path()).collect(),
        false => vec![set.join(format!("{}.parquet", table.name))],
    };
    files.sort();
    for file in files {
        read_rows(&file, table, Format::Parquet, &mut |_, values| take(values)).unwrap();
    }
}

/// In 10^-8 kWh.
fn units(value: &Value) -> Option<i64> {
    value.double().map(|kwh| (kwh * 1e8).round() as i64)
}

#[test]
fn the_demos_data_set() {
    let (folder, told) = demo();
    let set = folder.path().join("demo-state/dataset");
    for line in ["pandas.read_parquet(", "polars.read_parquet(", "duckdb.sql("] {
        assert!(told.contains(line), "{told}");
    }
    check(&set).done();
    the_sums_are_those_of_the_registers(&set);
    the_report_shows_profiles(folder.path());
    a_day_is_one_of_the_surveys_time_zone(folder.path(), &set);
    kills_change_nothing(folder.path(), &set);
    a_changed_byte_is_found(&set);
}

/// As in series; the demo's zone is Europe/Berlin.
fn a_day_is_one_of_the_surveys_time_zone(folder: &Path, set: &Path) {
    let parameters = |set: &Path| {
        let text = fs::read(set.join("EXPORT.json")).unwrap();
        serde_json::from_slice::<serde_json::Value>(&text).unwrap()["parameters"].take()
    };
    let as_of = parameters(set)["as_of"].as_str().unwrap().to_owned();
    let mut command = export(folder, "days", &as_of);
    command.args(["--from", "2020-07-01", "--to", "2030-01-01T00:00:00Z"]);
    run(command).done();
    let found = parameters(&folder.join("days"));
    assert_eq!(found["from"], "2020-06-30T22:00:00Z");
    assert_eq!(found["to"], "2030-01-01T00:00:00Z");
    check(&folder.join("days")).done();
}

/// What the rows of a meter's register and its spans add up to is what the register grew by.
fn the_sums_are_those_of_the_registers(set: &Path) {
    let mut rows = 0;
    let mut sums: BTreeMap<String, (i64, bool)> = BTreeMap::new();
    each_row(set, &ENERGY, |values| {
        rows += 1;
        let (sum, is_one) = sums.entry(values[1].to_string()).or_insert((0, true));
        *sum += units(&values[3]).unwrap_or(0);
        *is_one &= matches!(values[14], Value::Null | Value::Int(1));
    });
    assert!(rows > 2_000, "{rows} quarter hours");
    each_row(set, &SPANS, |values| {
        if values[1].text() == Some("import") {
            sums.get_mut(values[0].text().unwrap()).unwrap().0 += units(&values[5]).unwrap();
        }
    });
    let mut shown: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    each_row(set, &READINGS, |values| {
        let Some(register) = units(&values[6]) else { return };
        let ends = shown.entry(values[1].to_string()).or_insert((register, register));
        *ends = (ends.0.min(register), ends.1.max(register));
    });
    let mut compared = 0;
    for (meter, (sum, _)) in sums.iter().filter(|(_, (_, is_one))| *is_one) {
        let (first, last) = shown[meter];
        // The first and the last boundary lie within two quarter hours of the ends of the readings.
        let rest = last - first - sum;
        assert!((-100_000..=1_000_000_000).contains(&rest), "{meter}: {rest} of {sum}");
        compared += 1;
    }
    assert!(compared >= 2, "{sums:?}");
}

/// The page of the report has the energies of the data set.
fn the_report_shows_profiles(folder: &Path) {
    let scratch = folder.join("scratch");
    fs::create_dir(&scratch).unwrap();
    let mut command = ebp();
    command.env("TMPDIR", &scratch);
    command.current_dir(folder).args(["report", "--config", "demo-state/server.toml"]);
    command.args(["--summary", "--html", "report.html", "--language", "en"]);
    run(command).done();
    let page = fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(page.len() < 2_000_000, "{} octets", page.len());
    for part in ["Monday to Friday", "Saturday and Sunday", "Share of self-consumption", "12:00"] {
        assert!(page.contains(part), "{part}");
    }
    let profile = page.split("Monday to Friday, kW").nth(1).unwrap();
    let noon = profile.split("<th scope=\"row\">12:00</th>").nth(1).unwrap();
    let values: Vec<f64> = noon
        .split("<td>")
        .skip(1)
        .take(3)
        .map(|cell| cell.split('<').next().unwrap().parse().unwrap())
        .collect();
    let [load, fed_in, generation] = values[..] else { panic!("{values:?}") };
    assert!(load > 0.05 && generation > fed_in, "{values:?}");
    let elsewhere = page.replace("http://www.w3.org/2000/svg", "");
    assert!(!elsewhere.contains("href=") && !elsewhere.contains("src="), "another file is needed");
    assert_eq!(fs::read_dir(scratch).unwrap().count(), 0, "the exported set is removed");
}

fn kills_change_nothing(folder: &Path, set: &Path) {
    let about: serde_json::Value =
        serde_json::from_slice(&fs::read(set.join("EXPORT.json")).unwrap()).unwrap();
    let as_of = about["parameters"]["as_of"].as_str().unwrap();
    let name = about["parameters"]["name"].as_str().unwrap();
    let mut whole = export(folder, "whole", as_of);
    whole.args(["--name", name]).env("TZ", "Pacific/Auckland").env("LANG", "de_DE.UTF-8");
    run(whole).done();
    let wanted = fs::read_to_string(folder.join("whole/SHA256SUMS")).unwrap();
    let mut killed = 0;
    for tenth in 0..10 {
        let mut command = export(folder, "killed", as_of);
        command.args(["--name", name]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        thread::sleep(Duration::from_millis(40 + 90 * tenth));
        if child.try_wait().unwrap().is_none() {
            killed += 1;
        }
        let _ = child.kill();
        child.wait().unwrap();
        if folder.join("killed/SHA256SUMS").exists() && !folder.join("killed/.export").exists() {
            break;
        }
    }
    assert!(killed > 0, "the export was over before it was killed");
    if folder.join("killed/.export").exists() || !folder.join("killed/SHA256SUMS").exists() {
        let mut last = export(folder, "killed", as_of);
        last.args(["--name", name]);
        run(last).done();
    }
    assert_eq!(fs::read_to_string(folder.join("killed/SHA256SUMS")).unwrap(), wanted);
    // A finished set is not written over.
    let again = run(export(folder, "killed", as_of));
    assert_eq!(again.code, Some(2), "{again:?}");
    a_folder_has_one_export(folder, as_of);
    commas_are_of_csv_and_the_readme_loads_them(folder, as_of);
}

fn commas_are_of_csv_and_the_readme_loads_them(folder: &Path, as_of: &str) {
    let mut command = export(folder, "comma", as_of);
    command.args(["--decimal", "comma"]);
    let refused = run(command);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("add --format csv"), "{refused:?}");
    let mut command = export(folder, "comma", as_of);
    command.args(["--decimal", "comma", "--format", "csv"]);
    run(command).done();
    let readme = fs::read_to_string(folder.join("comma/README.md")).unwrap();
    for line in ["separator=\";\", decimal_comma=True)", "delim=';', decimal_separator=',')"] {
        assert!(readme.contains(line), "{readme}");
    }
}

/// While one export writes into a folder, another one does not touch what is there.
fn a_folder_has_one_export(folder: &Path, as_of: &str) {
    let busy = folder.join("busy");
    fs::DirBuilder::new().mode(0o700).create(&busy).unwrap();
    let other = fs::File::open(&busy).unwrap();
    other.try_lock().unwrap();
    let refused = run(export(folder, "busy", as_of));
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("busy: wait until it has ended"), "{refused:?}");
    assert_eq!(fs::read_dir(&busy).unwrap().count(), 0, "nothing was written");
}

fn a_changed_byte_is_found(set: &Path) {
    let file = set.join("daily.parquet");
    let mut bytes = fs::read(&file).unwrap();
    let place = bytes.len() / 3;
    bytes[place] ^= 1;
    fs::write(&file, bytes).unwrap();
    let checked = check(set);
    assert_eq!(checked.code, Some(1), "{checked:?}");
    assert!(checked.stdout.contains("daily.parquet: its content is not"), "{checked:?}");
}
