//! A virtual meter that the real program unlocks over a real pty, quickly.
//!
//! Enters: nothing. Leaves: folders with a profile and a PIN, running meters, terminals.

#![allow(dead_code, reason = "each test uses its part")]

use std::{
    fs::{self, File},
    io::{Read, Write},
    os::{fd::OwnedFd, unix::fs::PermissionsExt},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// The PIN of every virtual meter here. It must turn up in no output.
pub const PIN: &str = "0942";

/// MT175 for the impatient: everything five to ten times as fast.
pub fn quick_profile() -> String {
    include_str!("../../../../ebp-meter/profiles/mt175.toml")
        .lines()
        .map(|line| match line.split(" =").next().unwrap_or_default() {
            "name" => "name = \"QUICK\"".to_owned(),
            "aliases" => String::new(),
            "push_interval_ms" => "push_interval_ms = 600".to_owned(),
            "short_press" => interval("short_press", 100, 130, [60, 290]),
            "long_press" => interval("long_press", 500, 600, [400, 2000]),
            "between_presses" => interval("between_presses", 120, 150, [60, 580]),
            "after_wake" => interval("after_wake", 200, 250, [60, 580]),
            "next_digit" => interval("next_digit", 900, 950, [600, 1150]),
            "return_to_normal_s" => "return_to_normal_s = 5".to_owned(),
            // The display of this one was looked at.
            "source" if line.contains("the usual order") => "source = \"test\"".to_owned(),
            "tries" => "tries = 4".to_owned(),
            "stop_at" => "stop_at = 3".to_owned(),
            _ => line.to_owned(),
        })
        .map(|line| line + "\n")
        .collect()
}

fn interval(name: &str, send: u32, slower: u32, accept: [u32; 2]) -> String {
    format!(
        "{name} = {{ send_ms = {send}, slower_ms = {slower}, accept_ms = {accept:?}, source = \"test\" }}"
    )
}

/// A folder with the quick profile in `profiles/`.
pub fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("profiles")).unwrap();
    fs::write(folder.path().join("profiles/quick.toml"), quick_profile()).unwrap();
    folder
}

/// A PIN in a file that only its owner may read.
pub fn pin_file(folder: &Path, pin: &str) -> PathBuf {
    let path = folder.join(format!("pin-{}", pin.len() * 7 + usize::from(pin == PIN)));
    fs::write(&path, format!("{pin}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// The program in that folder, without a terminal and without a PIN in its environment.
pub fn ebp(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ebp"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_remove("EBP_PIN")
        .env_remove("EBP_LOG")
        .env("XDG_STATE_HOME", folder)
        .stdin(Stdio::null());
    command
}

/// What the program said and how it ended.
pub struct Said {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Said {
    pub fn json(&self) -> serde_json::Value {
        assert_eq!(self.stdout.lines().count(), 1, "{}", self.stdout);
        serde_json::from_str(&self.stdout).unwrap()
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let said = Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!said.stdout.contains(PIN), "{}", said.stdout);
        assert!(!said.stderr.contains(PIN), "{}", said.stderr);
        said
    }
}

/// Runs the program to its end. Its output never tells the PIN.
pub fn run(folder: &Path, arguments: &[&str]) -> Said {
    ebp(folder, arguments).output().unwrap().into()
}

/// `ebp unlock` of the quick meter in that folder.
pub fn unlock(folder: &Path, pin_file: &Path, more: &[&str]) -> Command {
    let mut command = ebp(folder, &["-vv", "unlock", "--port", "meter", "--model", "quick"]);
    command
        .args(["--profiles", "profiles", "--state", "tries", "--pin-file"])
        .arg(pin_file)
        .args(more);
    command
}

/// A running `ebp simulate`, ended when dropped.
pub struct Meter(Child);

impl Meter {
    /// A quick meter with the PIN, at the link `meter` of the folder.
    pub fn start(folder: &Path, more: &[&str]) -> Self {
        let mut command = ebp(folder, &["simulate", "--model", "QUICK", "--profiles", "profiles"]);
        command.args(["--link", "meter"]).args(more).stderr(Stdio::null());
        let meter = Self(command.spawn().unwrap());
        wait_for("the meter's link", || folder.join("meter").exists());
        meter
    }

    /// A locked one.
    pub fn locked(folder: &Path) -> Self {
        Self::start(folder, &["--locked", "--pin", PIN, "--state", "meter.json"])
    }

    /// Ends it as Ctrl-C does.
    pub fn end(mut self) {
        interrupt(&self.0);
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Ctrl-C.
pub fn interrupt(child: &Child) {
    kill_process(Pid::from_child(child), Signal::INT).unwrap();
}

/// Waits up to ten seconds.
pub fn wait_for(what: &str, mut until: impl FnMut() -> bool) {
    let start = Instant::now();
    while !until() {
        assert!(start.elapsed() < Duration::from_secs(10), "waited in vain for {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A terminal with somebody at it.
pub struct Person {
    /// What they type into and read from.
    master: File,
    /// Where a program runs.
    pub terminal: OwnedFd,
    seen: String,
}

impl Person {
    pub fn new() -> Self {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let terminal = File::options().read(true).write(true).open(name).unwrap();
        Self { master: master.into(), terminal: terminal.into(), seen: String::new() }
    }

    /// Starts a program at this terminal; its standard output goes elsewhere.
    pub fn starts(&self, command: &mut Command) -> Child {
        let end = || Stdio::from(self.terminal.try_clone().unwrap());
        command.stdin(end()).stderr(end()).stdout(Stdio::piped()).spawn().unwrap()
    }

    /// Reads until that stands on the terminal.
    pub fn reads(&mut self, text: &str) {
        wait_for(text, || {
            self.look();
            self.seen.contains(text)
        });
    }

    fn look(&mut self) {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let mut buffer = [0; 4096];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        while poll(&mut [PollFd::new(&self.master, PollFlags::IN)], Some(&at_once)).unwrap() > 0 {
            let count = self.master.read(&mut buffer).unwrap();
            self.seen += &String::from_utf8_lossy(&buffer[..count]);
        }
    }

    pub fn types(&mut self, text: &str) {
        self.master.write_all(text.as_bytes()).unwrap();
    }

    /// All that ever stood on the terminal.
    pub fn saw(&mut self) -> &str {
        self.look();
        &self.seen
    }

    /// Whether what is typed is shown.
    pub fn is_shown(&self) -> bool {
        use rustix::termios::{LocalModes, tcgetattr};
        tcgetattr(&self.terminal).unwrap().local_modes.contains(LocalModes::ECHO)
    }
}
