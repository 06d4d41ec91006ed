//! `cargo xtask mutants`: whether the tests notice faults planted in the parts of [`crate::parts`].
//!
//! A mutant that no test notices fails the run, unless it is listed as equivalent with a reason.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{
    parts::{self, Part},
    run::{cargo, commit, install, output, works},
};

const EQUIVALENT: &str = "xtask/lists/equivalent_mutants.txt";
/// At most one viable mutant in so many may be listed as equivalent.
const EQUIVALENT_SHARE: usize = 50;
const COLUMNS: &str = "| part | mutants | noticed | of those by a time-out | equivalent | unnoticed | do not compile |";

/// The results of a part's mutants.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct MutantCounts {
    noticed: usize,
    timed_out: usize,
    unviable: usize,
    /// Mutants that no test noticed, as `FILE: CHANGE`.
    missed: Vec<String>,
}

/// Runs the named parts, or all; `--shard K/N` takes one part in N of each part's mutants.
pub fn run(arguments: &[String]) -> Result<()> {
    let (names, shard) = match arguments.iter().position(|word| word == "--shard") {
        Some(at) => {
            let shard = arguments.get(at + 1).context("--shard K/N")?;
            ([&arguments[..at], &arguments[at + 2..]].concat(), Some(shard.as_str()))
        }
        None => (arguments.to_vec(), None),
    };
    let parts = parts::named(&names)?;
    if !works(cargo().args(["mutants", "--version"])) {
        install("cargo-mutants")?;
    }
    let mut equivalent: Vec<String> =
        parts::exceptions(Path::new(EQUIVALENT))?.into_iter().map(|(mutant, _)| mutant).collect();
    let listed = equivalent.len();
    let mut rows = Vec::new();
    let mut unnoticed = Vec::new();
    let mut viable = 0;
    for part in &parts {
        let mut outcome = mutate(*part, shard)?;
        let all = outcome.missed.len();
        viable += outcome.noticed + all;
        outcome.missed.retain(|mutant| !take(&mut equivalent, mutant));
        rows.push(row(part.name, &outcome, all - outcome.missed.len()));
        unnoticed.append(&mut outcome.missed);
    }
    println!("{} at {}\n", date()?, commit()?);
    println!("{COLUMNS}\n|---|---|---|---|---|---|---|");
    rows.iter().for_each(|row| println!("{row}"));
    if names.is_empty() && shard.is_none() {
        for mutant in &equivalent {
            eprintln!("mutants: listed as equivalent, but noticed or gone: {mutant}");
        }
        if listed * EQUIVALENT_SHARE > viable || !equivalent.is_empty() {
            bail!("{listed} of {viable} mutants are listed as equivalent in {EQUIVALENT}");
        }
    }
    if !unnoticed.is_empty() {
        unnoticed.iter().for_each(|mutant| eprintln!("mutants: no test notices {mutant}"));
        bail!("mutants that were not noticed: {}", unnoticed.len());
    }
    Ok(())
}

fn mutate(part: Part, shard: Option<&str>) -> Result<MutantCounts> {
    let folder = PathBuf::from("target/mutants").join(part.name);
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let mut command = cargo();
    command.args(["mutants", "--no-shuffle", "--all-features", "--package", part.package]);
    command.args(["--test-package", part.package, "--minimum-test-timeout", "60", "--output"]);
    command.arg(&folder);
    for glob in part.files {
        // Its globs want a path's component for `**`.
        command.args(["--file", &glob.replace("**.rs", "**/*.rs")]);
    }
    if let Some(shard) = shard {
        command.args(["--shard", shard]);
    }
    if !part.tests.is_empty() {
        command.arg("--").args(part.tests);
    }
    // Nobody debugs a mutant, and it links faster without.
    command.env("CARGO_PROFILE_DEV_DEBUG", "0").env("INSTA_UPDATE", "no");
    let shown = crate::run::shown(&command);
    eprintln!("+ {shown}");
    // 2: some were not noticed; 3: some ran out of time.
    match command.status().with_context(|| format!("cannot start `{shown}`"))?.code() {
        Some(0 | 2 | 3) => {}
        _ => bail!("`{shown}` failed"),
    }
    let path = folder.join("mutants.out/outcomes.json");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    read(&serde_json::from_str(&text)?)
}

/// The outcomes that `cargo mutants` wrote.
fn read(written: &Value) -> Result<MutantCounts> {
    let mut outcome = MutantCounts::default();
    for each in written["outcomes"].as_array().context("no outcomes")? {
        let Some(name) = each["scenario"]["Mutant"]["name"].as_str() else { continue };
        match each["summary"].as_str() {
            Some("CaughtMutant") => outcome.noticed += 1,
            Some("Timeout") => {
                outcome.noticed += 1;
                outcome.timed_out += 1;
            }
            Some("Unviable") => outcome.unviable += 1,
            Some("MissedMutant") => outcome.missed.push(without_line(name)),
            other => bail!("an outcome of an unknown kind: {other:?}"),
        }
    }
    Ok(outcome)
}

/// `FILE:LINE:COLUMN: CHANGE` as `FILE: CHANGE`, which outlives an edit above it.
fn without_line(name: &str) -> String {
    let Some((place, change)) = name.split_once(": ") else { return name.to_owned() };
    let file = place.split(':').next().unwrap_or(place);
    format!("{file}: {change}")
}

/// Takes one of that name off the list.
fn take(list: &mut Vec<String>, mutant: &str) -> bool {
    let found = list.iter().position(|listed| listed == mutant);
    found.map(|at| list.swap_remove(at)).is_some()
}

fn row(name: &str, outcome: &MutantCounts, equivalent: usize) -> String {
    let MutantCounts { noticed, timed_out, unviable, missed } = outcome;
    let mutants = noticed + equivalent + missed.len();
    format!(
        "| {name} | {mutants} | {noticed} | {timed_out} | {equivalent} | {} | {unviable} |",
        missed.len()
    )
}

fn date() -> Result<String> {
    output(std::process::Command::new("date").arg("+%Y-%m-%d"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_counted_and_named_without_lines() {
        let written = serde_json::json!({"outcomes": [
            {"scenario": "Baseline", "summary": "Success"},
            {"scenario": {"Mutant": {"name": "a.rs:1:2: replace a -> b with c"}}, "summary": "CaughtMutant"},
            {"scenario": {"Mutant": {"name": "a.rs:3:4: replace > with >= in d"}}, "summary": "MissedMutant"},
            {"scenario": {"Mutant": {"name": "a.rs:5:6: x"}}, "summary": "Timeout"},
            {"scenario": {"Mutant": {"name": "a.rs:7:8: y"}}, "summary": "Unviable"},
        ]});
        let outcome = read(&written).unwrap();
        let missed = vec!["a.rs: replace > with >= in d".to_owned()];
        assert_eq!(outcome, MutantCounts { noticed: 2, timed_out: 1, unviable: 1, missed });
        assert_eq!(row("p", &outcome, 0), "| p | 3 | 2 | 1 | 0 | 1 | 1 |");
    }

    #[test]
    fn a_listed_mutant_excuses_one() {
        let mut list = vec!["a".to_owned()];
        assert!(take(&mut list, "a"));
        assert!(!take(&mut list, "a"));
    }
}
