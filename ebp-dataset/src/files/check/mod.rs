//! Whether a folder holds what its descriptions say: types, keys, missing values, order, sums,
//! hashes, references, balances.
//!
//! Enters: a folder. Leaves: findings that name file and row. Absent: where the data came from.

mod listing;
mod row;
mod sums;

use std::{collections::HashSet, path::Path};

use super::{error::FileError, read::read_rows};
use listing::Listing;
use row::RowCheck;
use sums::DaySums;

/// Findings of one file that are kept; a file of which nothing is right has as many as rows.
const MOST: usize = 20;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file, as a path within the folder.
    pub file: String,
    /// The row, from 1 without the header; nothing where the file as a whole is meant.
    pub row: Option<u64>,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.row {
            Some(row) => write!(f, "{}, row {row}: {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

/// What was checked, and what is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Files whose rows were read.
    pub files: usize,
    /// Rows that were read.
    pub rows: u64,
    /// What is wrong; nothing is where this is empty.
    pub findings: Vec<Finding>,
}

impl Verdict {
    fn add(&mut self, file: &str, row: Option<u64>, what: impl Into<String>) {
        let of_file = self.findings.iter().rev().take_while(|finding| finding.file == file);
        if of_file.count() < MOST {
            self.findings.push(Finding { file: file.to_owned(), row, what: what.into() });
        }
    }
}

/// Checks a folder.
///
/// # Errors
/// [`FileError::System`] where the folder's descriptions cannot be read; whatever else is wrong is a
/// finding.
pub fn check_folder(folder: &Path) -> Result<Verdict, FileError> {
    let mut verdict = Verdict::default();
    let Some(listing) = Listing::read(folder, &mut verdict)? else { return Ok(verdict) };
    listing.check_hashes(folder, &mut verdict)?;
    let mut names = Names::default();
    let mut sums = DaySums::default();
    // Households and meters come first: the others refer to them.
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
                names.note(file.table.name, values);
                sums.note(file.table, values);
                verdict.rows += 1;
            },
        );
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
    if listing.is_quarterly {
        let file = format!("daily.{}", listing.format.extension());
        sums.compare(&file, &mut verdict);
    }
    Ok(verdict)
}

/// Households and meters that there are.
#[derive(Debug, Default)]
struct Names {
    households: HashSet<String>,
    meters: HashSet<String>,
}

impl Names {
    fn note(&mut self, table: &str, values: &[super::Value]) {
        let name = values.first().and_then(|value| value.text());
        match (table, name) {
            ("households", Some(name)) => _ = self.households.insert(name.to_owned()),
            ("meters", Some(name)) => _ = self.meters.insert(name.to_owned()),
            _ => {}
        }
    }

    fn has(&self, table: &str, name: &str) -> bool {
        match table {
            "households" => self.households.contains(name),
            _ => self.meters.contains(name),
        }
    }
}
