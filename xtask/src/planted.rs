//! `cargo xtask long planted`: whether the field test, or the test that is named with it, fails for a
//! planted fault. What does not fail it is not shown by it.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, bail};

use crate::run::{cargo, output, shown};

/// A fault, and the text of which it takes the place.
struct Fault {
    name: &'static str,
    file: &'static str,
    right: &'static str,
    wrong: &'static str,
    by: Detector,
}

/// What has to fail.
#[derive(Clone, Copy)]
enum Detector {
    /// The field test.
    FieldTest,
    /// A test of the Data API, by a part of its name.
    Api(&'static str),
}

const FAULTS: [Fault; 9] = [
    Fault {
        name: "a lost spool is not opened again",
        file: "ebp-device/src/device.rs",
        right: "if self.spool.reopen().is_ok() {",
        wrong: "if false {",
        by: Detector::FieldTest,
    },
    Fault {
        name: "a certificate is not renewed",
        file: "ebp-device/src/device.rs",
        right: "self.clock.now() >= validity.due_at();",
        wrong: "self.clock.now() >= validity.due_at() && false;",
        by: Detector::FieldTest,
    },
    Fault {
        name: "an alert does not heed a silence",
        file: "ebp-store/src/rule/alert.rs",
        right: "Verdict::Trouble(_) if facts.silenced => Verdict::Unknown,",
        wrong: "Verdict::Trouble(_) if facts.silenced && false => Verdict::Unknown,",
        by: Detector::Api("alert::silence"),
    },
    Fault {
        name: "consent is granted to a text of before",
        file: "ebp-store/src/rule/consent.rs",
        right: "if grant.text_version != Some(*version) {",
        wrong: "if grant.text_version.is_none() {",
        by: Detector::Api("agreement::consent_is_to_a_text"),
    },
    Fault {
        name: "a recorded withdrawal keeps its day",
        file: "ebp-store/src/rule/consent.rs",
        right: "let received_on = withdrawal.received_on.first_of_month();",
        wrong: "let received_on = withdrawal.received_on;",
        by: Detector::Api("agreement::a_withdrawal_by_letter_is_a_revocation"),
    },
    Fault {
        name: "the export lacks incidents of before",
        file: "ebp-survey/src/export/mod.rs",
        right: "incidents.extend(self.store().past_incidents(of, meter).await.map_err(gone)?);",
        wrong: "",
        by: Detector::Api("export::everything_is_in_one_document"),
    },
    Fault {
        name: "a revocation leaves the history of the registration",
        file: "ebp-store/migrations/sqlite/0017_rights.sql",
        right: "DELETE FROM household_change WHERE household = NEW.household;",
        wrong: "",
        by: Detector::Api("erasure::a_revocation_leaves_no_byte_with_rows_in_every_table"),
    },
    Fault {
        name: "a change does not heed the version that was seen",
        file: "ebp-store/src/edit.rs",
        right: "Some(expected) if !expected.contains(&HouseholdVersion::from_household(before)?) => {",
        wrong: "Some(expected) if expected.len() > 1_000 => {",
        by: Detector::Api("revision::"),
    },
    Fault {
        name: "a device that speaks on is not noted",
        file: "ebp-survey/src/activity.rs",
        right: "if !self.revocation_notices().tell(device, self.clock().now()) {",
        wrong: "if !self.revocation_notices().tell(device, self.clock().now()) || true {",
        by: Detector::Api("fleet::a_device_that_speaks_on"),
    },
];

/// The seed of the field test.
const SEED: &str = "20261125";

/// Builds what has to fail with each fault from a copy of what git knows, and runs it; of faults whose
/// names have one of the `parts`, if any are given.
pub fn run(parts: &[String]) -> Result<()> {
    let folder = tempfile::tempdir()?;
    copy(folder.path())?;
    let mut missed = Vec::new();
    let is_wanted = |fault: &Fault| {
        parts.is_empty() || parts.iter().any(|part| fault.name.contains(part.as_str()))
    };
    for Fault { name, file, right, wrong, by } in FAULTS.into_iter().filter(is_wanted) {
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).with_context(|| file.to_owned())?;
        if text.matches(right).count() != 1 {
            bail!("{file} does not have `{right}` once: the planted fault has no place");
        }
        fs::write(&path, text.replace(right, wrong))?;
        let (what, fails) = match by {
            Detector::FieldTest => ("the field test", field_test_fails(folder.path())?),
            Detector::Api(test) => (test, test_fails(folder.path(), test)?),
        };
        println!("{name}: {what} {}", if fails { "fails" } else { "PASSES" });
        if !fails {
            missed.push(name);
        }
        fs::write(&path, text)?;
    }
    if !missed.is_empty() {
        bail!("faults that nothing sees: {}", missed.join(", "));
    }
    Ok(())
}

/// Whether the field test of that copy ends as one that failed. One that cannot be built is an error.
fn field_test_fails(copy: &Path) -> Result<bool> {
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

/// Whether the tests of the Data API of that name fail in that copy. One that cannot be built, or where
/// no test has the name, is an error.
fn test_fails(copy: &Path, name: &str) -> Result<bool> {
    let target = std::path::absolute(Path::new("target").join("planted"))?;
    let test = |more: &[&str]| {
        let mut test = cargo();
        test.current_dir(copy).env("CARGO_TARGET_DIR", &target).env("RUSTFLAGS", "-Awarnings");
        test.args([
            "test",
            "--quiet",
            "--package",
            "ebp-server",
            "--all-features",
            "--test",
            "api",
        ]);
        test.args(more);
        eprintln!("+ {}", shown(&test));
        test
    };
    if !test(&["--no-run"]).status().context("cannot start cargo")?.success() {
        bail!("the tests with the planted fault cannot be built");
    }
    let ended = test(&["--", name]).output().context("cannot start the tests")?;
    if String::from_utf8_lossy(&ended.stdout).contains("running 0 tests") {
        bail!("no test is called `{name}`");
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
