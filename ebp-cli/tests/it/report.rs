//! `ebp report` from outside: a table as people export it, and the database of a real server.

use std::{fmt::Write, fs, path::Path};

use crate::support::{ebp, process, process::Run};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

fn report(folder: &Path, arguments: &[&str], input: &str) -> Run {
    let mut command = ebp();
    command.current_dir(folder).arg("report").args(arguments);
    process::run(command, input.as_bytes())
}

/// Two weeks of three meters: one complete, one silent for a night, one measured twice in a slot.
fn survey() -> String {
    let start: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    let mut table = "meter,model,measured_at,received_at\n".to_owned();
    for (meter, model, minute) in [(1, "MT175", 46), (2, "EHZ", 7), (3, "MT681", 21)] {
        for slot in 0..2 * 7 * 96 {
            if meter == 2 && (500..532).contains(&slot) {
                continue;
            }
            let measured = start + SignedDuration::from_secs(900 * slot + 1);
            let hour = measured.as_second().div_euclid(3600) * 3600;
            let mut received = Timestamp::from_second(hour + 60 * minute).unwrap();
            if received < measured {
                received += SignedDuration::from_hours(1);
            }
            let mut times = vec![measured];
            if meter == 3 && slot == 700 {
                times.push(measured + SignedDuration::from_mins(4));
            }
            for measured in times {
                let uuid = format!("00000000-0000-0000-0000-00000000000{meter}");
                writeln!(table, "{uuid},{model},{measured},{received}").unwrap();
            }
        }
    }
    table
}

#[test]
fn tables_of_a_survey() {
    let folder = tempfile::tempdir().unwrap();
    let run = report(folder.path(), &["--input", "-", "--plot", "gaps.svg"], &survey()).done();
    insta::assert_snapshot!("survey", run.stdout);
    let svg = fs::read_to_string(folder.path().join("gaps.svg")).unwrap();
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
    // One stretch of silence and one double slot, and the legend's.
    assert_eq!(svg.matches(r#"<rect class="silent""#).count(), 2);
    assert_eq!(svg.matches(r#"<rect class="double""#).count(), 2);
}

/// The page has the figures of JSON, in both languages, and needs no other file.
#[test]
fn a_page_has_the_figures_of_json() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("survey.csv"), survey()).unwrap();
    for (language, point) in [("de", ','), ("en", '.')] {
        let html = format!("{language}.html");
        let arguments = ["--input", "survey.csv", "--format", "json", "--html", &html];
        let arguments = [&arguments[..], &["--language", language]].concat();
        let json: Value =
            serde_json::from_str(&report(folder.path(), &arguments, "").done().stdout).unwrap();
        let page = fs::read_to_string(folder.path().join(&html)).unwrap();
        assert!(page.contains(&format!("<html lang=\"{language}\">")), "{page}");
        for (number, meter) in (1..).zip(json["meters"].as_array().unwrap()) {
            let name = meter["meter"].as_str().unwrap();
            let percent = |target: &str| {
                let share = meter[target]["fulfilment_percent"].as_f64().unwrap();
                format!(
                    "<td>{}\u{a0}%</td>",
                    format!("{share:.2}").replace('.', &point.to_string())
                )
            };
            let row = page.split("<tr>").find(|row| row.contains(name)).unwrap();
            assert!(row.starts_with(&format!("<td>{number}</td>")), "{row}");
            let counts = format!("<td>{}</td><td>{}</td>", meter["missed"], meter["doubled"]);
            let figures = format!("{}{counts}", percent("measurements"));
            assert!(
                row.contains(&figures) && row.contains(&percent("reports")),
                "{row}: {figures}"
            );
        }
        assert!(!page.contains("<script") && !page.contains("http"), "nothing from elsewhere");
    }
}

#[test]
fn json_and_csv_have_the_same_figures() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("survey.csv"), survey()).unwrap();
    let arguments = ["--input", "survey.csv", "--format", "json"];
    let json: Value =
        serde_json::from_str(&report(folder.path(), &arguments, "").done().stdout).unwrap();
    assert_eq!(json["overall"]["measurements"]["expected"], 3 * 14 * 96);
    assert_eq!(json["overall"]["missed"], 32);
    assert_eq!(json["overall"]["doubled"], 1);
    assert_eq!(json["meters"][0]["reports"]["fulfilment_percent"], 100.0);
    let silence = &json["meters"][1]["silences"][0];
    assert_eq!(silence["from"], "2026-03-06T05:00:00Z");
    assert_eq!(silence["to"], "2026-03-06T13:00:00Z");

    let arguments = ["--input", "survey.csv", "--format", "csv"];
    let run = report(folder.path(), &arguments, "").done();
    let mut reader = csv::Reader::from_reader(run.stdout.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 4);
    assert_eq!(&rows[3][0], "all");
    let same = |row: &csv::StringRecord, figures: &Value| {
        assert_eq!(row[2].parse::<u64>().unwrap(), figures["measurements"]["reached"]);
        assert_eq!(row[5].parse::<u64>().unwrap(), figures["missed"]);
        assert_eq!(
            row[9].parse::<f64>().unwrap(),
            figures["measurement_cycle_minutes"]["deviation"]
        );
        assert_eq!(row[12].parse::<f64>().unwrap(), figures["reports"]["fulfilment_percent"]);
    };
    same(&rows[3], &json["overall"]);
    (0..3).for_each(|meter| same(&rows[meter], &json["meters"][meter]));
}

#[test]
fn a_window_and_other_cycles() {
    let folder = tempfile::tempdir().unwrap();
    let of = |more: &[&str]| -> Value {
        let arguments = [&["--input", "-", "--format", "json", "--summary"], more].concat();
        serde_json::from_str(&report(folder.path(), &arguments, &survey()).done().stdout).unwrap()
    };
    let day = of(&["--from", "2026-03-02", "--to", "2026-03-03T00:00:00Z"]);
    assert_eq!(day["overall"]["measurements"]["expected"], 3 * 96);
    // The first report of the window is whole although part of it was measured before.
    assert_eq!(day["overall"]["measurements_per_report"]["deviation"], 0.0);
    let half = of(&["--measurement-cycle", "30m", "--to", "2026-03-02"]);
    assert_eq!(half["overall"]["measurements"]["expected"], 3 * 48);
    assert_eq!(half["overall"]["doubled"], 3 * 48);
    assert!(half.get("meters").is_none());
}

#[test]
fn wrong_tables_are_told_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let told = |table: &str, code: i32| {
        let run = report(folder.path(), &["--input", "-"], table);
        assert_eq!(run.code, Some(code), "{}", run.stderr);
        assert_eq!(run.stdout, "");
        run.stderr
    };
    let header = "meter,measured_at,received_at\n";
    let good = "00000000-0000-0000-0000-000000000001,2026-03-01T00:00:00Z,2026-03-01T00:00:00Z\n";
    assert_eq!(
        told("meter,time\n", 2),
        "ebp: standard input has no column measured_at: it takes meter, measured_at and \
         received_at, and may have model\n"
    );
    let twice = format!("{header}{good}{}", good.replace("01T00:00:00Z,", "01 noon,"));
    assert_eq!(
        told(&twice, 2),
        "ebp: standard input:3: `measured_at` is no instant such as 2026-03-01T12:00:00Z\n"
    );
    let nobody = format!("{header}{}", good.replace("0001,", "000x,"));
    assert_eq!(told(&nobody, 2), "ebp: standard input:2: `meter` is no UUID\n");
    assert_eq!(told(header, 3), "ebp: there is no measurement to evaluate\n");
    let run = report(folder.path(), &["--data", "nowhere"], "");
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("ebp.sqlite does not exist"), "{}", run.stderr);
}

#[test]
fn the_database_of_a_server_that_has_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = ebp();
    demo.current_dir(folder.path())
        .args(["demo", "--once", "--cycle", "1s", "--past", "0d", "--state", "state"]);
    process::run(demo, b"").done();
    let data = ["--data", "state/server", "--measurement-cycle", "1s", "--report-cycle", "1s"];
    let arguments = [&data[..], &["--format", "json"]].concat();
    let json: Value =
        serde_json::from_str(&report(folder.path(), &arguments, "").done().stdout).unwrap();
    let meters = json["meters"].as_array().unwrap();
    assert_eq!(meters.len(), 4);
    for meter in meters {
        assert!(meter["measurements"]["reached"].as_u64().unwrap() > 0, "{json}");
        assert_eq!(meter["doubled"], 0, "{json}");
    }
}

/// Neither an input nor what is there already is written over, by whatever name it is given.
#[test]
fn outputs_write_over_nothing() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("survey.csv"), survey()).unwrap();
    fs::hard_link(path("survey.csv"), path("hard.html")).unwrap();
    symlink("survey.csv", path("soft.html")).unwrap();
    symlink("nothing", path("dangling.html")).unwrap();
    for name in ["survey.csv", "./survey.csv", "hard.html", "soft.html", "dangling.html"] {
        for option in ["--html", "--plot"] {
            report(folder.path(), &["--input", "survey.csv", option, name], "")
                .refused(1, &[name, "exists already", "choose another name"]);
        }
    }
    let twice = ["--input", "survey.csv", "--html", "new", "--plot", "./new"];
    report(folder.path(), &twice, "").refused(2, &["new would be written twice"]);
    assert_eq!(fs::read_to_string(path("survey.csv")).unwrap(), survey());
    assert!(!path("nothing").exists() && !path("new").exists());
    report(folder.path(), &["--input", "survey.csv", "--html", "new.html"], "").done();
    let mode = fs::metadata(path("new.html")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "households' figures");
}
