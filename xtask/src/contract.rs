//! `cargo xtask contract`: schemathesis against the server as it is built, as every kind of identity.
//!
//! Enters: Python 3 and the network or pip's cache, else it says that it was skipped. Leaves: no
//! failure of any check, or the task fails; a run in which an operation that the identity may use
//! never succeeded fails, too. Absent: the checks themselves; they are schemathesis' own, and those
//! of `xtask/contract/hooks.py`.

mod cluster;
mod fixture;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{
    root,
    run::{cargo, succeed, works},
};
use cluster::Cluster;
use fixture::{Fixture, IDENTITIES, Identity};

/// The version that is installed.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";
/// Makes what is generated the same again.
const SEED: &str = "20261125";

/// As whom, and how much is tried for each operation.
struct Effort<'a> {
    examples: &'static str,
    identities: &'a [&'a Identity],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Database {
    Sqlite,
    Postgres,
}

/// As a part of `ci`: skipped, loudly, where Python or its packages cannot be had.
pub fn run(arguments: &[String]) -> Result<()> {
    let full = arguments.iter().any(|argument| argument == "--full");
    let who: Vec<_> = arguments.iter().filter(|argument| *argument != "--full").collect();
    let examples = if full { "200" } else { "8" };
    let of =
        |identity: &&Identity| who.is_empty() || who.iter().any(|who| identity.name.contains(*who));
    let identities: Vec<_> = IDENTITIES.iter().filter(of).collect();
    if identities.is_empty() {
        let names: Vec<_> = IDENTITIES.iter().map(|identity| identity.name).collect();
        bail!("`cargo xtask contract [--full] [WHO]`, where WHO is part of: {}", names.join(", "));
    }
    let effort = Effort { examples, identities: &identities };
    let Some(schemathesis) = install()? else { return Ok(()) };
    succeed(cargo().args(["build", "--quiet", "--package", "ebp-cli"]))?;
    let start = Instant::now();
    // One thread for each database: a server of its own for each identity.
    let results: Vec<Result<(usize, usize)>> = std::thread::scope(|scope| {
        let run = |database| {
            let (schemathesis, effort) = (&schemathesis, &effort);
            scope.spawn(move || on(database, schemathesis, effort))
        };
        let threads = [Database::Sqlite, Database::Postgres].map(run);
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| bail!("broke off")))
            .collect()
    });
    let (mut requests, mut failures) = (0, 0);
    for result in results {
        let (answered, failed) = result?;
        requests += answered;
        failures += failed;
    }
    if failures > 0 {
        bail!("the contract is broken: {failures} of the runs failed");
    }
    eprintln!("xtask: the contract holds: {requests} requests in {} s", start.elapsed().as_secs());
    Ok(())
}

/// schemathesis in an environment of its own under `target`.
fn install() -> Result<Option<PathBuf>> {
    let folder = root().join("target/contract");
    let program = folder.join("venv/bin/schemathesis");
    let stamp = folder.join("installed");
    if program.exists() && fs::read_to_string(&stamp).is_ok_and(|text| text == SCHEMATHESIS) {
        return Ok(Some(program));
    }
    fs::create_dir_all(&folder)?;
    let venv = folder.join("venv");
    let made = works(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))
        && works(Command::new(venv.join("bin/pip")).args(["install", "--quiet", SCHEMATHESIS]));
    if !made {
        eprintln!(
            "\n*** SKIPPED: the contract's check. {SCHEMATHESIS} cannot be installed here: it needs \
             Python 3 with venv, and PyPI. ***\n"
        );
        return Ok(None);
    }
    fs::write(stamp, SCHEMATHESIS)?;
    Ok(Some(program))
}

/// Every identity on one database: how many requests were answered, and how many runs failed.
fn on(database: Database, schemathesis: &Path, effort: &Effort<'_>) -> Result<(usize, usize)> {
    let cluster = match database {
        Database::Sqlite => None,
        Database::Postgres => match Cluster::start()? {
            None => {
                eprintln!(
                    "\n*** SKIPPED: the contract's check on PostgreSQL: there is no `initdb`. ***\n"
                );
                return Ok((0, 0));
            }
            some => some,
        },
    };
    let (mut requests, mut failures) = (0, 0);
    for identity in effort.identities {
        match check(identity, cluster.as_ref(), schemathesis, effort) {
            Ok(answered) => requests += answered,
            Err(error) => {
                failures += 1;
                eprintln!("xtask: {} on {database:?}: {error:#}", identity.name);
            }
        }
    }
    Ok((requests, failures))
}

/// One identity against a fresh server.
fn check(
    identity: &Identity,
    cluster: Option<&Cluster>,
    schemathesis: &Path,
    effort: &Effort<'_>,
) -> Result<usize> {
    let start = Instant::now();
    let fixture = Fixture::start(identity, cluster)?;
    let sources = root().join("xtask/contract");
    let statuses = fixture.folder().join("statuses.json");
    let config = if identity.is_certificate() { "certificate.toml" } else { "schemathesis.toml" };
    let mut command = Command::new(schemathesis);
    command
        .arg("--config-file")
        .arg(sources.join(config))
        .args(["run", "--checks", "all", "--phases", "examples,coverage,fuzzing,stateful"])
        .args(["--max-examples", effort.examples, "--seed", SEED, "--workers", "1", "--no-color"])
        .args(["--generation-database", "none", "--continue-on-failure", "--warnings", "off"])
        .args(["--request-timeout", "60"])
        .arg("--tls-verify")
        .arg(fixture.ca())
        .args(fixture.arguments())
        .arg(format!("{}/openapi.json", fixture.url()))
        .env("PYTHONPATH", &sources)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .env("EBP_CONTRACT", fixture.description())
        .env("EBP_CONTRACT_STATUSES", &statuses)
        .current_dir(fixture.folder());
    let output = command.output().context("cannot start schemathesis")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        bail!("{text}{}", String::from_utf8_lossy(&output.stderr));
    }
    let statuses = fs::read(&statuses).context("no request was counted")?;
    let statuses: BTreeMap<String, BTreeMap<String, usize>> = serde_json::from_slice(&statuses)?;
    let document: Value = serde_json::from_slice(&fs::read(root().join("docs/openapi.json"))?)?;
    let count = |statuses: &BTreeMap<String, usize>, first: &str| -> usize {
        statuses.iter().filter(|(status, _)| status.starts_with(first)).map(|(_, n)| n).sum()
    };
    let barren: Vec<_> = identity
        .operations(&document)
        .into_iter()
        .filter(|label| statuses.get(label).is_none_or(|statuses| count(statuses, "2") == 0))
        .collect();
    if !barren.is_empty() {
        bail!("never succeeded, which proves nothing: {}\n{statuses:#?}", barren.join(", "));
    }
    let all: usize = statuses.values().map(|statuses| count(statuses, "")).sum();
    let good: usize = statuses.values().map(|statuses| count(statuses, "2")).sum();
    eprintln!(
        "xtask: {}{}: {all} requests, {good} of them successes, {} s",
        identity.name,
        if cluster.is_some() { " (PostgreSQL)" } else { "" },
        start.elapsed().as_secs()
    );
    Ok(all)
}
