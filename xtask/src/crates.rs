//! How many crates the program is built of: printed, and bounded, so that one more is a decision.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::run::{cargo, output};

/// What is built, with which features, and of how many crates at most. Whoever raises a bound says
/// in the commit what the crate is for.
const BOUNDS: [(&str, &[&str], usize); 3] = [
    ("`ebp` with its default features", &[], 391),
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
        command.args(["--prefix", "none", "--format", "{p}"]).args(features);
        let count = count(&output(&mut command)?);
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

/// Different lines; one that was shown before ends with `(*)`.
fn count(tree: &str) -> usize {
    let lines =
        tree.lines().map(|line| line.trim_end_matches(" (*)")).filter(|line| !line.is_empty());
    lines.collect::<BTreeSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_crate_counts_once() {
        assert_eq!(count("ebp v0.1.0 (/x)\nserde v1.0.0\nserde v1.0.0 (*)\n\nserde v2.0.0\n"), 3);
    }
}
