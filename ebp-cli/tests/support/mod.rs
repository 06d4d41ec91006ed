//! What the tests of the program from outside share: the program itself, virtual meters, a server.
//!
//! Enters: arguments. Leaves: what the program printed, and how it ended. Absent: fixed waits
//! (conditions are waited for, with a limit), and any process that outlives its test.

// Each test program uses a part of this.
#![allow(dead_code)]

pub mod asked;
pub mod household;
pub mod meter;
pub mod process;
pub mod recording;
pub mod server;
pub mod stage;
pub mod survey;

use std::{
    process::Command,
    time::{Duration, Instant},
};

use process::Run;

/// How long anything may take before a test fails: long, since machines can be busy.
pub const LIMIT: Duration = Duration::from_secs(40);

/// The program, without anything of the environment that changes what it does.
pub fn ebp() -> Command {
    clean(Command::new(env!("CARGO_BIN_EXE_ebp")))
}

/// Takes from a command's environment what would change the program's behaviour.
pub fn clean(mut command: Command) -> Command {
    for name in ["EBP_LOG", "EBP_DATA", "COLUMNS", "http_proxy", "https_proxy", "ALL_PROXY"] {
        command.env_remove(name);
    }
    command
}

/// Runs the program to its end.
pub fn run<A: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = A>) -> Run {
    let mut command = ebp();
    command.args(arguments);
    process::run(command, b"")
}

/// Arguments of different kinds in one list.
#[macro_export]
macro_rules! run {
    ($($argument:expr),* $(,)?) => {
        $crate::support::run([$(std::ffi::OsStr::new(&$argument)),*])
    };
}

/// Waits until `ask` gives something.
#[track_caller]
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(begun.elapsed() < LIMIT, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The text for a snapshot: each instant of time as `[time]`; the identities and keys of real
/// meters as how many digits they have.
pub fn redacted(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(found) = next_time(rest) {
        out.push_str(&rest[..found.start]);
        out.push_str("[time]");
        rest = &rest[found.end..];
    }
    let text = out + rest;
    let mut out = String::new();
    let mut digits = String::new();
    for letter in text.chars().chain([' ']) {
        if matches!(letter, '0'..='9' | 'a'..='f') {
            digits.push(letter);
            continue;
        }
        match digits.len() {
            20.. => out.push_str(&format!("[{} digits]", digits.len())),
            _ => out.push_str(&digits),
        }
        digits.clear();
        out.push(letter);
    }
    out.pop();
    out
}

/// Where the next instant in RFC 3339's form is.
fn next_time(text: &str) -> Option<std::ops::Range<usize>> {
    const SHAPE: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    let bytes = text.as_bytes();
    let fits = |window: &[u8]| {
        window.iter().zip(SHAPE).all(|(byte, shape)| match shape {
            b'd' => byte.is_ascii_digit(),
            other => byte == other,
        })
    };
    let start = bytes.windows(SHAPE.len()).position(fits)?;
    let length = bytes[start..].iter().position(|byte| *byte == b'Z')?;
    Some(start..start + length + 1)
}

/// Writes a file that only its owner may read.
pub fn write_private(path: &std::path::Path, content: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, content).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
