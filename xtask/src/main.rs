//! Tasks of this repository that are more than one cargo command: `cargo xtask TASK`.
//!
//! Enters: the task's name. Leaves: its output and exit code. Absent: anything a user needs.

mod advisories;
mod api;
mod ci;
mod contract;
mod coverage;
mod crates;
mod data_model;
mod dataset;
mod deb;
mod device;
mod examples;
mod folder;
mod fuzz;
mod image;
mod lint;
mod long;
mod machine;
mod manifests;
mod mutants;
mod options;
mod parts;
mod pictures;
mod planted;
mod programs;
mod publish;
mod run;
mod stage;
mod survey;
mod symbols;
mod test;
mod tidy;
mod tool;
mod trust;
mod upgrade;
mod wheel;

use std::{env, path::PathBuf, process::ExitCode};

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask TASK

  test      run every test of the workspace and sum up their results
  tidy      hold the tree against the house rules of ARCHITECTURE.md
  data-model  make the book's page of tables and columns from the migrations
  api       make the pages of the library crates' public items from their sources
  examples  run the examples in Rust, and those in Python on a set that one of them makes
  features  check each crate by itself and with each of its features, as `long features` does
  lint      Python, shell, and the pages' templates, scripts and style
  crates    count the crates that the program is built of, and hold them against their bound
  device    build the program of a measurement device and hold its size against its bound
  outdated  libraries of which there are newer versions, or advisories
  advisories  the newest advisories in place of the copy in xtask/lists
  deb [PROGRAM | --target ARCHITECTURE]  the Debian package, in target/deb
  wheel [PROGRAM]  a Python wheel that carries the program, in target/wheel
  programs [--target ARCHITECTURE ...] [--kind device|whole ...] [--profile PROFILE]  static programs
            for amd64, arm64 and arm, in target/programs; `programs check` uses them
  image [--program ARCHITECTURE=FILE ...]  an OCI image layout of static programs, in target/image
  machine [PROGRAM]  Debian with systemd, in which the package is installed and used (needs root)
  manifests render the manifests of deploy and hold them against schemas and rules
  publish TAG --program ARCHITECTURE=FILE ... --to REGISTRY/REPOSITORY  packages, image, checksums and
            signature, in a registry; the image's digest as a commit for Flux
  coverage  run the tests and report the lines that they cover, as HTML, lcov and a list
  mutants [PART ...] [--shard K/N]  whether the tests notice planted faults in masking, consent,
            spool and the other parts where one costs privacy or measurements
  fuzz TARGET | all [SECONDS]  fuzz what comes from outside (needs cargo-fuzz and nightly Rust)
  fuzz-smoke  the same for a few seconds each, skipped where it cannot be done
  fieldtest [--seed N ...] [--weeks 3] [--faults all]  a field test in simulated time
  long NAME what takes hours: `cargo xtask long` lists it
  contract [--full]  schemathesis against the server, as every kind of identity
  trust     releases against python-tuf, the reference of The Update Framework
  pictures [FOLDER] [--book]  all pages as a browser shows them, in target/pictures; some into the book
  ci [STAGE ...]  all that a change has to pass, or some of its stages; the tests come last";

fn main() -> ExitCode {
    let task = env::args().nth(1).unwrap_or_default();
    match start(&task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(task: &str) -> Result<()> {
    env::set_current_dir(root())?;
    match task {
        "test" => test::run(),
        "tidy" => tidy::run(),
        "data-model" => data_model::run(),
        "api" => api::run(),
        "examples" => examples::run(),
        "features" => ci::features(),
        "lint" => lint::run(),
        "crates" => crates::run(),
        "device" => device::run(),
        "outdated" => advisories::outdated(),
        "advisories" => advisories::update(),
        "deb" => deb::run(&env::args().skip(2).collect::<Vec<_>>()),
        "wheel" => wheel::run(&env::args().skip(2).collect::<Vec<_>>()),
        "programs" => programs::run(&env::args().skip(2).collect::<Vec<_>>()),
        "image" => image::run(&env::args().skip(2).collect::<Vec<_>>()),
        "machine" => machine::run(&env::args().skip(2).collect::<Vec<_>>()),
        "manifests" => manifests::run(),
        "publish" => publish::run(&env::args().skip(2).collect::<Vec<_>>()),
        "coverage" => coverage::run(),
        "mutants" => mutants::run(&env::args().skip(2).collect::<Vec<_>>()),
        "fuzz" => fuzz::run(&env::args().skip(2).collect::<Vec<_>>()),
        "fuzz-smoke" => fuzz::smoke(),
        "fieldtest" => run::succeed(
            run::cargo()
                .args(["run", "--release", "--quiet", "--package", "ebp-fieldtest", "--"])
                .args(env::args().skip(2)),
        ),
        "long" => long::run(&env::args().skip(2).collect::<Vec<_>>()),
        "contract" => contract::run(&env::args().skip(2).collect::<Vec<_>>()),
        "trust" => trust::run(trust::Depth::Usual),
        "pictures" => pictures::run(&env::args().skip(2).collect::<Vec<_>>()),
        "ci" => ci::run(&env::args().skip(2).collect::<Vec<_>>()),
        "" | "help" | "--help" | "-h" => {
            println!("{HELP}");
            Ok(())
        }
        other => bail!("there is no task `{other}`\n\n{HELP}"),
    }
}

/// Where cargo builds to.
fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |own| root().join(own))
}

/// The repository's root: the folder above this crate's.
fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}
