//! Whether a folder holds what its descriptions say: types, keys, missing values, order, rows for
//! each interval, sums, hashes, references, balances, and tables that agree with each other.
//!
//! Enters: a folder. Leaves: findings that name file and row. Absent: where the data came from.

mod cells;
mod confirmation;
mod counts;
mod described;
mod ends;
mod facts;
mod feed;
mod growth;
mod hashes;
mod listing;
mod names;
mod public;
mod release;
mod row;
mod slots;
mod sums;
mod together;
mod verdict;

use std::{collections::BTreeSet, fs, path::Path};

use super::{column::Tier, digest::hash_file, error::FileError, read::read_rows};
use crate::release::{Check, Rule};
use confirmation::Stated;
use counts::{Counts, check_flags};
use described::EXPORT;
use growth::Growth;
use listing::{CONFIRMED, Listing, SUMS};
use names::Names;
use row::RowCheck;
use slots::Slots;
use sums::DaySums;

pub use confirmation::{Confirmation, ReleaseSignature, is_signed_by, signed_text};
pub use release::{ReleaseFacts, check_release};
pub use verdict::{Finding, Verdict};

/// The result of each rule of a release.
const CHECKS: &str = "RELEASE-CHECK.json";

/// Checks a folder.
///
/// # Errors
/// [`FileError::System`] where the folder's descriptions cannot be read; whatever else is wrong is a
/// finding.
pub fn check_folder(folder: &Path) -> Result<Verdict, FileError> {
    let mut verdict = Verdict::default();
    let Some(listing) = Listing::read(folder, &mut verdict)? else { return Ok(verdict) };
    hashes::check(folder, &listing, &mut verdict)?;
    let mut names = Names::default();
    let mut sums = DaySums::default();
    let mut growth = Growth::default();
    let mut counts = Counts::default();
    let calendar = listing.calendar.clone();
    let mut slots = calendar.map(|calendar| Slots::new(calendar, listing.step));
    // Households and meters come first: the others refer to them.
    let mut broken = BTreeSet::new();
    let first = |name: &str| !matches!(name, "households" | "meters");
    let mut files: Vec<_> = listing.files.iter().collect();
    files.sort_by_key(|file| (first(file.table.name), file.path.as_str()));
    for file in files {
        let mut check = RowCheck::new(file);
        let read = read_rows(
            &folder.join(&file.path),
            file.table,
            listing.format,
            &mut |number, values| {
                check.check(number, values, &names, &mut verdict);
                if let Some(what) = slots.as_mut().and_then(|it| it.check(file.table, values)) {
                    verdict.add(&file.path, Some(number), what);
                }
                if listing.tier == Tier::Internal {
                    for what in facts::faults(file.table, values, &names, &listing) {
                        verdict.add(&file.path, Some(number), what);
                    }
                }
                names.note(file.table, values);
                sums.note(file.table, values);
                growth.note(file.table, values);
                counts.note(file.table, values);
                verdict.rows += 1;
            },
        );
        if read.is_err() {
            broken.insert(file.table.name);
        }
        match read {
            Ok(()) => verdict.files += 1,
            Err(FileError::Csv { row, message, .. }) => {
                verdict.add(&file.path, Some(row).filter(|row| *row > 0), message);
            }
            Err(FileError::Parquet { message, .. }) => verdict.add(&file.path, None, message),
            Err(error) => verdict.add(&file.path, None, error.to_string()),
        }
        if check.rows() != file.rows {
            let what = format!("it has {} rows, not {} as described", check.rows(), file.rows);
            verdict.add(&file.path, None, what);
        }
    }
    if listing.tier != Tier::Internal {
        check_rules(folder, &listing, &mut verdict)?;
        return Ok(verdict);
    }
    if let Some(slots) = &slots {
        ends::compare(slots, &names, &listing, &broken, &mut verdict);
        if !broken.contains("energy") && !broken.contains("meters") {
            counts.compare((folder, &listing), (slots, &names), &mut verdict);
        }
    }
    let households = names.households().count();
    if listing.households != u64::try_from(households).ok() {
        let what = format!("it does not say that {households} households are exported");
        verdict.add(EXPORT, None, what);
    }
    if names.consents != households {
        let file = format!("consents.{}", listing.format.extension());
        verdict.add(&file, None, "not every household has a consent");
    }
    check_flags(folder, &names, &mut verdict);
    together::compare(folder, &listing, &names, &mut growth, &mut verdict)?;
    if listing.is_quarterly {
        let file = format!("daily.{}", listing.format.extension());
        sums.compare(&file, &mut verdict);
    }
    Ok(verdict)
}

/// The rules of a release, counted again, and what was written down when it was made.
fn check_rules(folder: &Path, listing: &Listing, verdict: &mut Verdict) -> Result<(), FileError> {
    let (checks, _) = check_release(folder, listing.tier, listing.format, &listing.files)?;
    for check in checks.iter().filter(|check| !check.passed) {
        let what = format!("rule {:?} is broken: {}", check.rule, check.found);
        verdict.add(CHECKS, None, what);
    }
    let path = folder.join(CHECKS);
    let text = fs::read(&path).map_err(|error| FileError::system(&path, error))?;
    let written: Vec<Check> = serde_json::from_slice::<serde_json::Value>(&text)
        .ok()
        .and_then(|mut all| serde_json::from_value(all["checks"].take()).ok())
        .unwrap_or_default();
    for rule in Rule::ALL {
        match written.iter().find(|check| check.rule == rule) {
            Some(check) if check.passed => {}
            Some(check) => verdict.add(CHECKS, None, format!("{rule:?}: {}", check.found)),
            None => verdict.add(CHECKS, None, format!("{rule:?} was not checked")),
        }
    }
    let path = folder.join(CONFIRMED);
    if !path.exists() {
        let what = "it is a draft: a second person has to run `ebp export confirm`";
        verdict.add(CONFIRMED, None, what);
        return Ok(());
    }
    let text = fs::read(&path).map_err(|error| FileError::system(&path, error))?;
    let digest = hash_file(&folder.join(SUMS))?;
    let stated = Stated {
        release: listing.release,
        tier: listing.tier,
        recipient: listing.recipient.as_deref(),
        digest: &digest,
    };
    for what in confirmation::compare(&text, &stated) {
        verdict.add(CONFIRMED, None, what);
    }
    Ok(())
}
