//! `cargo xtask device`: the program of a measurement device, and whether it is small enough.
//!
//! Enters: a C compiler besides Rust, and a quarter of an hour. Leaves: `target/device/ebp` with every part
//! of a device (measuring, sending, the participant's page, the tunnel), or a failure if it is larger than
//! allowed. Absent: whether it works, which the tests of its parts and `EBP_TEST_DEVICE_PROGRAM` look at.

use std::{fs, process::Command};

use anyhow::{Context, Result, bail};

use crate::{
    image::Architecture,
    run::{cargo, commit, source_date, succeed},
    symbols, target,
};

/// Bytes at most, with all parts, as was asked for.
const AT_MOST: u64 = 10_000_000;

/// What SQLite is built without: a spool searches no texts and no rectangles.
pub const SQLITE_WITHOUT: &str = "-USQLITE_ENABLE_FTS3 -USQLITE_ENABLE_FTS3_PARENTHESIS \
    -USQLITE_ENABLE_FTS5 -USQLITE_ENABLE_RTREE -USQLITE_ENABLE_DBSTAT_VTAB \
    -USQLITE_ENABLE_STAT4 -DSQLITE_OMIT_JSON";

/// Builds it and holds its size against the bound.
pub fn run() -> Result<()> {
    let mut command = cargo();
    command.args(["build", "--profile", "device", "--package", "ebp-cli", "--bin", "ebp"]);
    command.args(["--no-default-features", "--features", "device,device-web"]);
    command.env("SOURCE_DATE_EPOCH", source_date()?);
    succeed(command.env("LIBSQLITE3_FLAGS", SQLITE_WITHOUT))?;
    let program = target().join("device/ebp");
    let content = fs::read(&program).with_context(|| program.display().to_string())?;
    let architecture = Architecture::from_program(&content).context("for which machine?")?;
    symbols::keep_own(&program, architecture)?;
    symbols::check(Command::new(&program))?;
    let bytes = fs::metadata(&program).with_context(|| program.display().to_string())?.len();
    println!("{}: {bytes} bytes ({}), at most {AT_MOST}", program.display(), commit()?);
    if bytes > AT_MOST {
        bail!("the device's program is larger than xtask/src/device.rs allows");
    }
    Ok(())
}
