//! The units in `deploy/systemd`: systemd takes them, they are confined, and what they start is there.

use std::{fs, path::PathBuf, process::Command};

use ebp_needs::needs;

use crate::support::process;

/// How exposed a service may be, in tenths, as `systemd-analyze security` counts it.
const MOST_EXPOSED: &str = "19";
/// How exposed the service may be that updates the program: it is root's.
const MOST_EXPOSED_UPDATE: &str = "25";
/// The program, as the units name it.
const PROGRAM: &str = "/usr/local/bin/ebp";

/// Each unit with its text.
fn units() -> Vec<(PathBuf, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy/systemd");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_unit = |path: &PathBuf| {
        let ending = path.extension().unwrap_or_default();
        ["service", "socket", "timer"].iter().any(|known| ending == *known)
    };
    let mut units: Vec<_> = files
        .filter(is_unit)
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect();
    units.sort();
    assert!(units.len() >= 8, "{units:?}");
    units
}

fn services() -> impl Iterator<Item = (PathBuf, String)> {
    units().into_iter().filter(|(path, _)| path.extension().is_some_and(|end| end == "service"))
}

#[needs(systemd_analyze)]
#[test]
fn the_units_are_verified() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("systemd-analyze");
    command.args(["verify", "--man=no"]);
    command.env("SYSTEMD_UNIT_PATH", format!("{}:", folder.path().display()));
    for (path, text) in units() {
        let copy = folder.path().join(path.file_name().unwrap());
        fs::write(&copy, text.replace(PROGRAM, env!("CARGO_BIN_EXE_ebp"))).unwrap();
        command.arg(copy);
    }
    let run = process::run(command, b"");
    let about_them = |line: &&str| line.contains("ebp-");
    let told: Vec<&str> = run.stderr.lines().filter(about_them).collect();
    assert!(run.code == Some(0) && told.is_empty(), "{run:#?}");
}

#[needs(systemd_analyze)]
#[test]
fn the_services_are_confined() {
    for (path, text) in services() {
        let mut command = Command::new("systemd-analyze");
        let is_update = path.ends_with("ebp-update.service");
        let most = if is_update { MOST_EXPOSED_UPDATE } else { MOST_EXPOSED };
        command.args(["security", "--offline=true", "--no-pager", "--threshold", most]);
        command.arg(&path);
        let run = process::run(command, b"");
        assert_eq!(run.code, Some(0), "{}", run.stdout);
        // With a clock that the program may not ask about, measurements get wrong times.
        let (_, name) = path.to_str().unwrap().rsplit_once('/').unwrap();
        if name != "ebp-serve.service" {
            assert!(text.contains("\nSystemCallFilter=adjtimex clock_adjtime\n"), "{name}");
            for wrong in ["\nProtectClock=", "\nProcSubset="] {
                assert!(!text.contains(wrong), "{name}: {wrong}");
            }
        }
    }
}

/// The page's services see nothing of the measuring device but its sockets.
#[test]
fn the_page_is_apart() {
    for (path, text) in services().filter(|(_, text)| text.contains("\nUser=ebp-web\n")) {
        for line in ["PrivateDevices=yes", "CapabilityBoundingSet=", "NoNewPrivileges=yes"] {
            assert!(text.lines().any(|own| own == line), "{}: {line}", path.display());
        }
        let hidden = text.lines().find_map(|line| line.strip_prefix("InaccessiblePaths="));
        let hidden: Vec<_> = hidden.unwrap().split(' ').collect();
        assert!(hidden.contains(&"-/etc/ebp") && hidden.contains(&"-/var/lib/ebp"), "{hidden:?}");
        assert!(!text.contains("dialout"), "{}", path.display());
    }
}

/// The page may ask the tunnel, whose log and folders are not its own: its group may use the socket's
/// folder, and that outlives a restart of the measuring daemon.
#[test]
fn the_page_reaches_the_tunnels_socket() {
    let text = |name: &str| {
        let find = |(path, _): &(PathBuf, String)| path.ends_with(name);
        services().find(find).unwrap_or_else(|| panic!("no {name}")).1
    };
    let (tunnel, page) = (text("ebp-tunnel.service"), text("ebp-page.service"));
    for line in ["Group=ebp", "RuntimeDirectory=ebp-tunnel", "RuntimeDirectoryMode=0750"] {
        assert!(tunnel.lines().any(|own| own == line), "{line}");
    }
    for line in ["Type=notify", "RestartPreventExitStatus=4"] {
        assert!(tunnel.lines().any(|own| own == line), "{line}");
    }
    assert!(page.lines().any(|own| own == "SupplementaryGroups=ebp"));
    let example = ebp_web::device::EXAMPLE;
    assert!(example.contains("tunnel_socket = \"/run/ebp-tunnel/tunnel.sock\""), "{example}");
}

#[test]
fn the_services_start_what_there_is() {
    for (path, text) in services() {
        let started = text.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
        let arguments = started.strip_prefix(PROGRAM).unwrap_or_else(|| panic!("{started}"));
        let run = crate::support::run(arguments.split_whitespace().chain(["--help"]));
        assert_eq!(run.code, Some(0), "{}: {run:#?}", path.display());
    }
}

/// A service of a device runs the version that its updates have chosen, and is started for ever: that a
/// version ends at once is found by the judge, which counts.
#[test]
fn services_of_devices_start_by_the_launcher() {
    for name in
        ["ebp-read.service", "ebp-transmit.service", "ebp-tunnel.service", "ebp-page.service"]
    {
        let (_, text) = services().find(|(path, _)| path.ends_with(name)).unwrap();
        for line in ["StartLimitIntervalSec=0", "Restart=always"] {
            assert!(text.lines().any(|own| own == line), "{name}: {line}");
        }
        let launched = format!("\nExecStart={PROGRAM} update exec -- ");
        assert!(text.contains(&launched), "{name}");
    }
}
