//! `cargo xtask contract`: schemathesis against the server as it is built, as every kind of identity.
//!
//! Enters: Python 3 and the network or pip's cache, else it says that it was skipped. Leaves: no
//! failure of any check, or the task fails; a run in which an operation that the identity may use
//! never succeeded fails, too. Absent: the checks themselves; they are schemathesis' own, and those
//! of `xtask/contract/hooks.py`.

pub mod cluster;
mod fixture;

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::Command,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Instant,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{root, test, tool};
use cluster::Cluster;
use fixture::{Fixture, IDENTITIES, Identity, described};

/// The version that is installed.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";
/// What is not asked of client certificates. `ignored_auth` takes credentials out of the headers
/// and looks for 401 or 403; a certificate is not there but in the connection, so that it would call
/// every success a hole (`hooks.py` has the same check for certificates: it asks again on a
/// connection without one). `missing_required_header` leaves out `Authorization`, the only header
/// that is required, and looks for 401; but who shows a certificate is known, and where groups only
/// may, the answer is 403. Both are asked of every operation as nobody and with token and secret.
const EXCLUDED: [&str; 2] = ["--exclude-checks", "ignored_auth,missing_required_header"];
/// Makes what is generated the same again.
const SEED: &str = "20261125";

/// Runs at the same time, each with a server of its own.
const WORKERS: usize = 2;

/// How much is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// In each change. An operation that an identity may not use is asked with what is made up alone:
    /// its bounds are tried by those who may.
    Usual,
    /// Everything of everybody.
    Full,
}

impl Depth {
    /// For each operation.
    const fn examples(self) -> &'static str {
        match self {
            Self::Usual => "8",
            Self::Full => "100",
        }
    }

    /// As the hooks call it.
    const fn name(self) -> &'static str {
        match self {
            Self::Usual => "usual",
            Self::Full => "full",
        }
    }
}

/// As a part of `ci`: skipped, loudly, where Python or its packages cannot be had.
pub fn run(arguments: &[String]) -> Result<()> {
    let full = arguments.iter().any(|argument| argument == "--full");
    let who: Vec<_> = arguments.iter().filter(|argument| *argument != "--full").collect();
    let depth = if full { Depth::Full } else { Depth::Usual };
    let of =
        |identity: &&Identity| who.is_empty() || who.iter().any(|who| identity.name.contains(*who));
    let identities: Vec<_> = IDENTITIES.iter().filter(of).collect();
    if identities.is_empty() {
        let names: Vec<_> = IDENTITIES.iter().map(|identity| identity.name).collect();
        bail!("`cargo xtask contract [--full] [WHO]`, where WHO is part of: {}", names.join(", "));
    }
    let Some(schemathesis) = tool::from_pypi("schemathesis", SCHEMATHESIS)? else {
        eprintln!(
            "\n*** SKIPPED: the contract's check. {SCHEMATHESIS} cannot be installed here: it needs \
             Python 3 with venv, and PyPI. ***\n"
        );
        return Ok(());
    };
    test::build_program()?;
    let cluster = Cluster::start()?;
    if cluster.is_none() {
        eprintln!("\n*** SKIPPED: the contract's check on PostgreSQL: there is no `initdb`. ***\n");
    }
    let cluster = cluster.as_ref();
    // Those that write ask on the other database, too: how identities are told apart is the same.
    let writers = identities.iter().copied().filter(|who| full || who.writes());
    let jobs = identities.iter().copied().map(|who| (who, None));
    let jobs = jobs.chain(writers.filter_map(|who| Some((who, Some(cluster?)))));
    let jobs = Mutex::new(jobs.collect::<Vec<_>>().into_iter());
    let (requests, failures) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
                while let Some((who, cluster)) = next() {
                    match check(who, cluster, &schemathesis, depth) {
                        Ok(answered) => {
                            requests.fetch_add(answered, Relaxed);
                        }
                        Err(error) => {
                            failures.fetch_add(1, Relaxed);
                            eprintln!("xtask: {}{}: {error:#}", who.name, on(cluster));
                        }
                    }
                }
            });
        }
    });
    let failures = failures.into_inner();
    if failures > 0 {
        bail!("the contract is broken: {failures} of the runs failed");
    }
    let (requests, took) = (requests.into_inner(), start.elapsed().as_secs());
    eprintln!("xtask: the contract holds: {requests} requests in {took} s");
    Ok(())
}

const fn on(cluster: Option<&Cluster>) -> &'static str {
    if cluster.is_some() { " (PostgreSQL)" } else { "" }
}

/// Settings by which the operations that are not used are not asked with the bounds of each parameter.
fn without_bounds(document: &Value, used: &[String]) -> String {
    let mut unused: Vec<_> = described(document).map(|(label, ..)| label).collect();
    unused.retain(|label| !used.contains(label));
    match unused.is_empty() {
        true => String::new(),
        // A list of strings is the same in JSON and TOML.
        false => format!(
            "\n[[operations]]\ninclude-name = {}\nphases.coverage.enabled = false\n\
             generation.max-examples = 2\n",
            Value::from(unused)
        ),
    }
}

/// One identity against a fresh server.
fn check(
    identity: &Identity,
    cluster: Option<&Cluster>,
    schemathesis: &Path,
    depth: Depth,
) -> Result<usize> {
    let start = Instant::now();
    let fixture = Fixture::start(identity, cluster)?;
    let sources = root().join("xtask/contract");
    let document: Value = serde_json::from_slice(&fs::read(root().join("docs/openapi.json"))?)?;
    let used = identity.operations(&document);
    let settings = fixture.folder().join("schemathesis.toml");
    let base = fs::read_to_string(sources.join("schemathesis.toml"))?;
    let apart = if depth == Depth::Full { String::new() } else { without_bounds(&document, &used) };
    fs::write(&settings, base + &apart)?;
    let statuses = fixture.folder().join("statuses.json");
    let mut command = Command::new(schemathesis);
    command
        .arg("--config-file")
        .arg(settings)
        .args(["run", "--checks", "all", "--phases", "examples,coverage,fuzzing,stateful"])
        .args(["--max-examples", depth.examples(), "--seed", SEED, "--workers", "1", "--no-color"])
        .args(["--generation-database", "none", "--continue-on-failure", "--warnings", "off"])
        // How well the generator gets on is no fault of the server's, nor how busy the machine is.
        .args(["--suppress-health-check", "all", "--request-timeout", "60"])
        .arg("--tls-verify")
        .arg(fixture.ca())
        .args(fixture.arguments())
        .args(if identity.is_certificate() { &EXCLUDED[..] } else { &[] })
        .arg(format!("{}/openapi.json", fixture.url()))
        .env("PYTHONPATH", &sources)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .env("EBP_CONTRACT", fixture.description())
        .env("EBP_CONTRACT_DEPTH", depth.name())
        .env("EBP_CONTRACT_STATUSES", &statuses)
        .current_dir(fixture.folder());
    let output = command.output().context("cannot start schemathesis")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        bail!("{text}{}{}", String::from_utf8_lossy(&output.stderr), output.status);
    }
    for line in text.lines().filter(|line| line.contains("a schema could say")) {
        eprintln!("xtask: {}{}: {line}", identity.name, on(cluster));
    }
    let statuses = fs::read(&statuses).context("no request was counted")?;
    let statuses: BTreeMap<String, BTreeMap<String, usize>> = serde_json::from_slice(&statuses)?;
    let count = |statuses: &BTreeMap<String, usize>, first: &str| -> usize {
        statuses.iter().filter(|(status, _)| status.starts_with(first)).map(|(_, n)| n).sum()
    };
    let barren: Vec<_> = used
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
        on(cluster),
        start.elapsed().as_secs()
    );
    Ok(all)
}
