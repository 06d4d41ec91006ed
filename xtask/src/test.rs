//! `cargo xtask test`: every test of the workspace, and one line that sums them up.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    process::Stdio,
};

use anyhow::{Context, Result, bail};

use crate::{
    run::{cargo, shown, succeed},
    stage::Watch,
};

/// What the test programs counted.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sum {
    passed: u64,
    failed: u64,
    ignored: u64,
    /// How many tests were ignored for each reason that was told.
    reasons: BTreeMap<String, u64>,
}

impl Sum {
    /// Adds a program's closing line, such as
    /// `test result: ok. 14 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s`.
    fn add(&mut self, line: &str) {
        if let Some((_, reason)) = line.split_once(" ... ignored, ")
            && line.starts_with("test ")
        {
            *self.reasons.entry(reason.to_owned()).or_default() += 1;
        }
        let Some((_, counts)) =
            line.strip_prefix("test result: ").and_then(|result| result.split_once(". "))
        else {
            return;
        };
        for part in counts.split(';') {
            let mut words = part.split_whitespace();
            let (Some(count), Some(what)) = (words.next(), words.next()) else { continue };
            let Ok(count) = count.parse::<u64>() else { continue };
            match what {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.ignored += count,
                _ => {}
            }
        }
    }
}

/// What is built for all tests: every target with all features, so that whatever else runs the
/// program or an example builds nothing anew.
const EVERYTHING: [&str; 2] = ["--workspace", "--all-features"];

/// Builds the tests, the program that they run and the examples.
pub fn build() -> Result<()> {
    succeed(cargo().args(["test", "--no-run"]).args(EVERYTHING))
}

/// Builds the program and the examples as [`build`] does: with the features of everything.
pub fn build_program() -> Result<()> {
    let mut command = cargo();
    succeed(command.arg("build").args(EVERYTHING).args(["--bin", "ebp", "--examples"]))
}

/// Runs all tests, even after one has failed, and ends with `N passed, N failed, N skipped`.
pub fn run() -> Result<()> {
    let mut command = cargo();
    command.args(["test", "--no-fail-fast"]).args(EVERYTHING);
    // Many tests wait for a meter, a server or a deadline: twice as many threads as processors.
    if std::env::var_os("RUST_TEST_THREADS").is_none() {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        command.env("RUST_TEST_THREADS", (2 * processors).to_string());
    }
    // A snapshot that differs fails the test instead of being written for review.
    command.env("INSTA_UPDATE", "no");
    eprintln!("+ {}", shown(&command));
    let mut tests = command.stdout(Stdio::piped()).spawn().context("cannot start cargo")?;
    let output = tests.stdout.take().context("no output of cargo")?;
    let mut sum = Sum::default();
    let watch = Watch::start();
    for line in BufReader::new(output).lines() {
        let line = line.context("the tests' output")?;
        sum.add(&line);
        println!("{line}");
    }
    let status = tests.wait()?;
    println!("\ntests, on the clock and of processors: {}", watch.took());
    for (reason, count) in &sum.reasons {
        println!("{count} skipped: {reason}");
    }
    println!("{} passed, {} failed, {} skipped", sum.passed, sum.failed, sum.ignored);
    if !status.success() {
        bail!("the tests failed");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_add_up() {
        let mut sum = Sum::default();
        sum.add("test result: ok. 14 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s");
        sum.add("test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out");
        sum.add("test some::test ... ok");
        sum.add("test some::other ... ignored, needs curl");
        let reasons = [("needs curl".to_owned(), 1)].into();
        assert_eq!(sum, Sum { passed: 16, failed: 3, ignored: 1, reasons });
    }
}
