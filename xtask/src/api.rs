//! `cargo xtask api`: every public item of the library crates, in `docs/api/`, so that a change of what
//! others build on shows in the diff.
//!
//! Enters: the crates' sources. Leaves: a page a crate, one line an item; a breach for each page that
//! differs. Absent: what only a compiler knows, such as types that are inferred and implementations
//! that macros or blankets make. It is read from the sources, so it takes a second and no nightly Rust.

mod line;
mod page;

use std::{fs, path::Path};

use anyhow::{Context, Result};

/// The crates that others may build on.
const LIBRARIES: [&str; 14] = [
    "ebp-anon",
    "ebp-client",
    "ebp-core",
    "ebp-dataset",
    "ebp-device",
    "ebp-errors",
    "ebp-fleet",
    "ebp-meter",
    "ebp-publish",
    "ebp-release",
    "ebp-server",
    "ebp-store",
    "ebp-survey",
    "ebp-update",
];

/// Where the pages are.
const FOLDER: &str = "docs/api";

/// Writes all pages anew.
pub fn run() -> Result<()> {
    fs::create_dir_all(FOLDER).context(FOLDER)?;
    for library in LIBRARIES {
        let (path, text) = page(library)?;
        fs::write(&path, text).context(path)?;
    }
    Ok(())
}

/// The pages that are not as the sources have it.
pub fn breaches() -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    for library in LIBRARIES {
        let (path, text) = page(library)?;
        let before = fs::read_to_string(&path).unwrap_or_default();
        if before != text {
            let missing = text.lines().find(|line| !before.lines().any(|known| known == *line));
            let gone = before.lines().find(|line| !text.lines().any(|known| known == *line));
            let shown = missing.or(gone).unwrap_or("their order");
            breaches.push(format!(
                "{path}: the public items of {library} have changed ({shown}): `cargo xtask api`, and \
                 look at the diff"
            ));
        }
    }
    Ok(breaches)
}

fn page(library: &str) -> Result<(String, String)> {
    let root = Path::new(library).join("src/lib.rs");
    Ok((format!("{FOLDER}/{library}.txt"), page::page(library, &root)?))
}
