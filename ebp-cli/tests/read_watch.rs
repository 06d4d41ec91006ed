//! `ebp read --watch`: meters come and go, and it stays.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

mod support;

use std::{fs, process::Stdio};

use serde_json::Value;
use support::{ebp, meter::Meter, process::Running, wait_for};

#[test]
fn a_watcher_waits_for_a_meter_that_was_pulled_out() {
    let folder = tempfile::tempdir().unwrap();
    let first = Meter::quick(folder.path(), "MT175");
    let mut command = ebp();
    command.args(["read", "--watch", "--format", "json", "--port"]).arg(&first.link);
    let mut watching = Running::start(command);
    watching.wait_for_lines(2);
    // Without a chance to clean up: the link leads nowhere (or to a pseudoterminal that another
    // test has just opened; then it is no use to wait for it).
    first.kill();
    let link = folder.path().join("MT175");
    watching.wait_for("is gone; waiting for it to come back");
    let before = watching.stdout().len();
    if fs::metadata(&link).is_ok() {
        fs::remove_file(&link).unwrap();
    }
    let second = Meter::quick(folder.path(), "MT175");
    watching.wait_for("is back");
    watching.wait_for_lines(before + 2);
    // And once more, the clean way: the link itself is gone.
    second.end().done();
    wait_for("the second farewell", || {
        (watching.stderr().iter().filter(|line| line.contains("is gone")).count() == 2)
            .then_some(())
    });
    assert!(watching.lives());
    for line in watching.kill().stdout.lines() {
        let reading: Value = serde_json::from_str(line).unwrap();
        assert_eq!(reading["frame"]["crc"], "ok");
    }
}

#[test]
fn a_watcher_of_a_silent_meter_says_so_once_and_waits() {
    let folder = tempfile::tempdir().unwrap();
    let meter = Meter::silent(folder.path());
    let mut command = ebp();
    command.args(["read", "--watch", "--timeout", "200ms", "--port"]).arg(&meter.link);
    let mut watching = Running::start(command);
    watching.wait_for("for 200ms; still waiting");
    let told = std::time::Instant::now();
    wait_for("a second", || (told.elapsed().as_millis() > 800).then_some(()));
    assert_eq!(watching.stderr().len(), 1, "{:?}", watching.stderr());
    assert!(watching.lives());
}

/// A watcher notices at the next telegram.
#[test]
fn a_watcher_ends_quietly_at_a_closed_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let meter = Meter::quick(folder.path(), "MT175");
    let mut command = ebp();
    command.args(["read", "--watch", "--format", "json", "--port"]).arg(&meter.link);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(0));
}
