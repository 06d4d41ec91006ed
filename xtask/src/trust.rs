//! `cargo xtask trust`: the client and the authors of releases against python-tuf, the reference.
//!
//! Enters: Python 3 with `venv`, and PyPI or pip's cache, else it says that it was skipped. Leaves:
//! nothing that the two judge differently, or the task fails. Absent: the comparisons themselves, which
//! are in `ebp-release/tests/python_tuf.rs`, with python-tuf's side in `xtask/trust/`.

use anyhow::Result;

use crate::{
    run::{cargo, succeed},
    tool,
};

/// What is installed: python-tuf, and what it makes keys and signatures with.
const PACKAGES: [&str; 3] = ["tuf==7.0.1", "securesystemslib==1.6.0", "cryptography==50.0.2"];
/// Bent repositories that `cargo xtask long trust` tries.
const MANY: &str = "5000";

/// How much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// In each change: 60 bent repositories.
    Usual,
    /// 5,000 of them, and each bit of every byte of every role flipped.
    Full,
}

/// As a part of `ci`: skipped, loudly, where Python or its packages cannot be had.
pub fn run(depth: Depth) -> Result<()> {
    let Some(python) = tool::python_with("trust", &PACKAGES)? else {
        eprintln!(
            "\n*** SKIPPED: releases against python-tuf. {} cannot be installed here: it needs \
             Python 3 with venv, and PyPI. ***\n",
            PACKAGES[0]
        );
        return Ok(());
    };
    let mut command = cargo();
    command.args(["test", "--package", "ebp-release", "--features", "author"]);
    command.args(["--test", "python_tuf", "--", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env("EBP_TEST_PYTHON", python);
    if depth == Depth::Usual {
        return succeed(&mut command);
    }
    succeed(command.env("EBP_TEST_BENT", MANY))?;
    let mut command = cargo();
    command.args(["test", "--package", "ebp-release", "--features", "author", "--lib", "flips"]);
    succeed(command.env("EBP_TEST_FLIPS", "all"))
}
