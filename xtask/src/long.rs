//! `cargo xtask long NAME`: what takes longer than a change can wait for. The book shows what came of
//! each last, with its date and commit.

use std::{path::PathBuf, process::Command};

use anyhow::{Result, bail};

use crate::{
    ci, contract, dataset, fuzz, image, machine, manifests, planted, programs, publish,
    run::{cargo, commit, succeed},
    target, test, trust, upgrade,
};

/// The tasks: each with what it is.
const TASKS: [(&str, &str); 19] = [
    ("fieldtest", "200 seeds of the field test, three weeks each"),
    ("year", "the field test of 100 devices for a year"),
    ("features", "each crate by itself, with each of its features"),
    ("fuzz", "every fuzz target for ten minutes, or for so many SECONDS"),
    ("contract", "schemathesis with a hundred examples an operation, on both databases"),
    ("dataset", "the demo's data set in five Python packages, the field test's by a reference"),
    ("jobs", "servers killed 100 times in the midst of jobs, on both databases"),
    ("risk", "how many of a hundred simulated households a research file gives away"),
    ("machine", "the package installed, upgraded and removed in a Debian with systemd"),
    ("manual", "what the operating manual says, typed on a server and two devices"),
    ("trust", "5,000 bent repositories beside python-tuf, every bit of every role flipped"),
    (
        "images",
        "images made, unpacked and run; a release pushed to a registry; manifests; a restore",
    ),
    (
        "programs",
        "static programs for three architectures, each of which measures and sends, or those of a --target",
    ),
    ("upgrade", "servers of two releases on one PostgreSQL, exchanged one by one under load"),
    ("traffic", "what both daemons of a device send and receive in a day"),
    ("broker", "an MQTT broker stopped, and one frozen, for ten minutes while devices measure"),
    (
        "update",
        "`ebp update` killed 200 times while a device measures, and as often with power failures",
    ),
    ("updates", "ten updates in a Debian with systemd: no slot missed, little written"),
    ("planted", "whether tests fail for planted faults, or for those whose names have a PART"),
];

/// The field test's seeds, where no others are asked for: none of those that were used in writing it.
const SEEDS: &str = "20000..20200";

/// Runs one of them; further arguments are the task's.
pub fn run(arguments: &[String]) -> Result<()> {
    let (name, rest) = match arguments.split_first() {
        Some((name, rest)) if TASKS.iter().any(|(known, _)| known == name) => (name, rest),
        _ => bail!("cargo xtask long NAME\n{}", help()),
    };
    println!("{name}: {}", commit()?);
    match name.as_str() {
        "fieldtest" => fieldtest(rest),
        "year" => succeed(field_test().args(["--devices", "100", "--days", "365"]).args(rest)),
        "features" => ci::features(),
        "fuzz" => fuzz::run(&[&["all".to_owned()], rest].concat()),
        "contract" => contract::run(&[&["--full".to_owned()], rest].concat()),
        "dataset" => dataset::run(),
        "jobs" => jobs(),
        "risk" => risk(),
        "machine" => machine::run(rest),
        "manual" => machine::manual::run(rest),
        "trust" => trust::run(trust::Depth::Full),
        "images" => images(rest),
        "programs" => all_programs(rest),
        "upgrade" => upgrade::run(rest),
        "traffic" => traffic(),
        "broker" => broker(),
        "update" => update(),
        "updates" => machine::run_updates(rest),
        "planted" => planted::run(rest),
        other => bail!("there is no long task `{other}`"),
    }
}

/// Builds the programs, as the arguments say, and uses them.
fn all_programs(arguments: &[String]) -> Result<()> {
    programs::run(arguments)?;
    programs::check_built(&[])
}

/// Images and what is made of them; what is started is the program as tests have it, or a PROGRAM.
fn images(arguments: &[String]) -> Result<()> {
    let program = match arguments {
        [] => {
            test::build_program()?;
            target().join("debug/ebp")
        }
        [program] => PathBuf::from(program),
        _ => bail!("cargo xtask long images [PROGRAM]"),
    };
    image::check::run()?;
    publish::check::run()?;
    manifests::run()?;
    manifests::names::run(&program)?;
    manifests::start::run(&program)?;
    manifests::script::run(&program)
}

/// Prints how many jobs the kills came to.
fn jobs() -> Result<()> {
    let mut command = cargo();
    command.args(["test", "--package", "ebp-server", "--test", "jobs"]);
    succeed(command.args(["--", "--nocapture"]).env("EBP_TEST_KILLS", "100"))
}

/// Prints the sentences of the file's README.
fn risk() -> Result<()> {
    let mut command = cargo();
    command.args(["test", "--package", "ebp-cli", "--test", "it", "release_risk::"]);
    succeed(command.args(["--", "--ignored", "--nocapture"]))
}

/// Prints the bytes of a day.
fn traffic() -> Result<()> {
    let mut command = cargo();
    command.args(["test", "--package", "ebp-cli", "--all-features", "--test", "it"]);
    succeed(command.args(["traffic::", "--", "--ignored", "--nocapture"]))
}

/// Prints how late measurements were, and what was published afterwards.
fn broker() -> Result<()> {
    let mut command = cargo();
    command.args(["test", "--package", "ebp-cli", "--all-features", "--test", "it"]);
    succeed(command.args(["broker_outage::", "--", "--ignored", "--nocapture"]))
}

/// Prints how many updates the kills came to, in which phases they were, and how many power failures there
/// were.
fn update() -> Result<()> {
    let mut command = cargo();
    command.args(["test", "--package", "ebp-cli", "--all-features", "--test", "it"]);
    // One after the other, so that the instants are not those of the other one's load.
    command.args(["--", "--nocapture", "--test-threads=1", "update::kill::"]);
    succeed(command.env("EBP_UPDATE_KILLS", "200"))
}

fn help() -> String {
    TASKS.iter().map(|(name, what)| format!("\n  {name}  {what}")).collect()
}

/// The field test's program; its arguments follow.
fn field_test() -> Command {
    let mut command = cargo();
    command.args(["run", "--release", "--quiet", "--package", "ebp-fieldtest", "--"]);
    command
}

/// As many at once as the machine has processors, unless said otherwise.
fn fieldtest(arguments: &[String]) -> Result<()> {
    let mut command = field_test();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    if !has("--seeds") {
        command.args(["--seeds", SEEDS]);
    }
    if !has("--jobs") {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        command.args(["--jobs", &processors.to_string()]);
    }
    succeed(command.args(arguments))
}
