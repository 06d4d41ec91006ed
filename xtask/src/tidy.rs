//! `cargo xtask tidy`: the house rules that a program can check.

mod book;
pub mod circles;
mod requirements;
mod words;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::folder::files_below;

/// Which of the workspace's crates each crate may depend on.
const EDGES: [(&str, &[&str]); 20] = [
    ("ebp-core", &[]),
    ("ebp-client", &["ebp-core"]),
    ("ebp-errors", &["ebp-core"]),
    ("ebp-meter", &["ebp-core"]),
    ("ebp-fleet", &["ebp-core"]),
    ("ebp-publish", &["ebp-core"]),
    ("ebp-release", &[]),
    ("ebp-update", &["ebp-core", "ebp-release"]),
    (
        "ebp-device",
        &[
            "ebp-core",
            "ebp-client",
            "ebp-errors",
            "ebp-fleet",
            "ebp-kernel-clock",
            "ebp-meter",
            "ebp-publish",
            "ebp-update",
        ],
    ),
    ("ebp-anon", &["ebp-core"]),
    ("ebp-dataset", &["ebp-core"]),
    ("ebp-store", &["ebp-core", "ebp-anon"]),
    ("ebp-survey", &["ebp-core", "ebp-anon", "ebp-dataset", "ebp-store"]),
    (
        "ebp-server",
        &[
            "ebp-core",
            "ebp-anon",
            "ebp-client",
            "ebp-errors",
            "ebp-fleet",
            "ebp-release",
            "ebp-store",
            "ebp-survey",
        ],
    ),
    ("ebp-web", &["ebp-core", "ebp-client", "ebp-device", "ebp-errors", "ebp-fleet", "ebp-survey"]),
    (
        "ebp-cli",
        &[
            "ebp-core",
            "ebp-client",
            "ebp-meter",
            "ebp-device",
            "ebp-errors",
            "ebp-fleet",
            "ebp-publish",
            "ebp-release",
            "ebp-update",
            "ebp-anon",
            "ebp-dataset",
            "ebp-store",
            "ebp-survey",
            "ebp-server",
            "ebp-web",
            "ebp-fieldtest",
        ],
    ),
    (
        "ebp-fieldtest",
        &[
            "ebp-core",
            "ebp-client",
            "ebp-meter",
            "ebp-device",
            "ebp-store",
            "ebp-survey",
            "ebp-server",
        ],
    ),
    ("ebp-kernel-clock", &[]),
    ("ebp-needs", &[]),
    ("ebp-testkit", &["ebp-meter", "ebp-store"]),
];

/// Circles of files that are still there, by crate: so many and no more.
const LEFT: [(&str, usize); 0] = [];

/// A file has one subject; what grows past this has two.
const LONGEST_FILE: usize = 400;

/// Holds the tree against the rules and lists every breach.
pub fn run() -> Result<()> {
    let mut breaches = Vec::new();
    for (name, allowed) in EDGES {
        breaches.extend(edges(name, allowed)?);
        for root in ["lib.rs", "main.rs"].map(|root| Path::new(name).join("src").join(root)) {
            if root.exists() {
                let circles = circles::breaches(&root)?;
                let left = LEFT.iter().find(|(left, _)| *left == name).map_or(0, |(_, left)| *left);
                if circles.len() > left {
                    breaches.extend(circles);
                }
            }
        }
        for file in rust_files(&Path::new(name).join("src"))? {
            let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            breaches.extend(module(&file, &text));
        }
    }
    for (name, _) in EDGES {
        let tests = Path::new(name).join("tests");
        for file in if tests.is_dir() { rust_files(&tests)? } else { Vec::new() } {
            let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            breaches.extend(early_return(&file, &text));
        }
    }
    let map = fs::read_to_string("ARCHITECTURE.md").context("ARCHITECTURE.md")?;
    breaches.extend(
        named_paths(&map)
            .filter(|path| !Path::new(path).exists())
            .map(|path| format!("ARCHITECTURE.md names {path}, which does not exist")),
    );
    breaches.extend(book::breaches()?);
    breaches.extend(words::breaches()?);
    breaches.extend(crate::data_model::breaches()?);
    breaches.extend(crate::api::breaches()?);
    breaches.extend(requirements::breaches()?);
    for breach in &breaches {
        eprintln!("tidy: {breach}");
    }
    if !breaches.is_empty() {
        bail!("breaches of the house rules: {}", breaches.len());
    }
    eprintln!("tidy: the house is in order");
    Ok(())
}

/// Dependencies on crates of the workspace that are not allowed. Tests may use any.
fn edges(name: &str, allowed: &[&str]) -> Result<Vec<String>> {
    let path = format!("{name}/Cargo.toml");
    let manifest = fs::read_to_string(&path).with_context(|| path.clone())?;
    let dependencies = manifest
        .split("\n[")
        .find_map(|section| section.strip_prefix("dependencies]"))
        .unwrap_or_default();
    Ok(dependencies
        .lines()
        .filter_map(|line| line.split([' ', '=', '.']).next())
        .filter(|dependency| EDGES.iter().any(|(other, _)| other == dependency))
        .filter(|dependency| !allowed.contains(dependency))
        .map(|dependency| format!("{path}: {name} must not know {dependency}"))
        .collect())
}

/// Every module opens with a head; a crate and its parts (modules with modules of their own) say in
/// it what enters, leaves and is absent.
fn module(path: &Path, text: &str) -> Vec<String> {
    let shown = path.display();
    let mut breaches = Vec::new();
    let head: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
    if head.is_empty() {
        breaches.push(format!("{shown}: no head (`//!`) says what this module is for"));
    }
    let named = ["mod.rs", "lib.rs", "main.rs"];
    let is_part = path.file_name().is_some_and(|name| named.iter().any(|part| name == *part))
        || path.parent().is_some_and(|folder| folder.ends_with("src"))
            && path.with_extension("").is_dir();
    let is_test = |part: std::path::Component<'_>| {
        part.as_os_str().to_str().is_some_and(|name| name == "tests" || name == "tests.rs")
    };
    let is_part = is_part && !path.components().any(is_test);
    if is_part && !head.is_empty() {
        for word in ["Enters", "Leaves", "bsent"] {
            if !head.contains(word) {
                breaches.push(format!("{shown}: its head does not say what {}", what(word)));
            }
        }
    }
    let lines = text.lines().count();
    if lines > LONGEST_FILE {
        breaches.push(format!(
            "{shown}: {lines} lines are more than {LONGEST_FILE}: it has two subjects"
        ));
    }
    breaches
}

/// A test without what it needs is ignored by the runner; it does not tell of it and pass.
fn early_return(path: &Path, text: &str) -> Option<String> {
    let tells = text.contains("SKIPPED") || text.contains("\"skipped: ");
    tells.then(|| {
        format!("{}: mark tests by what they need, with `ebp_needs::needs`", path.display())
    })
}

fn what(word: &str) -> &'static str {
    match word {
        "Enters" => "enters (`Enters:`)",
        "Leaves" => "leaves (`Leaves:`)",
        _ => "is deliberately absent (`Absent:`)",
    }
}

/// Paths in backticks that begin with a folder of this repository.
fn named_paths(map: &str) -> impl Iterator<Item = &str> {
    map.split('`').skip(1).step_by(2).filter(|quoted| {
        quoted.contains('/')
            && !quoted.contains([' ', '*', '{', ':'])
            && ["ebp-", "xtask/", "docs/", "deploy/", "examples/", "benches/", "fuzz/", ".ci/"]
                .iter()
                .any(|start| quoted.starts_with(start))
    })
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = files_below(folder)?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_without_its_head_is_found() {
        let part = Path::new("ebp-core/src/lib.rs");
        assert_eq!(module(part, "use std::fs;\n").len(), 1);
        assert_eq!(module(part, "//! The spool.\n//!\n//! Enters: a. Leaves: b.\n").len(), 1);
        assert_eq!(
            module(part, "//! The spool.\n//!\n//! Enters: a. Leaves: b. Absent: c.\n").len(),
            0
        );
        assert_eq!(module(Path::new("ebp-core/src/model/a.rs"), "//! One subject.\n").len(), 0);
        assert_eq!(module(part, &"//! Enters Leaves Absent\n".repeat(401)).len(), 1);
    }

    #[test]
    fn a_test_that_passes_for_want_of_something_is_found() {
        let path = Path::new("ebp-cli/tests/a.rs");
        assert!(early_return(path, "eprintln!(\"skipped: no curl\"); return;").is_some());
        assert!(early_return(path, "// Slots are skipped: none is missing.").is_none());
    }

    #[test]
    fn paths_of_the_map() {
        let map = "see `ebp-core/src/spool.rs`, `GET /account` and `docs/src/*.md`, `serde/json`";
        assert_eq!(named_paths(map).collect::<Vec<_>>(), ["ebp-core/src/spool.rs"]);
    }
}
