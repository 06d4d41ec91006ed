//! `ebp demo`: what somebody sees who tries the project for the first time.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use crate::run;
use crate::support::{clean, ebp, process, process::Running, recording, wait_for};
use ebp_needs::needs;
use rustix::process::Signal;
use serde_json::Value;

/// A row of the table: model, measurements, 1.8.0, 2.8.0.
#[derive(Debug)]
struct Row {
    model: String,
    count: u64,
    import: Option<f64>,
    export: Option<f64>,
}

fn rows(table: &str) -> Vec<Row> {
    table
        .lines()
        .filter(|line| ["│ 1 ", "│ 2 ", "│ 3 "].iter().any(|start| line.starts_with(start)))
        .map(|line| {
            let cells: Vec<_> = line.split(['│', '┆']).map(str::trim).collect();
            Row {
                model: cells[2].to_owned(),
                count: cells[3].parse().unwrap(),
                import: cells[5].parse().ok(),
                export: cells[6].parse().ok(),
            }
        })
        .collect()
}

fn demo(folder: &Path, more: &[&str]) -> Command {
    let mut command = ebp();
    // A name from there, as people type it.
    command.current_dir(folder).args(["demo", "--cycle", "1s"]).args(more);
    // Pasts are tested by themselves.
    if !more.contains(&"--replay") && !more.contains(&"--past") {
        command.args(["--past", "0d"]);
    }
    command
}

/// The rows of the households that stay; the third one is there, too.
#[track_caller]
fn complete(table: &str) -> Vec<Row> {
    let mut rows = rows(table);
    let models: Vec<_> = rows.iter().map(|row| row.model.as_str()).collect();
    assert_eq!(models, ["MT175", "EHZ (PV)", "MT681", "MT691"], "{table}");
    assert!(rows.iter().all(|row| row.count > 0), "{table}");
    assert!(rows.iter().all(|row| row.import.is_some() || row.export.is_some()), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    rows.truncate(3);
    rows
}

/// What it prints when household 3 has left: the place that it is said to be at.
#[track_caller]
fn released(shown: &str) -> String {
    for told in ["household 3 has revoked its consent", "© GeoBasis-DE"] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    // On the map, and below it with what it means.
    for mark in ["○", "●"] {
        assert_eq!(shown.matches(mark).count(), 2, "{mark}: {shown}");
    }
    let line = shown.lines().find(|line| line.starts_with("● where it is said to be: ")).unwrap();
    line.to_owned()
}

/// A slot of the cycle used here.
fn second() -> i64 {
    ebp_core::clock::Clock::now(&ebp_core::clock::SystemClock).as_second()
}

/// None of its meters' links is left.
#[track_caller]
fn no_links(state: &Path) {
    for entry in fs::read_dir(state.join("meters")).unwrap() {
        let path = entry.unwrap().path();
        assert!(!fs::symlink_metadata(&path).unwrap().is_symlink(), "{} is left", path.display());
    }
}

#[test]
fn once_and_again_from_its_state() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("demo-state");
    let begun = Instant::now();
    let first = process::run(demo(folder.path(), &["--once"]), b"").done();
    eprintln!("the first round took {:?}", begun.elapsed());
    let before = complete(&first.stdout);
    let place = released(&first.stdout);
    no_links(&state);
    let told: Vec<_> = first.stderr.lines().take(3).map(str::to_owned).collect();
    assert!(told[0].contains("four virtual meters run here"), "{told:?}");
    assert!(told[1].starts_with("1s stand for a quarter of an hour"), "{told:?}");
    assert!(told[2].starts_with("Try next: ") && told[2].contains("ebp report"), "{told:?}");
    first.says(&["the state is in demo-state", "curl --cacert demo-state/", "ebp serve --config"]);

    // What was measured in this slot is not measured again: it waits for the next.
    let again = process::run(demo(folder.path(), &["--once"]), b"").done();
    let after = complete(&again.stdout);
    assert_ne!(released(&again.stdout), place, "another household 3, drawn by itself");
    let server = state.join("server.toml");
    let report = run!("report", "--measurement-cycle", "1s", "--config", server).done();
    assert!(report.stdout.starts_with("5 meters"), "two have left: {}", report.stdout);
    report.says(&["were masked by NUTS5000_N3.shp"]);
    for (before, after) in before.iter().zip(&after) {
        assert!(after.count > before.count, "{before:?} {after:?}");
        assert!(after.import >= before.import && after.export >= before.export, "{after:?}");
        let grown = after.import.unwrap_or_default() - before.import.unwrap_or_default();
        assert!(grown < 100.0, "{before:?} {after:?}");
    }

    // A kill leaves what the next start goes on from.
    let mut killed = Running::start(demo(folder.path(), &[]));
    killed.wait_for("curl --cacert");
    let killed = complete(&killed.kill().stdout);
    let last = complete(&process::run(demo(folder.path(), &["--once"]), b"").done().stdout);
    for ((killed, last), after) in killed.iter().zip(&last).zip(&after) {
        assert!(last.count > after.count && last.count >= killed.count, "{killed:?} {last:?}");
        assert!(last.import >= killed.import && last.export >= killed.export, "{last:?}");
    }
    no_links(&state);
}

/// Killed at any point of its first start, it completes its state at the next.
#[test]
fn a_kill_at_any_point_of_the_first_start() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..6_u64 {
        let running = Running::start(demo(folder.path(), &["--once"]));
        let until = Instant::now() + Duration::from_millis(30 + 40 * round);
        while Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        running.kill();
    }
    complete(&process::run(demo(folder.path(), &["--once"]), b"").done().stdout);
}

#[needs(curl)]
#[test]
fn until_ctrl_c_and_curl_fetches_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = Running::start(demo(folder.path(), &[]));
    let line = running.wait_for("curl --cacert");
    complete(&running.stdout().join("\n"));
    // The line as it was printed, in a shell, while the demo runs.
    let count = || {
        let mut shell = clean(Command::new("sh"));
        shell
            .current_dir(folder.path())
            .args(["-c", &format!("{} --silent --noproxy '*'", line.trim())]);
        let run = process::run(shell, b"").done();
        let page: Value = serde_json::from_str(&run.stdout).unwrap();
        page["items"].as_array().unwrap().len()
    };
    let before = count();
    assert!(before > 0);
    // It goes on: later more has arrived. Not asked for more often than somebody would.
    let mut asked = second();
    wait_for("further measurements", || {
        if second() == asked {
            return None;
        }
        asked = second();
        (count() > before).then_some(())
    });
    // Another demo in the same folder is refused.
    process::run(demo(folder.path(), &["--once"]), b"")
        .refused(1, &["another demo runs in", "--state"]);
    let begun = Instant::now();
    running.signal(Signal::INT);
    let run = running.end().done();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    // The table at the beginning and the one at the end.
    let all = rows(&run.stdout);
    assert_eq!(all.len(), 8, "{}", run.stdout);
    assert!(all[4].count > all[0].count, "{all:?}");
    released(&run.stdout);
    no_links(&folder.path().join("demo-state"));
}

#[test]
fn recordings_of_real_meters() {
    let folder = tempfile::tempdir().unwrap();
    let recordings = recording::folder().to_str().unwrap();
    let run = process::run(demo(folder.path(), &["--once", "--replay", recordings]), b"").done();
    let rows = complete(&run.stdout);
    // What the real meter showed.
    let import = rows[0].import.unwrap();
    let run = run!("read", recording::file("ISKRA_MT175_eHZ"), "--format", "json").done();
    let shown = run.json();
    let is = |value: &Value| value.as_f64().is_some_and(|value| (value - import).abs() < 0.0006);
    assert!(shown.iter().any(|reading| is(&reading["values"][0]["value"])), "{import}");
    let nowhere = process::run(demo(folder.path(), &["--once", "--replay", "nowhere"]), b"");
    nowhere.refused(2, &["nowhere is no folder"]);
}

/// In a pipe there is nothing but the table and the map on standard output, and no progress.
#[test]
fn no_progress_in_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let run = process::run(demo(folder.path(), &["--once"]), b"").done();
    assert!(run.stdout.starts_with('┌'), "{}", run.stdout);
    released(&run.stdout);
    assert!(!run.stderr.contains('\r') && !run.stderr.contains('\x1b'), "{:?}", run.stderr);
}
