//! What a folder says of itself: `datapackage.json`, `SHA256SUMS`, `EXPORT.json`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

use ebp_core::contract::EnergyStep;
use jiff::Timestamp;
use serde_json::Value;

use super::verdict::Verdict;
use crate::{
    calendar::Calendar,
    files::{
        column::{Table, Tier},
        digest::hash_file,
        error::FileError,
        metadata::FileEntry,
        table::tables_of,
        write::{Decimal, Format},
    },
};

const PACKAGE: &str = "datapackage.json";
pub(super) const SUMS: &str = "SHA256SUMS";
const EXPORT: &str = "EXPORT.json";
/// It is written when the release is confirmed, and names the digest of the sums.
const CONFIRMED: &str = "RELEASE.json";

/// The files of a folder.
pub(super) struct Listing {
    pub format: Format,
    /// Whether rows of energy and balance are quarter hours.
    pub is_quarterly: bool,
    /// How long they last.
    pub step: EnergyStep,
    /// The days of an internal set; a release is cut by rules of its own.
    pub calendar: Option<Calendar>,
    /// From when on and before when rows of an internal set begin, microseconds since the Unix
    /// epoch.
    pub stretch: (i64, i64),
    pub tier: Tier,
    /// The number of a release.
    pub release: Option<u64>,
    /// Whom a release is for.
    pub recipient: Option<String>,
    pub files: Vec<FileEntry>,
}

impl Listing {
    /// Nothing where the descriptions are not what they should be, which is a finding.
    pub fn read(folder: &Path, verdict: &mut Verdict) -> Result<Option<Self>, FileError> {
        if folder.join(".export").exists() {
            verdict.add(".export", None, "the export is not finished: run it again");
            return Ok(None);
        }
        let package = read_json(folder, PACKAGE)?;
        let export = read_json(folder, EXPORT)?;
        let (Some(package), Some(export)) = (package, export) else {
            verdict.add(PACKAGE, None, "it or EXPORT.json is no JSON");
            return Ok(None);
        };
        let Some(tier) = export["tier"].as_str().and_then(Tier::from_name) else {
            verdict.add(EXPORT, None, "it does not say the tier");
            return Ok(None);
        };
        let resources = package["resources"].as_array().cloned().unwrap_or_default();
        let rows: BTreeMap<&str, u64> = export["files"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|file| Some((file["path"].as_str()?, file["rows"].as_u64()?)))
            .collect();
        let mut files = Vec::new();
        for resource in &resources {
            let path = resource["path"].as_str().unwrap_or_default().to_owned();
            let Some(table) = table_of(tier, &path) else {
                verdict.add(PACKAGE, None, format!("{path:?} is no file of a table"));
                continue;
            };
            let described: BTreeSet<&str> = resource["schema"]["fields"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|field| field["name"].as_str())
                .collect();
            let declared = table.columns.iter().map(|column| column.name).collect();
            if described != declared {
                verdict.add(PACKAGE, None, format!("{path} is described with other columns"));
            }
            let hash = resource["hash"].as_str().unwrap_or_default();
            let sha256 = hash.strip_prefix("sha256:").unwrap_or(hash).to_owned();
            let Some(rows) = rows.get(path.as_str()).copied() else {
                verdict.add(EXPORT, None, format!("{path} is not in it"));
                continue;
            };
            files.push(FileEntry { table, path, rows, sha256 });
        }
        let Some(format) = format_of(&resources) else {
            verdict.add(PACKAGE, None, "the files are neither Parquet nor CSV");
            return Ok(None);
        };
        let step = match export["parameters"]["resolution"].as_str() {
            Some("P1D") => EnergyStep::Day,
            Some("PT1H") => EnergyStep::Hour,
            _ => EnergyStep::Quarter,
        };
        let is_quarterly = export["parameters"]["resolution"].as_str() == Some("PT15M");
        let calendar = if tier == Tier::Internal {
            let zone = export["parameters"]["zone"].as_str().unwrap_or_default();
            let calendar = Calendar::bundled(zone);
            if let Err(error) = &calendar {
                verdict.add(EXPORT, None, error.to_string());
            }
            calendar.ok()
        } else {
            None
        };
        let parameters = &export["parameters"];
        let mut edge = |name: &str, open: i64| match &parameters[name] {
            Value::Null => open,
            at => at.as_str().and_then(|at| at.parse::<Timestamp>().ok()).map_or_else(
                || {
                    verdict.add(EXPORT, None, format!("{name} is no instant"));
                    open
                },
                Timestamp::as_microsecond,
            ),
        };
        let stretch = (edge("from", i64::MIN), edge("to", i64::MAX));
        let release = export["release"].as_u64();
        let recipient = export["recipient"].as_str().map(str::to_owned);
        Ok(Some(Self {
            format,
            is_quarterly,
            step,
            calendar,
            stretch,
            tier,
            release,
            recipient,
            files,
        }))
    }

    /// The paths of a table's files.
    pub fn files_of(&self, table: &'static Table) -> impl Iterator<Item = &str> {
        let files = self.files.iter().filter(move |file| file.table == table);
        files.map(|file| file.path.as_str())
    }

    /// Whether that path is a file of the set.
    pub fn has(&self, path: &str) -> bool {
        self.files.iter().any(|file| file.path == path)
    }

    /// Compares each file with its hash, and the list with what is there.
    pub fn check_hashes(&self, folder: &Path, verdict: &mut Verdict) -> Result<(), FileError> {
        let path = folder.join(SUMS);
        let sums = fs::read_to_string(&path).map_err(|error| FileError::system(&path, error))?;
        let sums: BTreeMap<&str, &str> = sums
            .lines()
            .filter_map(|line| line.split_once("  ").map(|(hash, name)| (name, hash)))
            .collect();
        for (name, hash) in &sums {
            let path = folder.join(name);
            if !path.is_file() {
                verdict.add(name, None, "it is missing");
            } else if hash_file(&path)? != *hash {
                verdict.add(name, None, "its content is not that of SHA256SUMS");
            }
        }
        for file in &self.files {
            if sums.get(file.path.as_str()).copied() != Some(file.sha256.as_str()) {
                verdict.add(&file.path, None, "datapackage.json and SHA256SUMS have other hashes");
            }
        }
        for name in names_in(folder, folder)? {
            let is_confirmation = name == CONFIRMED && self.tier != Tier::Internal;
            if name != SUMS && !is_confirmation && !sums.contains_key(name.as_str()) {
                verdict.add(&name, None, "it is not in SHA256SUMS");
            }
        }
        Ok(())
    }
}

fn read_json(folder: &Path, name: &str) -> Result<Option<Value>, FileError> {
    let path = folder.join(name);
    let text = fs::read(&path).map_err(|error| FileError::system(&path, error))?;
    Ok(serde_json::from_slice(&text).ok())
}

fn table_of(tier: Tier, path: &str) -> Option<&'static Table> {
    let stem = path.split(['/', '.']).next()?;
    let is_inside = path.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
    tables_of(tier).iter().copied().find(|table| table.name == stem && is_inside)
}

fn format_of(resources: &[Value]) -> Option<Format> {
    let first = resources.first()?;
    match first["format"].as_str()? {
        "parquet" => Some(Format::Parquet),
        "csv" if first["dialect"]["delimiter"] == ";" => Some(Format::Csv(Decimal::Comma)),
        "csv" => Some(Format::Csv(Decimal::Point)),
        _ => None,
    }
}

/// The files below a folder, as paths within the first one.
fn names_in(root: &Path, folder: &Path) -> Result<Vec<String>, FileError> {
    let failed = |error: io::Error| FileError::system(folder, error);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            names.extend(names_in(root, &path)?);
        } else if let Ok(within) = path.strip_prefix(root) {
            names.push(within.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}
