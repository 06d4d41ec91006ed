//! `deploy/card/prepare.sh` on a folder in place of a card, and `first-start.sh` on one in place of a
//! machine.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::support::process::{self, Run};

const DEVICE: &str = "0b1f4e0a-7a55-4c3e-9d6b-2f6f0c0f7a01";

/// A mounted card, and what is put onto it.
struct Card(TempDir);

impl Card {
    fn new() -> Self {
        let card = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(card.at("card/etc/systemd/system")).unwrap();
        for (name, text) in [("ebp.deb", "package"), ("ca.pem", "ca"), ("token", "secret")] {
            fs::write(card.at(name), text).unwrap();
        }
        card
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn prepare(&self, changes: &[(&str, &str)]) -> Run {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/card/prepare.sh");
        let mut command = Command::new("sh");
        command.arg(script).current_dir(self.0.path());
        for (option, value) in [
            ("--root", "card"),
            ("--package", "ebp.deb"),
            ("--url", "https://ebp.example.org:8443"),
            ("--ca", "ca.pem"),
            ("--device", DEVICE),
            ("--token", "token"),
            ("--labels", "labels.csv"),
        ] {
            let changed = changes.iter().find(|(name, _)| *name == option);
            command.args([option, changed.map_or(value, |(_, value)| value)]);
        }
        process::run(command, b"")
    }
}

#[test]
fn a_card_has_what_its_first_start_needs_however_often_it_is_prepared() {
    let card = Card::new();
    for _ in 0..2 {
        card.prepare(&[]).done();
    }
    let own = card.at("card/var/lib/ebp-first-start");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&own), mode(&own.join("token"))), (0o700, 0o600));
    for (name, text) in [("ebp.deb", "package"), ("ca.pem", "ca"), ("token", "secret")] {
        assert_eq!(fs::read_to_string(own.join(name)).unwrap(), text);
    }
    let settings = fs::read_to_string(own.join("settings")).unwrap();
    assert_eq!(settings, "URL=https://ebp.example.org:8443\n");
    // The link leads to the unit on the card, wherever that is mounted.
    let units = card.at("card/etc/systemd/system");
    let wanted = units.join("multi-user.target.wants/ebp-first-start.service");
    let unit = fs::read_to_string(wanted).unwrap();
    assert!(unit.contains("ExecStart=/bin/sh /var/lib/ebp-first-start/first-start.sh"), "{unit}");
    assert!(own.join("first-start.sh").exists());
    // The name that the device's sheet has.
    assert_eq!(fs::read_to_string(card.at("card/etc/hostname")).unwrap(), "ebp-7a01\n");
    let labels = fs::read_to_string(card.at("labels.csv")).unwrap();
    assert_eq!(labels, format!("device,name,page\n{DEVICE},ebp-7a01,http://ebp-7a01.local/\n"));
}

#[test]
fn nothing_is_written_to_what_is_no_card_of_a_new_device() {
    let card = Card::new();
    fs::create_dir(card.at("empty")).unwrap();
    for (change, told) in [
        (("--root", "/"), "this machine itself"),
        (("--root", "empty"), "is the card mounted"),
        (("--token", "none"), "none is no file"),
        (("--url", "http://ebp.example.org"), "https://"),
        (("--url", "https://a;reboot"), "no address"),
        (("--device", "$(reboot)"), "identifier"),
        (("--device", "0b1f"), "36 characters"),
    ] {
        let run = card.prepare(&[change]);
        assert!(run.code == Some(1) && run.stderr.contains(told), "{change:?}: {run:#?}");
    }
    assert!(!card.at("card/var").exists() && !card.at("labels.csv").exists());
    fs::create_dir_all(card.at("card/etc/ebp")).unwrap();
    fs::write(card.at("card/etc/ebp/device.pem"), "").unwrap();
    let run = card.prepare(&[]);
    assert!(run.code == Some(1) && run.stderr.contains("is enrolled on this card"), "{run:#?}");
}

/// A machine of a card, with programs that note what they are told in place of its own.
struct Machine(Card);

const DPKG: &str = r#"
case $1 in
--configure) [ "$(cat state)" != half-configured ] || echo installed >state ;;
--install) echo installed >state ;;
esac"#;
const DPKG_QUERY: &str = "[ -s state ] && cat state";
const EBP: &str = r#"
case $2 in
enroll) touch etc/ebp/device.pem ;;
init) touch etc/ebp-web/page.toml etc/ebp/device.toml ;;
esac"#;

impl Machine {
    fn new() -> Self {
        let card = Card::new();
        card.prepare(&[]).done();
        for folder in ["bin", "etc/ebp", "etc/ebp-web"] {
            fs::create_dir_all(card.at(folder)).unwrap();
        }
        for (name, does) in
            [("dpkg", DPKG), ("dpkg-query", DPKG_QUERY), ("ebp", EBP), ("systemctl", "")]
        {
            let program = card.at("bin").join(name);
            let note = if name == "dpkg-query" { "" } else { r#"echo "${0##*/} $*" >>told"# };
            fs::write(&program, format!("#!/bin/sh\n{note}\n{does}\n")).unwrap();
            fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let script = card.at("card/var/lib/ebp-first-start/first-start.sh");
        let text = fs::read_to_string(&script).unwrap();
        let text = text.replace("/var/lib/ebp-first-start", "card/var/lib/ebp-first-start");
        fs::write(script, text.replace("/etc/ebp", "etc/ebp")).unwrap();
        Self(card)
    }

    /// Starts with the package in that state, and says what was told to the package manager.
    fn start(&self, state: &str) -> Vec<String> {
        fs::write(self.0.at("state"), state).unwrap();
        let mut command = Command::new("sh");
        command.arg("card/var/lib/ebp-first-start/first-start.sh").current_dir(self.0.0.path());
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", self.0.at("bin").display()));
        process::run(command, b"").done();
        let told = fs::read_to_string(self.0.at("told")).unwrap();
        told.lines().filter(|line| line.starts_with("dpkg ")).map(ToOwned::to_owned).collect()
    }
}

/// The program is there as soon as the package is unpacked; its users and folders are not.
#[test]
fn a_first_start_that_lost_power_configures_its_package() {
    let configure = "dpkg --configure --pending";
    let install = "dpkg --install card/var/lib/ebp-first-start/ebp.deb";
    for (state, told) in [
        ("", &[configure, install][..]),
        ("half-configured", &[configure]),
        ("half-installed", &[configure, install]),
        ("config-files", &[configure, install]),
        ("installed", &[]),
    ] {
        let machine = Machine::new();
        assert_eq!(machine.start(state), told, "{state}");
        assert!(machine.0.at("etc/ebp-web/page.toml").exists(), "{state}");
        assert!(!machine.0.at("card/var/lib/ebp-first-start").exists(), "{state}");
    }
}
