//! `cargo xtask long dataset`: the demo's data set, read by the programs that researchers use; and the
//! field test's three weeks, compared with the rules of energy in another language.
//!
//! Enters: Python 3 with `venv`, and PyPI or pip's cache. Leaves: nothing that differs, or the task
//! fails. Absent: the comparisons themselves, which are in `xtask/dataset/read.py` and
//! `xtask/dataset/compare.py`.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, bail};

use crate::{
    examples, root,
    run::{cargo, output, succeed},
    tool,
};

/// What is installed beside what the examples need.
const PACKAGES: [&str; 2] = ["frictionless[parquet]==5.21.0", "mlcroissant==1.1.1"];

/// Makes the data set and reads it.
pub fn run() -> Result<()> {
    let root = root();
    let packages = [&examples::PYTHON[..], &PACKAGES].concat();
    let python = tool::python_with("dataset-python", &packages)?
        .context("the packages cannot be installed: that needs Python 3 with venv, and PyPI")?;
    let tools = root.join("target/tools/dataset");
    fs::create_dir_all(&tools).with_context(|| tools.display().to_string())?;
    let folder = tools.join("demo");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    let mut demo = cargo();
    demo.args(["run", "--quiet", "--package", "ebp-cli", "--", "demo", "--once", "--state"]);
    succeed(demo.arg(&folder))?;
    read(&python, &root, &folder.join("dataset"))?;
    compare(&root, &tools)?;
    same_in_all(&python, &folder.join("dataset"))
}

/// Three weeks with every fault, exported as CSV, to the last digit.
fn compare(root: &Path, tools: &Path) -> Result<()> {
    let (kept, set) = (tools.join("fieldtest"), tools.join("fieldtest-set"));
    for folder in [&kept, &set] {
        if folder.exists() {
            fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
    }
    let mut test = cargo();
    test.args(["run", "--release", "--quiet", "--package", "ebp-fieldtest", "--"]);
    succeed(test.args(["--seed", "1", "--keep"]).arg(&kept))?;
    let mut export = cargo();
    export.args(["run", "--quiet", "--package", "ebp-cli", "--", "export", "--format", "csv"]);
    export.arg("--data").arg(kept.join("1/server"));
    succeed(export.arg("--output").arg(&set))?;
    let mut compare = Command::new("python3");
    compare.arg(root.join("xtask/dataset/compare.py")).arg(set);
    succeed(compare.arg(root.join("ebp-dataset/tests/reference.py")))
}

/// The examples for researchers: the three print the same.
fn same_in_all(python: &Path, set: &Path) -> Result<()> {
    let mut printed = Vec::new();
    for script in examples::scripts()? {
        printed.push(output(Command::new(python).arg(script).arg(set))?);
    }
    if printed[0].is_empty() || printed.iter().any(|text| *text != printed[0]) {
        bail!("the examples in Python differ:\n{}", printed.join("\n\n"));
    }
    println!("{}", printed[0]);
    Ok(())
}

fn read(python: &Path, root: &Path, set: &Path) -> Result<()> {
    let mut command = Command::new(python);
    command.arg(root.join("xtask/dataset/read.py")).arg(set);
    succeed(command.arg(root.join("ebp-dataset/tests/reference.py")))
}
