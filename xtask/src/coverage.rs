//! `cargo xtask coverage`: which lines the tests run, as HTML, as lcov, and as a list of the files
//! that are covered least.
//!
//! Files of the parts of [`crate::parts`] below [`LEAST`] per cent fail, unless they are listed
//! with a reason.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{
    parts::{self, PARTS},
    run::{cargo, install, output, succeed, works},
};

const THIN: &str = "xtask/lists/thinly_covered_files.txt";
/// Per cent of a file's lines.
const LEAST: f64 = 90.0;
/// So many of the thinnest files are shown.
const SHOWN: usize = 20;

/// A file's lines.
#[derive(Debug, PartialEq)]
struct Covered {
    file: String,
    lines: u64,
    percent: f64,
}

/// Runs every test with instrumented programs and reports.
pub fn run() -> Result<()> {
    if !works(cargo().args(["llvm-cov", "--version"])) {
        install("cargo-llvm-cov")?;
    }
    let tools = tools()?;
    let llvm_cov = |arguments: &[&str]| {
        let mut command = cargo();
        command.arg("llvm-cov").args(arguments).args(["--ignore-filename-regex", "xtask"]);
        command.envs(tools.iter().copied());
        command
    };
    let mut tests = llvm_cov(&["--workspace", "--all-features", "--no-fail-fast", "--no-report"]);
    succeed(tests.env("INSTA_UPDATE", "no"))?;
    succeed(&mut llvm_cov(&["report", "--html"]))?;
    succeed(&mut llvm_cov(&["report", "--lcov", "--output-path", "target/llvm-cov/lcov.info"]))?;
    let summary = output(&mut llvm_cov(&["report", "--json", "--summary-only"]))?;
    let summary: Value = serde_json::from_str(&summary).context("llvm-cov's summary")?;
    let mut files = read(&summary)?;
    let total = summary["data"][0]["totals"]["lines"]["percent"].as_f64().unwrap_or_default();
    println!(
        "{total:.1} % of all lines; target/llvm-cov/html/index.html, target/llvm-cov/lcov.info"
    );
    files.sort_by(|one, other| one.percent.total_cmp(&other.percent));
    println!("\n| the {SHOWN} thinnest files | lines | covered |\n|---|---|---|");
    for Covered { file, lines, percent } in files.iter().take(SHOWN) {
        println!("| {file} | {lines} | {percent:.1} % |");
    }
    judge(&files, &parts::exceptions(Path::new(THIN))?)
}

/// Files of the parts that are too thin and not listed.
fn judge(files: &[Covered], listed: &[(String, String)]) -> Result<()> {
    let mut unlisted = 0;
    println!("\nBelow {LEAST} % in the parts where a fault costs privacy or measurements:");
    for Covered { file, percent, .. } in files {
        if *percent >= LEAST || !PARTS.iter().any(|part| part.holds(file)) {
            continue;
        }
        let reason = listed.iter().find(|(listed, _)| listed == file).map(|(_, reason)| reason);
        unlisted += usize::from(reason.is_none());
        println!("- {file}: {percent:.1} %: {}", reason.map_or("NO REASON IS LISTED", |it| it));
    }
    if unlisted > 0 {
        bail!("files covered too thinly: {unlisted}; see above, and {THIN}");
    }
    Ok(())
}

fn read(summary: &Value) -> Result<Vec<Covered>> {
    let root = std::env::current_dir()?;
    let files = summary["data"][0]["files"].as_array().context("no files in the summary")?;
    let covered = |file: &Value| -> Option<Covered> {
        let path = Path::new(file["filename"].as_str()?);
        let lines = &file["summary"]["lines"];
        Some(Covered {
            file: path.strip_prefix(&root).unwrap_or(path).display().to_string(),
            lines: lines["count"].as_u64()?,
            percent: lines["percent"].as_f64()?,
        })
    };
    files.iter().map(|file| covered(file).context("a file without lines")).collect()
}

/// Where LLVM's tools are: rustup's, or those of a distribution whose major version is the
/// compiler's (Debian: `llvm-22` for Rust 1.95), which are installed where that is possible.
fn tools() -> Result<Vec<(&'static str, &'static str)>> {
    if works(std::process::Command::new("rustup").args(["component", "add", "llvm-tools"])) {
        return Ok(Vec::new());
    }
    let set = ["LLVM_COV", "LLVM_PROFDATA"].iter().all(|name| std::env::var_os(name).is_some());
    let found =
        [("LLVM_COV", "/usr/bin/llvm-cov-22"), ("LLVM_PROFDATA", "/usr/bin/llvm-profdata-22")];
    match found.iter().all(|(_, path)| Path::new(path).exists()) {
        _ if set => Ok(Vec::new()),
        true => Ok(found.to_vec()),
        false => bail!(
            "LLVM's tools are missing: `rustup component add llvm-tools`, or name those of the \
             compiler's own version in LLVM_COV and LLVM_PROFDATA"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(file: &str, percent: f64) -> Covered {
        Covered { file: file.to_owned(), lines: 10, percent }
    }

    #[test]
    fn a_thin_file_of_a_part_needs_a_reason() {
        let files = [covered("ebp-anon/src/mask.rs", 89.9), covered("ebp-cli/src/main.rs", 1.0)];
        assert!(judge(&files, &[]).is_err());
        assert!(judge(&files, &[("ebp-anon/src/mask.rs".to_owned(), "why".to_owned())]).is_ok());
        assert!(judge(&files[1..], &[]).is_ok());
    }

    #[test]
    fn the_summary_of_llvm_cov_is_read() {
        let summary = serde_json::json!({"data": [{"files": [
            {"filename": "/elsewhere/a.rs", "summary": {"lines": {"count": 4, "percent": 50.0}}}
        ]}]});
        let expected = Covered { file: "/elsewhere/a.rs".to_owned(), lines: 4, percent: 50.0 };
        assert_eq!(read(&summary).unwrap(), [expected]);
        assert!(read(&serde_json::json!({})).is_err());
    }
}
