//! Whether `datapackage.json` and `EXPORT.json` describe the files as they are made.
//!
//! Enters: both, as JSON. Leaves: the files that they agree upon, and findings. Absent: rows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::verdict::Verdict;
use crate::files::{
    column::{Table, Tier},
    metadata::{FileEntry, resource},
    table::tables_of,
    write::{Decimal, Format},
};

pub(super) const PACKAGE: &str = "datapackage.json";
pub(super) const EXPORT: &str = "EXPORT.json";

/// What `EXPORT.json` has of a file.
struct Counted<'a> {
    rows: u64,
    sha256: &'a str,
}

/// The files of a set whose months are files of their own if `by_month`.
pub(super) fn files(
    (tier, format, by_month): (Tier, Format, bool),
    (package, export): (&Value, &Value),
    verdict: &mut Verdict,
) -> Vec<FileEntry> {
    let mut counted = BTreeMap::new();
    for file in list(&export["files"]) {
        let path = file["path"].as_str().unwrap_or_default();
        let (Some(rows), Some(sha256)) = (file["rows"].as_u64(), file["sha256"].as_str()) else {
            verdict.add(EXPORT, None, format!("{path:?} lacks its rows or its hash"));
            continue;
        };
        if counted.insert(path, Counted { rows, sha256 }).is_some() {
            verdict.add(EXPORT, None, format!("it has {path} twice"));
        }
    }
    let mut files = Vec::new();
    let mut seen = BTreeSet::new();
    for described in list(&package["resources"]) {
        let path = described["path"].as_str().unwrap_or_default();
        let Some(table) = table_of(tier, path, (format, by_month)) else {
            verdict.add(PACKAGE, None, format!("{path:?} is no file of a table"));
            continue;
        };
        if !seen.insert(path) {
            verdict.add(PACKAGE, None, format!("it has {path} twice"));
            continue;
        }
        let Some(of) = counted.remove(path) else {
            verdict.add(EXPORT, None, format!("{path} is not in it"));
            continue;
        };
        let hash = described["hash"].as_str().unwrap_or_default();
        let sha256 = hash.strip_prefix("sha256:").unwrap_or(hash).to_owned();
        if of.sha256 != sha256 {
            verdict.add(path, None, "datapackage.json and EXPORT.json have other hashes");
        }
        let file = FileEntry { table, path: path.to_owned(), rows: of.rows, sha256 };
        for what in faults(described, &resource(format, &file)) {
            verdict.add(PACKAGE, None, format!("{path} is described with {what}"));
        }
        files.push(file);
    }
    for path in counted.keys() {
        verdict.add(EXPORT, None, format!("{path:?} is not in datapackage.json"));
    }
    for table in tables_of(tier).iter().filter(|table| !(table.by_month && by_month)) {
        if files.iter().all(|file| file.table != *table) {
            let path = format!("{}.{}", table.name, format.extension());
            verdict.add(&path, None, "every set has it, but datapackage.json does not");
        }
    }
    files
}

fn list(of: &Value) -> &[Value] {
    of.as_array().map_or(&[], Vec::as_slice)
}

/// The table that a file is of: `daily.csv`, `energy/2026-01.csv`.
fn table_of(tier: Tier, path: &str, (format, by_month): (Format, bool)) -> Option<&'static Table> {
    let stem = path.strip_suffix(format.extension())?.strip_suffix('.')?;
    let is_month = |name: &str| {
        let pattern = "0000-00";
        name.len() == pattern.len()
            && name.bytes().zip(pattern.bytes()).all(|(it, wanted)| match wanted {
                b'0' => it.is_ascii_digit(),
                other => it == other,
            })
    };
    tables_of(tier).iter().copied().find(|table| match stem.split_once('/') {
        Some((name, month)) => table.by_month && by_month && name == table.name && is_month(month),
        None => stem == table.name && !(table.by_month && by_month),
    })
}

/// How a description differs from that of a file of this program; other words for people do not.
fn faults(described: &Value, wanted: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let members = ["type", "format", "mediatype", "hash", "encoding", "dialect"];
    let other = |name: &&&str| described[**name] != wanted[**name];
    faults.extend(members.iter().filter(other).map(|name| format!("another {name}")));
    let (of, wanted) = (&described["schema"], &wanted["schema"]);
    for name in ["primaryKey", "foreignKeys", "missingValues"] {
        if of[name] != wanted[name] {
            faults.push(format!("another {name}"));
        }
    }
    let (of, wanted) = (list(&of["fields"]), list(&wanted["fields"]));
    if of.iter().map(|field| &field["name"]).ne(wanted.iter().map(|field| &field["name"])) {
        faults.push("other columns".to_owned());
        return faults;
    }
    for (of, wanted) in of.iter().zip(wanted) {
        for member in ["type", "unit", "format", "decimalChar"] {
            if of[member] != wanted[member] {
                let name = of["name"].as_str().unwrap_or_default();
                faults.push(format!("another {member} of {name}"));
            }
        }
    }
    faults
}

/// What the files are; nothing where they are nothing that is known here.
pub(super) fn format_of(package: &Value) -> Option<Format> {
    let first = list(&package["resources"]).first()?;
    match first["format"].as_str()? {
        "parquet" => Some(Format::Parquet),
        "csv" if first["dialect"]["delimiter"] == ";" => Some(Format::Csv(Decimal::Comma)),
        "csv" => Some(Format::Csv(Decimal::Point)),
        _ => None,
    }
}
