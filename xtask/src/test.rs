//! `cargo xtask test`: every test of the workspace, and one line that sums them up.
//!
//! Many tests start servers, kill them and wait for what follows, several at the same time. Of a few
//! that fail each is run once more with nothing beside it: one that passes then is named as unsteady
//! above the last line, and one that fails again has failed.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader},
    process::Stdio,
};

use anyhow::{Context, Result, bail};

use crate::{
    run::{cargo, shown, succeed},
    stage::Watch,
};

/// More failures than this are no matter of what ran beside them.
const MOST_REPEATED: usize = 5;

/// What the test programs counted.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sum {
    passed: u64,
    failed: u64,
    ignored: u64,
    /// How many tests were ignored for each reason that was told.
    reasons: BTreeMap<String, u64>,
    /// The tests that failed.
    failures: BTreeSet<String>,
    /// How many test programs counted a failure.
    failed_programs: usize,
    /// The test programs that failed, as cargo names them: `ebp-cli --test it`.
    programs: BTreeSet<String>,
}

impl Sum {
    /// Adds a program's closing line, such as
    /// `test result: ok. 14 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s`.
    fn add(&mut self, line: &str) {
        if let Some(name) = line.strip_prefix("test ").and_then(|it| it.strip_suffix(" ... FAILED"))
        {
            let name = name.split(" - should panic").next().unwrap_or(name);
            self.failures.insert(name.to_owned());
        }
        if let Some((_, reason)) = line.split_once(" ... ignored, ")
            && line.starts_with("test ")
        {
            *self.reasons.entry(reason.to_owned()).or_default() += 1;
        }
        self.failed_programs += usize::from(line.starts_with("test result: FAILED."));
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

impl Sum {
    /// Adds a line that cargo ends with, which names a program that failed:
    /// ``    `-p ebp-cli --test it` ``.
    fn add_program(&mut self, line: &str) {
        let named = line.trim().strip_prefix("`-p ").and_then(|line| line.strip_suffix('`'));
        self.programs.extend(named.map(str::to_owned));
    }

    /// What selects the programs that failed.
    fn selection(&self) -> impl Iterator<Item = &str> {
        self.programs.iter().flat_map(|program| program.split(' ').skip(1))
    }

    /// Whether each failure can be repeated by itself: examples of the documentation have no name
    /// that selects them, and a program that was ended names none.
    fn is_repeatable(&self) -> bool {
        let names = &self.failures;
        !names.is_empty()
            && names.len() <= MOST_REPEATED
            && names.len() as u64 == self.failed
            && self.programs.len() == self.failed_programs
            && names.iter().all(|name| !name.contains(' '))
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
    // Many tests wait for a meter, a server or a deadline: twice as many threads as processors.
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = std::env::var("RUST_TEST_THREADS").ok();
    let threads = threads.unwrap_or_else(|| (2 * processors).to_string());
    let watch = Watch::start();
    let (mut sum, mut succeeded) = run_some(&[], &threads)?;
    let mut unsteady = Vec::new();
    if !succeeded && sum.is_repeatable() {
        let names = sum.failures.iter().map(String::as_str);
        let arguments: Vec<&str> = sum.selection().chain(["--", "--exact"]).chain(names).collect();
        let (again, succeed) = run_some(&arguments, "1")?;
        // Each of them once: a name that selects none has not passed.
        if succeed && again.passed == sum.failed {
            unsteady = sum.failures.iter().cloned().collect();
            (sum.passed, sum.failed) = (sum.passed + again.passed, 0);
            succeeded = true;
        }
    }
    println!("\ntests, on the clock and of processors: {}", watch.took());
    for (reason, count) in &sum.reasons {
        println!("{count} skipped: {reason}");
    }
    for name in unsteady {
        println!("*** UNSTEADY: {name} failed beside other tests and passed by itself. ***");
    }
    println!("{} passed, {} failed, {} skipped", sum.passed, sum.failed, sum.ignored);
    if !succeeded {
        bail!("the tests failed");
    }
    Ok(())
}

/// Runs the tests that the arguments select: what they counted, and whether all passed.
fn run_some(arguments: &[&str], threads: &str) -> Result<(Sum, bool)> {
    let mut command = cargo();
    command.args(["test", "--no-fail-fast"]).args(EVERYTHING).args(arguments);
    command.env("RUST_TEST_THREADS", threads);
    // A snapshot that differs fails the test instead of being written for review.
    command.env("INSTA_UPDATE", "no");
    eprintln!("+ {}", shown(&command));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut tests = command.spawn().context("cannot start cargo")?;
    let output = tests.stdout.take().context("no output of cargo")?;
    let complaints = tests.stderr.take().context("no output of cargo")?;
    let complaints = std::thread::spawn(move || {
        let mut sum = Sum::default();
        for line in BufReader::new(complaints).lines().map_while(Result::ok) {
            sum.add_program(&line);
            eprintln!("{line}");
        }
        sum.programs
    });
    let mut sum = Sum::default();
    for line in BufReader::new(output).lines() {
        let line = line.context("the tests' output")?;
        sum.add(&line);
        println!("{line}");
    }
    let status = tests.wait()?;
    sum.programs = complaints.join().unwrap_or_default();
    Ok((sum, status.success()))
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
        assert_eq!((sum.passed, sum.failed, sum.ignored, sum.reasons), (16, 3, 1, reasons));
    }

    #[test]
    fn failures_are_repeated_by_name_where_each_has_one() {
        let mut sum = Sum::default();
        sum.add("test some::test ... FAILED");
        sum.add("test other::panics - should panic ... FAILED");
        sum.add("test result: FAILED. 2 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out");
        sum.add_program("    `-p ebp-cli --test it`");
        sum.add_program("error: 1 target failed:");
        assert_eq!(sum.failures, ["other::panics".to_owned(), "some::test".to_owned()].into());
        assert_eq!(sum.selection().collect::<Vec<_>>(), ["--test", "it"]);
        assert!(sum.is_repeatable());
        // Another program failed without having counted a failure.
        sum.add_program("    `-p ebp-store --test store`");
        assert!(!sum.is_repeatable());
        sum.programs.pop_last();
        // A program that ended itself counts no failures, and an example has no name.
        assert!(!Sum { failed: 3, ..Sum::default() }.is_repeatable());
        let mut example = Sum::default();
        example.add_program("    `-p ebp-core --doc`");
        example.add("test src/lib.rs - Name (line 3) ... FAILED");
        example.add("test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured");
        assert!(!example.is_repeatable());
        assert!(sum.is_repeatable());
        for test in 0..MOST_REPEATED {
            sum.add(&format!("test many::of_them_{test} ... FAILED"));
        }
        sum.add("test result: FAILED. 0 passed; 5 failed; 0 ignored; 0 measured");
        sum.add_program("    `-p ebp-server --test jobs`");
        assert!(!sum.is_repeatable());
    }
}
