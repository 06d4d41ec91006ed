//! The launcher: which program it becomes, and that it becomes it.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    process::Command,
};

use super::{Device, FLOOR, script};
use crate::support::process::{self, Running};

fn current(device: &Device, text: &str) {
    let folder = device.updates.join("versions/2.0.0");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("ebp"), text).unwrap();
    super::executable(&folder.join("ebp"));
    let _ = fs::remove_file(device.updates.join("current"));
    symlink("versions/2.0.0", device.updates.join("current")).unwrap();
}

#[test]
fn it_keeps_the_process_and_its_arguments_and_exit_code() {
    let device = Device::without_server();
    current(&device, &script("2.0.0", "exit 0", "echo $$ \"$@\"; exit 7"));
    let running = Running::start(device.launch(&["read", "--config", "a b", "--every"]));
    let id = running.pid();
    let run = running.end();
    assert_eq!(
        (run.code, run.stdout.trim()),
        (Some(7), &*format!("{id} read --config a b --every"))
    );
    // A wrong program costs the service nothing but a line.
    let program = device.updates.join("versions/2.0.0/ebp");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o644)).unwrap();
    let run = process::run(device.launch(&["--version"]), b"").done();
    assert_eq!(run.stdout.trim(), format!("ebp {FLOOR}"));
    run.says(&["starting the package's program", "it is no program"]);
}

#[test]
fn the_judge_is_never_the_judged_and_falls_back_to_the_floor() {
    let device = Device::without_server();
    current(&device, &script("2.0.0", "exit 0", "exit 0"));
    let judge = || {
        let mut command = device.command(&["exec", "--judge"]);
        command.args(["--", "--version"]);
        process::run(command, b"").done()
    };
    // Nothing is committed, whatever is current.
    assert_eq!(judge().stdout.trim(), format!("ebp {FLOOR}"));
    for _ in 0..2 {
        judge();
    }
    judge().says(&["3 rounds of updates in a row failed"]);
    // A round that works begins to count anew.
    device.round().done();
    assert_eq!(judge().stderr, "");
}

#[test]
fn a_second_updater_ends_at_once() {
    let device = Device::without_server();
    device.desire("2.0.0", script("2.0.0", "exec sleep 3", "exec sleep 1000").as_bytes());
    let mut first = Running::start(device.updater());
    first.wait_for("fetching version 2.0.0");
    device.round().refused_with("another updater is at work");
    first.end().done().says(&["version 2.0.0 is kept"]);
}

#[test]
fn what_is_started_without_arguments_is_wrong_usage() {
    let device = Device::without_server();
    let run = process::run(device.command(&["exec"]), b"");
    assert_eq!(run.code, Some(2), "{run:#?}");
    let mut command: Command = device.command(&[]);
    command.env("COLUMNS", "100");
    assert_eq!(process::run(command, b"").code, Some(2), "--config is needed");
}
