//! `ebp demo`: what somebody sees who tries the project for the first time.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

mod support;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::Value;
use support::{clean, ebp, process, process::Running, recording, wait_for};

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
        .filter(|line| {
            line.starts_with("│ household ") && line.contains("ELECTRICITY")
                || line.contains("PV-GENERATION")
        })
        .map(|line| {
            let cells: Vec<_> = line.split(['│', '┆']).map(str::trim).collect();
            Row {
                model: cells[2].to_owned(),
                count: cells[4].parse().unwrap(),
                import: cells[6].parse().ok(),
                export: cells[7].parse().ok(),
            }
        })
        .collect()
}

fn demo(folder: &Path, more: &[&str]) -> Command {
    let mut command = ebp();
    // A name from there, as people type it.
    command.current_dir(folder).args(["demo", "--cycle", "1s"]).args(more);
    command
}

#[track_caller]
fn complete(table: &str) -> Vec<Row> {
    let rows = rows(table);
    let models: Vec<_> = rows.iter().map(|row| row.model.as_str()).collect();
    assert_eq!(models, ["MT175", "EHZ", "MT681"], "{table}");
    assert!(rows.iter().all(|row| row.count > 0), "{table}");
    assert!(rows.iter().all(|row| row.import.is_some() || row.export.is_some()), "{table}");
    rows
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
    no_links(&state);
    first.says(&["the state is in demo-state", "curl --cacert demo-state/", "ebp serve --config"]);

    // What was measured in this slot is not measured again.
    let slot = second();
    wait_for("the next slot", || (second() > slot).then_some(()));
    let again = process::run(demo(folder.path(), &["--once"]), b"").done();
    let after = complete(&again.stdout);
    for (before, after) in before.iter().zip(&after) {
        assert!(after.count > before.count, "{before:?} {after:?}");
        assert!(after.import >= before.import && after.export >= before.export, "{after:?}");
        let grown = after.import.unwrap_or_default() - before.import.unwrap_or_default();
        assert!(grown < 100.0, "{before:?} {after:?}");
    }

    let slot = second();
    wait_for("the next slot", || (second() > slot).then_some(()));
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

#[test]
fn until_ctrl_c_and_curl_fetches_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = Running::start(demo(folder.path(), &[]));
    let line = running.wait_for("curl --cacert");
    complete(&running.stdout().join("\n"));
    // The line as it was printed, in a shell, while the demo runs.
    let mut shell = clean(Command::new("sh"));
    shell
        .current_dir(folder.path())
        .args(["-c", &format!("{} --silent --noproxy '*'", line.trim())]);
    if Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_ok() {
        let count = || {
            let mut again = clean(Command::new("sh"));
            again.current_dir(folder.path()).args(shell.get_args());
            let run = process::run(again, b"").done();
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
    } else {
        eprintln!("skipped: this machine has no curl");
    }
    // Another demo in the same folder is refused.
    process::run(demo(folder.path(), &["--once"]), b"")
        .refused(1, &["another demo runs in", "--state"]);
    let begun = Instant::now();
    running.signal(Signal::INT);
    let run = running.end().done();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    // The table at the beginning and the one at the end.
    let all = rows(&run.stdout);
    assert_eq!(all.len(), 6, "{}", run.stdout);
    assert!(all[3].count > all[0].count, "{all:?}");
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
    assert!(
        shown.iter().any(|reading| reading["values"][0]["value"].as_f64() == Some(import)),
        "{import}"
    );
    let nowhere = process::run(demo(folder.path(), &["--once", "--replay", "nowhere"]), b"");
    nowhere.refused(2, &["nowhere is no folder"]);
}

/// In a pipe there is nothing but the table on standard output, and no progress.
#[test]
fn no_progress_in_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let run = process::run(demo(folder.path(), &["--once"]), b"").done();
    assert!(run.stdout.starts_with('┌') && run.stdout.ends_with("┘\n"), "{}", run.stdout);
    assert!(!run.stderr.contains('\r') && !run.stderr.contains('\x1b'), "{:?}", run.stderr);
}
