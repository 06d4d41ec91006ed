//! `cargo xtask wheel`: the wheel that carries the program, for those who install programs by pip.
//!
//! Enters: Python 3 with `venv`, and maturin from PyPI or pip's cache; a program. Leaves:
//! `target/wheel/ebp-VERSION-py3-none-PLATFORM.whl`, the same bytes for the same program and commit.
//! Absent: a wheel's metadata, which are in `pyproject.toml`; publishing it.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::{
    image::Commit,
    root,
    run::{cargo, output, succeed},
    target, test, tool,
};

/// What packs it, of the version that `pyproject.toml` names too.
const MATURIN: &str = "maturin==1.16.0";

/// How well it is compressed: for those who fetch it, or to be installed once.
const SMALL: &str = "9";
const QUICK: &str = "1";

/// Packs the program as it is released, or a PROGRAM of this machine's architecture.
pub fn run(arguments: &[String]) -> Result<()> {
    let program = match arguments {
        [] => {
            succeed(cargo().args(["build", "--release", "--package", "ebp-cli", "--bin", "ebp"]))?;
            target().join("release/ebp")
        }
        [program] if !program.starts_with('-') => PathBuf::from(program),
        _ => bail!("cargo xtask wheel [PROGRAM]"),
    };
    let Some(python) = maturin()? else {
        bail!("{MATURIN} cannot be installed here: it needs Python 3 with venv, and PyPI");
    };
    println!("{}", pack(&python, &program, SMALL)?.display());
    Ok(())
}

/// As a part of `ci`: the program of the tests is packed twice to the same bytes, installed into a new
/// environment, and says its version there. Skipped, loudly, where Python or maturin cannot be had.
pub fn check() -> Result<()> {
    let Some(python) = maturin()? else {
        eprintln!(
            "\n*** SKIPPED: the wheel. {MATURIN} cannot be installed here: it needs Python 3 with \
             venv, and PyPI. ***\n"
        );
        return Ok(());
    };
    test::build_program()?;
    let program = target().join("debug/ebp");
    let bytes = |wheel: &Path| fs::read(wheel).with_context(|| wheel.display().to_string());
    let first = bytes(&pack(&python, &program, QUICK)?)?;
    let wheel = pack(&python, &program, QUICK)?;
    ensure!(first == bytes(&wheel)?, "the wheel has other bytes the second time");
    let venv = folder().join("venv");
    succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let mut pip = Command::new(venv.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]);
    succeed(pip.arg(&wheel))?;
    let installed = venv.join("bin/ebp");
    let says = output(Command::new(&installed).arg("--version").env_clear())?;
    let expected = concat!("ebp ", env!("CARGO_PKG_VERSION"));
    ensure!(says == expected, "the installed program says `{says}`, not `{expected}`");
    ensure!(bytes(&installed)? == bytes(&program)?, "pip installed another program");
    println!("{}: {} bytes, installed: {says}", wheel.display(), first.len());
    fs::remove_dir_all(&venv).with_context(|| venv.display().to_string())
}

fn maturin() -> Result<Option<PathBuf>> {
    tool::python_with("maturin", &[MATURIN])
}

fn folder() -> PathBuf {
    target().join("wheel")
}

/// The wheel of that program. maturin would build it; it is told that this one was just built.
fn pack(python: &Path, program: &Path, level: &str) -> Result<PathBuf> {
    let program = program.canonicalize().with_context(|| program.display().to_string())?;
    let wheels = folder();
    fs::create_dir_all(&wheels).with_context(|| wheels.display().to_string())?;
    let messages = wheels.join("cargo.jsonl");
    fs::write(&messages, built(&program)?).with_context(|| messages.display().to_string())?;
    let own = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(python);
    command.args(["-m", "maturin", "build", "--quiet", "--compression-level", level, "--out"]);
    command.arg(&wheels).current_dir(root());
    command.env("CARGO", root().join("xtask/wheel/built_cargo.sh"));
    command.env("EBP_WHEEL_CARGO", own).env("EBP_WHEEL_MESSAGES", &messages);
    command.env("SOURCE_DATE_EPOCH", Commit::current()?.seconds.to_string());
    // Those of an earlier version or machine are not what was just packed.
    for old in wheels_in(&wheels)? {
        fs::remove_file(&old).with_context(|| old.display().to_string())?;
    }
    succeed(&mut command)?;
    match wheels_in(&wheels)?.as_slice() {
        [wheel] => Ok(wheel.clone()),
        others => bail!("maturin made {} wheels", others.len()),
    }
}

fn wheels_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    Ok(paths.into_iter().filter(|path| path.extension().is_some_and(|it| it == "whl")).collect())
}

/// What cargo says when it has built that program.
fn built(program: &Path) -> Result<String> {
    let mut metadata = cargo();
    metadata.args(["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&output(&mut metadata)?)?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let package = packages.iter().find(|package| package["name"] == "ebp-cli");
    let package = package.context("there is no package ebp-cli")?;
    let targets = package["targets"].as_array().context("ebp-cli has no targets")?;
    let target = targets.iter().find(|target| target["name"] == "ebp" && is_program(target));
    let artifact = json!({
        "reason": "compiler-artifact",
        "package_id": package["id"],
        "manifest_path": package["manifest_path"],
        "target": target.context("ebp-cli has no program ebp")?,
        "profile": {
            "opt_level": "0",
            "debuginfo": 0,
            "debug_assertions": false,
            "overflow_checks": false,
            "test": false,
        },
        "features": [],
        "filenames": [program],
        "executable": program,
        "fresh": true,
    });
    let end = json!({ "reason": "build-finished", "success": true });
    Ok(format!("{artifact}\n{end}\n"))
}

fn is_program(target: &Value) -> bool {
    target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "bin"))
}
