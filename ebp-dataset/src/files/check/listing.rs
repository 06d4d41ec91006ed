//! What a folder says of itself: `datapackage.json`, `SHA256SUMS`, `EXPORT.json`.

use std::{fs, path::Path};

use ebp_core::contract::EnergyStep;
use jiff::Timestamp;
use serde_json::Value;

use super::{
    described::{EXPORT, PACKAGE, files, format_of},
    verdict::Verdict,
};
use crate::{
    calendar::Calendar,
    files::{
        column::{Table, Tier},
        error::FileError,
        metadata::FileEntry,
        write::Format,
    },
};

pub(super) const SUMS: &str = "SHA256SUMS";
/// It is written when the release is confirmed, and names the digest of the sums.
pub(super) const CONFIRMED: &str = "RELEASE.json";

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
    /// What was received later is not in the set, microseconds since the Unix epoch.
    pub as_of: i64,
    /// How many households are in an internal set.
    pub households: Option<u64>,
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
        let Some(format) = format_of(&package) else {
            verdict.add(PACKAGE, None, "the files are neither Parquet nor CSV");
            return Ok(None);
        };
        if package["tier"] != export["tier"] {
            verdict.add(PACKAGE, None, "it has another tier than EXPORT.json");
        }
        let parameters = &export["parameters"];
        let resolution = parameters["resolution"].as_str();
        let is_quarterly = resolution == Some("PT15M");
        let by_month = tier != Tier::Internal || is_quarterly;
        let files = files((tier, format, by_month), (&package, &export), verdict);
        let step = match resolution {
            Some("P1D") => EnergyStep::Day,
            Some("PT1H") => EnergyStep::Hour,
            _ => EnergyStep::Quarter,
        };
        if tier == Tier::Internal && step == EnergyStep::Quarter && !is_quarterly {
            verdict.add(EXPORT, None, "it does not say how long rows last");
        }
        let calendar = if tier == Tier::Internal {
            let zone = parameters["zone"].as_str().unwrap_or_default();
            let calendar = Calendar::bundled(zone);
            if let Err(error) = &calendar {
                verdict.add(EXPORT, None, error.to_string());
            }
            calendar.ok()
        } else {
            None
        };
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
        let as_of = edge("as_of", i64::MAX);
        let households = export["households"]["exported"].as_u64();
        let release = export["release"].as_u64();
        let recipient = export["recipient"].as_str().map(str::to_owned);
        Ok(Some(Self {
            format,
            is_quarterly,
            step,
            calendar,
            stretch,
            as_of,
            households,
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
}

fn read_json(folder: &Path, name: &str) -> Result<Option<Value>, FileError> {
    let path = folder.join(name);
    let text = fs::read(&path).map_err(|error| FileError::system(&path, error))?;
    Ok(serde_json::from_slice(&text).ok())
}
