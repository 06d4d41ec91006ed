//! How many crates the program is built of: printed, and bounded, so that one more is a decision.

use std::{collections::BTreeSet, fs};

use anyhow::{Context, Result, bail};

use crate::run::{cargo, output};

/// What is built, with which features, and of how many crates at most. Whoever raises a bound says
/// in the commit what the crate is for.
const BOUNDS: [(&str, &[&str], usize); 4] = [
    ("`ebp` with its default features", &[], 413),
    ("`ebp` for a device", &["--no-default-features", "--features", "device"], 219),
    (
        "`ebp` for a device with outputs for the household's own tools",
        &["--no-default-features", "--features", "device,publish"],
        226,
    ),
    (
        "`ebp` for a device with the participant's page",
        &["--no-default-features", "--features", "device,device-web"],
        254,
    ),
];

/// The library that reads meters, by itself: its documentation states how many crates it needs.
const READER: &str = "ebp-meter";
const READER_PAGE: &str = "ebp-meter/src/lib.rs";

/// Counts the crates of each build, ours and those that build them included.
pub fn run() -> Result<()> {
    check_reader()?;
    let mut beyond = Vec::new();
    for (what, features, bound) in BOUNDS {
        let mut command = cargo();
        command.args(["tree", "--package", "ebp-cli", "--edges", "normal,build"]);
        command.args(["--prefix", "none", "--format", "{p}\t{f}"]).args(features);
        let tree = output(&mut command)?;
        // A switch of tests that turns a page's defences off.
        if tree.contains("defences-off") {
            bail!("{what} has the feature `defences-off` of ebp-web, which is for tests");
        }
        let count = count(&tree);
        println!("{what}: {count} crates, at most {bound}");
        if count > bound {
            beyond.push(what);
        }
    }
    if beyond.is_empty() {
        return Ok(());
    }
    bail!("more crates than xtask/src/crates.rs allows: {}", beyond.join(", "))
}

/// The number that the documentation of the reading library states is true.
fn check_reader() -> Result<()> {
    let mut command = cargo();
    command.args(["tree", "--package", READER, "--no-default-features", "--edges", "normal"]);
    let tree = output(command.args(["--prefix", "none", "--format", "{p}"]))?;
    // Without itself.
    let count = count(&tree) - 1;
    println!("`{READER}` without features needs {count} crates");
    let stated = format!("needs {count} other crates");
    if !fs::read_to_string(READER_PAGE).context(READER_PAGE)?.contains(&stated) {
        bail!("{READER_PAGE} does not say that the crate {stated}");
    }
    Ok(())
}

/// Different crates; one that was shown before ends with `(*)`. Features follow a tab.
fn count(tree: &str) -> usize {
    let crates = tree
        .lines()
        .map(|line| line.trim_end_matches(" (*)").split('\t').next().unwrap_or_default());
    crates.filter(|line| !line.is_empty()).collect::<BTreeSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_crate_counts_once() {
        assert_eq!(
            count("ebp v0.1.0 (/x)\ta,b\nserde v1.0.0\t\nserde v1.0.0\t (*)\n\nserde v2.0.0\tc\n"),
            3
        );
    }
}
