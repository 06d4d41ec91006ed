//! The table of requirements: every path and every test that it names must exist.

use std::{fs, path::Path};

use anyhow::{Context, Result};

/// The page with the table.
const PAGE: &str = "docs/src/requirements.md";

/// The numbered requirements of the specification: each has a row of its own.
const NUMBERED: [(&str, usize); 2] = [("FR", 11), ("NFR", 7)];

/// What a path of this repository begins with, or a file of its top folder ends with.
const STARTS: [&str; 8] =
    ["ebp-", "xtask/", "docs/", "deploy/", "examples/", "benches/", "fuzz/", ".ci/"];
const ENDS: [&str; 2] = [".md", ".toml"];

/// Every name on the page that leads nowhere, and every row that shows nothing.
pub fn breaches() -> Result<Vec<String>> {
    let text = fs::read_to_string(PAGE).context(PAGE)?;
    Ok(faults(&text, Path::new(".")))
}

/// The faults of the page's text, with their lines; paths are looked up below `root`.
fn faults(text: &str, root: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    for (line, row) in (1..).zip(text.lines()) {
        let found = names(row).filter_map(|name| missing(name, root));
        faults.extend(found.map(|what| format!("{PAGE}:{line}: {what}")));
    }
    for (line, row) in rows(text) {
        let has_test = names(row).any(|name| name.contains("::"));
        if !has_test && !row.contains("open:") {
            faults.push(format!("{PAGE}:{line}: the row names no test and does not say `open:`"));
        }
    }
    for (kind, count) in NUMBERED {
        for number in 1..=count {
            let start = format!("| {kind}-{number:02} |");
            if !rows(text).any(|(_, row)| row.starts_with(&start)) {
                faults.push(format!("{PAGE}: {kind}-{number:02} has no row"));
            }
        }
    }
    faults
}

/// The rows of the page's tables without their heads, with their lines.
fn rows(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_body = false;
    (1..).zip(text.lines()).filter(move |(_, line)| {
        let is_rule = line.starts_with("|---");
        is_body = (is_body || is_rule) && line.starts_with('|');
        is_body && !is_rule
    })
}

/// What stands in backticks and is a path of this repository, or a test in one.
fn names(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2).filter(|quoted| {
        !quoted.contains(' ')
            && (STARTS.iter().any(|start| quoted.starts_with(start))
                || ENDS.iter().any(|end| quoted.ends_with(end)))
    })
}

/// What is wrong with `path` or `path::test_name`, if anything is.
fn missing(name: &str, root: &Path) -> Option<String> {
    let (path, test) = match name.split_once("::") {
        Some((path, test)) => (path, Some(test)),
        None => (name, None),
    };
    if !root.join(path).exists() {
        return Some(format!("`{path}` does not exist"));
    }
    let test = test?;
    let text = fs::read_to_string(root.join(path)).unwrap_or_default();
    (!defines(&text, test)).then(|| format!("`{path}` has no function `{test}`"))
}

/// Whether the text defines a function of that very name.
fn defines(text: &str, function: &str) -> bool {
    text.split("fn ")
        .skip(1)
        .any(|rest| rest.strip_prefix(function).is_some_and(|rest| rest.starts_with(['(', '<'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page with a row for every number, and `last` below them.
    fn page(last: &str) -> String {
        let numbers = NUMBERED.iter().flat_map(|(kind, count)| {
            (1..=*count).map(move |number| format!("| {kind}-{number:02} | open: all of it |\n"))
        });
        format!("| number | test |\n|---|---|\n{}{last}\n", numbers.collect::<String>())
    }

    /// The faults of that page in a made-up repository, without the page's name.
    fn found(text: &str) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("ebp-core/src");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("a.rs"), "async fn it_holds() {}\nfn of_all<T>() {}\n").unwrap();
        let faults = faults(text, root.path());
        faults.into_iter().map(|fault| fault.trim_start_matches(PAGE).to_owned()).collect()
    }

    #[test]
    fn what_exists_is_no_fault() {
        let row = "| A | `ebp-core/src` | `ebp-core/src/a.rs::it_holds` `GET /a` `serde/x` |";
        assert_eq!(found(&page(row)), [""; 0]);
        assert_eq!(found(&page("| A | `ebp-core/src/a.rs::of_all` |")), [""; 0]);
    }

    #[test]
    fn a_planted_wrong_path_is_found() {
        let text = page("| A | `ebp-core/src/b.rs` | open: a test |");
        assert_eq!(found(&text), [":21: `ebp-core/src/b.rs` does not exist"]);
        let text = page("| A | `ebp-core/src/b.rs::it_holds` |");
        assert_eq!(found(&text), [":21: `ebp-core/src/b.rs` does not exist"]);
    }

    #[test]
    fn a_planted_wrong_test_is_found() {
        for wrong in ["it_hold", "it_holds_too", "holds"] {
            let text = page(&format!("| A | `ebp-core/src/a.rs::{wrong}` |"));
            assert_eq!(
                found(&text),
                [format!(":21: `ebp-core/src/a.rs` has no function `{wrong}`")]
            );
        }
    }

    #[test]
    fn a_row_that_shows_nothing_and_a_missing_number_are_found() {
        let text = page("| A | `ebp-core/src/a.rs` | all is well |");
        assert_eq!(found(&text), [":21: the row names no test and does not say `open:`"]);
        let text = page("").replace("| FR-07 |", "| FR-7 |");
        assert_eq!(found(&text), [": FR-07 has no row"]);
    }
}
