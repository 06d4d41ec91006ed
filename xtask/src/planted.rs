//! `cargo xtask long planted`: whether the field test fails for a device with a planted fault. What
//! does not fail it is not shown by it.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, bail};

use crate::run::{cargo, output, shown};

/// A fault, and the text of which it takes the place.
struct Fault {
    name: &'static str,
    file: &'static str,
    right: &'static str,
    wrong: &'static str,
}

const FAULTS: [Fault; 2] = [
    Fault {
        name: "a lost spool is not opened again",
        file: "ebp-device/src/device.rs",
        right: "if self.spool.reopen().is_ok() {",
        wrong: "if false {",
    },
    Fault {
        name: "a certificate is not renewed",
        file: "ebp-device/src/device.rs",
        right: "self.clock.now() >= validity.due_at();",
        wrong: "self.clock.now() >= validity.due_at() && false;",
    },
];

/// The field test that each of them has to fail.
const SEED: &str = "20261125";

/// Builds the field test with each fault from a copy of what git knows, and runs it.
pub fn run() -> Result<()> {
    let folder = tempfile::tempdir()?;
    copy(folder.path())?;
    let mut missed = Vec::new();
    for Fault { name, file, right, wrong } in FAULTS {
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).with_context(|| file.to_owned())?;
        if text.matches(right).count() != 1 {
            bail!("{file} does not have `{right}` once: the planted fault has no place");
        }
        fs::write(&path, text.replace(right, wrong))?;
        let fails = fails(folder.path())?;
        println!("{name}: the field test {}", if fails { "fails" } else { "PASSES" });
        if !fails {
            missed.push(name);
        }
        fs::write(&path, text)?;
    }
    if !missed.is_empty() {
        bail!("faults that the field test does not see: {}", missed.join(", "));
    }
    Ok(())
}

/// Whether the field test of that copy ends as one that failed. One that cannot be built is an error.
fn fails(copy: &Path) -> Result<bool> {
    let target = Path::new("target").join("planted");
    let target = std::path::absolute(target)?;
    let mut build = cargo();
    build.current_dir(copy).env("CARGO_TARGET_DIR", &target).env("RUSTFLAGS", "-Awarnings");
    build.args(["build", "--quiet", "--profile", "try", "--package", "ebp-fieldtest"]);
    eprintln!("+ {}", shown(&build));
    if !build.status().context("cannot start cargo")?.success() {
        bail!("the field test with the planted fault cannot be built");
    }
    let mut test = Command::new(target.join("try").join("ebp-fieldtest"));
    let ended = test.args(["--seed", SEED]).output().context("cannot start the field test")?;
    let told = String::from_utf8_lossy(&ended.stdout);
    if !ended.status.success() && !told.starts_with("FAILED: ") {
        bail!("the field test broke off: {}", String::from_utf8_lossy(&ended.stderr));
    }
    Ok(!ended.status.success())
}

/// Copies the files of the work tree that git knows.
fn copy(folder: &Path) -> Result<()> {
    let files = output(Command::new("git").args(["ls-files"]))?;
    for file in files.lines() {
        let to = folder.join(file);
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::copy(file, &to).with_context(|| file.to_owned())?;
    }
    Ok(())
}
