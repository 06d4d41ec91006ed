//! How many crates the program is built of: printed, and bounded, so that one more is a decision.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::run::{cargo, output};

/// What is built, with which features, and of how many crates at most. Whoever raises a bound says
/// in the commit what the crate is for.
const BOUNDS: [(&str, &[&str], usize); 3] = [
    ("`ebp` with its default features", &[], 403),
    ("`ebp` for a device", &["--no-default-features", "--features", "device"], 214),
    (
        "`ebp` for a device with the participant's page",
        &["--no-default-features", "--features", "device,device-web"],
        249,
    ),
];

/// Counts the crates of each build, ours and those that build them included.
pub fn run() -> Result<()> {
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
