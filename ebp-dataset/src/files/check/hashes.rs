//! Whether `SHA256SUMS` names each file of the folder once, with the hash that it has.
//!
//! Enters: a folder, its descriptions. Leaves: findings. Absent: what the files hold.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Component, Path},
};

use super::{
    described::{EXPORT, PACKAGE},
    listing::{CONFIRMED, Listing, SUMS},
    verdict::Verdict,
};
use crate::files::{column::Tier, digest::hash_file, error::FileError};

/// Files of every set, beside those of its tables.
const DESCRIPTIONS: [&str; 7] = [
    "CITATION.cff",
    EXPORT,
    "LICENSE.md",
    "README.md",
    "croissant.json",
    PACKAGE,
    "oemetadata.json",
];
/// Files of an internal set.
const LISTS: [&str; 3] = ["QUALITY.md", "flags.csv", "quality.csv"];

/// Compares each file with its hash, and the list with what is there.
pub(super) fn check(
    folder: &Path,
    listing: &Listing,
    verdict: &mut Verdict,
) -> Result<(), FileError> {
    let path = folder.join(SUMS);
    let text = fs::read_to_string(&path).map_err(|error| FileError::system(&path, error))?;
    let mut sums = BTreeMap::new();
    for (number, line) in (1..).zip(text.split_terminator('\n')) {
        let Some((hash, name)) = read_line(line) else {
            verdict.add(SUMS, Some(number), "it is no hash with the name of a file in the set");
            continue;
        };
        if sums.insert(name, hash).is_some() {
            verdict.add(SUMS, Some(number), format!("it names {name} again"));
        }
    }
    let (names, others) = names_in(folder)?;
    for other in &others {
        verdict.add(other, None, "it is no file and no folder, but a link or a device");
    }
    for (name, hash) in &sums {
        if !names.iter().any(|there| there == name) {
            verdict.add(name, None, "it is missing");
        } else if hash_file(&folder.join(name))? != *hash {
            verdict.add(name, None, "its content is not that of SHA256SUMS");
        }
    }
    for file in &listing.files {
        if sums.get(file.path.as_str()).copied() != Some(file.sha256.as_str()) {
            verdict.add(&file.path, None, "datapackage.json and SHA256SUMS have other hashes");
        }
    }
    for name in &names {
        let is_confirmation = name == CONFIRMED && listing.tier != Tier::Internal;
        if name != SUMS && !is_confirmation && !sums.contains_key(name.as_str()) {
            verdict.add(name, None, "it is not in SHA256SUMS");
        }
    }
    let lists = LISTS.iter().filter(|_| listing.tier == Tier::Internal);
    for name in DESCRIPTIONS.iter().chain(lists) {
        if !sums.contains_key(name) {
            verdict.add(name, None, "every set has it, but SHA256SUMS does not");
        }
    }
    Ok(())
}

/// Hash and name, as `sha256sum` writes them of a file below the folder.
fn read_line(line: &str) -> Option<(&str, &str)> {
    let (hash, name) = line.split_once("  ")?;
    let is_hash =
        hash.len() == 64 && hash.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
    let parts: Vec<_> = Path::new(name).components().collect();
    let is_below = !parts.is_empty() && parts.iter().all(|it| matches!(it, Component::Normal(_)));
    (is_hash && is_below).then_some((hash, name))
}

/// The files below a folder, as paths within it, and what is neither file nor folder. No link is
/// followed.
pub(super) fn names_in(root: &Path) -> Result<(Vec<String>, Vec<String>), FileError> {
    let (mut names, mut others) = (Vec::new(), Vec::new());
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = |error: io::Error| FileError::system(&folder, error);
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            let path = entry.path();
            if kind.is_dir() {
                folders.push(path);
                continue;
            }
            let Ok(within) = path.strip_prefix(root) else { continue };
            let list = if kind.is_file() { &mut names } else { &mut others };
            list.push(within.to_string_lossy().into_owned());
        }
    }
    names.sort();
    others.sort();
    Ok((names, others))
}
