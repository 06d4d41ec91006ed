//! `cargo xtask ci`: all that a change has to pass, cheapest first, the tests last.

use anyhow::Result;

use crate::{
    contract, crates, examples, fuzz,
    run::{cargo, install, succeed, works},
    test, tidy,
};

/// Crates, and the sets of features that each is checked with by itself: a build of the whole
/// workspace would hide a crate that leans on features which only another one asks for.
const ALONE: [(&str, &[&str]); 17] = [
    ("ebp-core", &[]),
    ("ebp-core", &["--features", "openapi"]),
    ("ebp-client", &[]),
    ("ebp-client", &["--features", "pkcs12"]),
    ("ebp-meter", &[]),
    ("ebp-device", &[]),
    ("ebp-anon", &[]),
    ("ebp-anon", &["--features", "germany"]),
    ("ebp-store", &[]),
    ("ebp-server", &[]),
    ("ebp-server", &["--no-default-features"]),
    ("ebp-cli", &[]),
    ("ebp-cli", &["--no-default-features", "--features", "server"]),
    ("ebp-cli", &["--no-default-features", "--features", "device"]),
    ("ebp-fieldtest", &[]),
    ("ebp-fieldtest", &["--no-default-features"]),
    ("ebp-needs", &[]),
];

/// Format, lints, house rules, features, documentation, dependencies, tests.
pub fn run() -> Result<()> {
    succeed(cargo().args(["fmt", "--all", "--check"]))?;
    tidy::run()?;
    succeed(cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ]))?;
    features()?;
    crates::run()?;
    succeed(
        cargo()
            .args(["doc", "--workspace", "--all-features", "--no-deps", "--document-private-items"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    dependencies()?;
    fuzz::smoke()?;
    contract::run(&[])?;
    examples::run()?;
    test::run()
}

/// Each crate by itself.
pub fn features() -> Result<()> {
    for (package, features) in ALONE {
        succeed(cargo().args(["check", "--quiet", "--package", package]).args(features))?;
    }
    Ok(())
}

/// Licences, sources and bans always; advisories where their database can be had.
fn dependencies() -> Result<()> {
    if !works(cargo().args(["deny", "--version"])) {
        install("cargo-deny")?;
    }
    succeed(cargo().args(["deny", "--all-features", "check", "bans", "licenses", "sources"]))?;
    if works(cargo().args(["deny", "fetch", "db"])) {
        succeed(cargo().args(["deny", "--all-features", "check", "advisories"]))
    } else {
        eprintln!("xtask: SKIPPED the check for advisories: their database cannot be fetched here");
        Ok(())
    }
}
