//! The page's process as a user of its own, who may use nothing of the device but its socket.

use std::{
    fs,
    net::TcpListener,
    os::{
        fd::OwnedFd,
        unix::{
            fs::{MetadataExt, PermissionsExt, chown},
            process::CommandExt,
        },
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use ebp_device::spool::Spool;
use ebp_needs::needs;

use super::house::{ENGLISH, House, MODEL};
use crate::{
    operate::page::Browser,
    support::{clean, process, process::Running, wait_for},
};

/// The daemons' user and group. Nothing has to know them by a name.
const DEVICE: u32 = 60_001;
/// The page's user, who is a member of the daemons' group, as `deploy/systemd/ebp-page.service` says.
const PAGE: u32 = 60_002;

/// A command of the program as a user of that group. It is a copy that all of them may run.
fn ebp(house: &House, user: u32) -> Command {
    as_user(clean(Command::new(house.at("ebp"))), user)
}

fn as_user(mut command: Command, user: u32) -> Command {
    command.uid(user).gid(DEVICE);
    command
}

/// Gives a file or a folder with all that is in it to a user, as private as it was made.
fn give(path: &Path, user: u32) {
    chown(path, Some(user), Some(DEVICE)).unwrap();
    for entry in fs::read_dir(path).into_iter().flatten() {
        give(&entry.unwrap().path(), user);
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The house with its files as the units' users have them.
fn settle(house: &House) {
    set_mode(&house.at(""), 0o711);
    for name in ["device", "device.toml", "meter.pin", "ports", "run", "spool", "state"] {
        give(&house.at(name), DEVICE);
    }
    for name in ["ports", "spool", "state"] {
        set_mode(&house.at(name), 0o700);
    }
    set_mode(&house.at("device.toml"), 0o600);
    // As RuntimeDirectoryMode has it.
    set_mode(&house.at("run"), 0o750);
    for name in ["web", "page", "page.toml"] {
        give(&house.at(name), PAGE);
    }
    let (program, copy) = (env!("CARGO_BIN_EXE_ebp"), house.at("ebp"));
    fs::hard_link(program, &copy).or_else(|_| fs::copy(program, &copy).map(drop)).unwrap();
}

/// The form's token of a page.
fn token(page: &str) -> &str {
    page.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap()
}

#[needs(other_users)]
#[test]
fn the_page_needs_nothing_of_the_device_but_its_socket() {
    let house = House::enrol();
    settle(&house);
    let port = house.at("ports").join(MODEL);
    let mut command = ebp(&house, DEVICE);
    command.args(["simulate", "--model", MODEL, "--interval", "300ms", "--link"]).arg(&port);
    let mut meter = Running::start(command);
    meter.wait_for("the meter is at");
    let mut command = ebp(&house, DEVICE);
    command.args(["read", "--every", "--config"]).arg(house.at("device.toml"));
    let _reading = Running::start(command);
    // A port that the page's user could not open by itself is opened for it.
    let listener = TcpListener::bind(("127.0.0.1", house.port)).unwrap();
    let mut command = ebp(&house, PAGE);
    command.args(["serve", "device", "--listen-at-stdin", "--config"]).arg(house.at("page.toml"));
    let mut page = Running::start_with(command, Stdio::from(OwnedFd::from(listener)));
    page.wait_for("serving the participant's page at http://");

    let mut browser = Browser::at(format!("http://127.0.0.1:{}", house.port));
    browser.sign_in(&house.code);
    let (_, consent) = browser.get("/consent");
    let version = consent.split("name=\"text_version\" value=\"").nth(1).unwrap();
    let version = version.split('"').next().unwrap();
    let fields = format!("token={}&text_version={version}", token(&consent));
    assert_eq!(browser.submit("/consent/grant", &fields).status(), 303);
    let today = wait_for("a measurement on the page", || {
        let (status, text) = browser.get("/today");
        assert_eq!(status, 200, "{text}");
        text.contains(ENGLISH.say("last-measured")).then_some(text)
    });
    assert!(today.contains(ENGLISH.say("state-well")), "{today}");

    switches_remote_access(&house, &browser);

    // Each of these is there, and none is the page's.
    let device = ["device/device.key", "device/device.pem", "device.toml", "meter.pin"];
    let mut private: Vec<PathBuf> = device.map(|name| house.at(name)).into();
    private.extend(["spool/spool.sqlite", "spool/tunnel.sqlite"].map(|name| house.at(name)));
    private.push(fs::canonicalize(&port).unwrap());
    for path in private {
        assert!(path.exists(), "{}", path.display());
        let mut command = as_user(Command::new("head"), PAGE);
        command.args(["-c", "1"]).arg(&path);
        let run = process::run(command, b"");
        assert!(
            run.code != Some(0) && run.stderr.contains("denied"),
            "{}: {run:?}",
            path.display()
        );
    }
    // The page's key is as private to the page.
    let mut command = as_user(Command::new("head"), DEVICE);
    command.args(["-c", "1"]).arg(house.at("web/frontend.key"));
    assert_ne!(process::run(command, b"").code, Some(0));
}

/// Root looks at a device's status before its daemons have begun, and they can use what it made.
#[needs(other_users)]
#[test]
fn what_root_makes_in_a_spool_belongs_to_the_daemons() {
    let folder = tempfile::tempdir().unwrap();
    chown(folder.path(), Some(DEVICE), Some(DEVICE)).unwrap();
    let spool = folder.path().join("spool");
    drop(Spool::open(&spool).unwrap());
    // As an earlier release left it.
    fs::write(spool.join("consent"), "").unwrap();
    drop(Spool::open(&spool).unwrap());
    for name in ["", "spool.sqlite", "consent"] {
        assert_eq!(fs::metadata(spool.join(name)).unwrap().uid(), DEVICE, "spool/{name}");
    }
}

/// The page asks the tunnel of the device's user, and has it switched.
fn switches_remote_access(house: &House, browser: &Browser) {
    let remote_access = || {
        let (status, text) = browser.get("/remote-access");
        assert_eq!(status, 200, "{text}");
        text
    };
    assert!(remote_access().contains(ENGLISH.say("remote-missing")));
    let mut command = ebp(house, DEVICE);
    command.args(["tunnel", "--config"]).arg(house.at("device.toml"));
    let mut tunnel = Running::start(command);
    tunnel.wait_for("the tunnel is held");
    let page = remote_access();
    assert!(page.contains(ENGLISH.say("remote-off")), "{page}");
    assert!(page.contains(ENGLISH.say("remote-reachable")), "{page}");
    assert!(page.contains(ENGLISH.say("remote-no-sessions")), "{page}");
    let day = page.split("min=\"").nth(1).unwrap().split('"').next().unwrap();
    let switch = |fields: &str| browser.submit("/remote-access", fields).status();
    let fields = format!("choice=until&until={day}");
    assert_eq!(switch(&fields), 403, "without the form's token");
    assert_eq!(switch(&format!("token={}&{fields}", token(&page))), 303);
    assert!(remote_access().contains(ENGLISH.say("remote-until")));
    // It is the tunnel that keeps it.
    tunnel.kill();
    let mut command = ebp(house, DEVICE);
    command.args(["tunnel", "--config"]).arg(house.at("device.toml"));
    let mut tunnel = Running::start(command);
    tunnel.wait_for("the tunnel is held");
    assert!(remote_access().contains(ENGLISH.say("remote-until")));
    assert_eq!(switch(&format!("token={}&choice=off", token(&page))), 303);
    assert!(remote_access().contains(ENGLISH.say("remote-switched-off")));
}
