//! The survey's data set as a job exports it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::TimeBound;

/// What is to be exported; the same data and request make the same bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ExportRequest {
    /// Measurements that were received later are left out: 10 minutes before the request at the
    /// latest, which is the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    /// Intervals that begin earlier are left out: an instant, or a day of the survey's time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(inline))]
    pub from: Option<TimeBound>,
    /// Intervals that begin then, on that day, or later are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(inline))]
    pub to: Option<TimeBound>,
    /// What the files are.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(inline))]
    pub format: ExportFormat,
    /// How long rows of energy and balance last.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(inline))]
    pub resolution: ExportResolution,
    /// Whether energies that are not measured are filled by a constant power, and marked.
    #[serde(default)]
    pub fill: bool,
    /// The name of the set; by default `ebp-` and the day of `as_of`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 60, pattern = "^[a-z0-9][a-z0-9.-]*$")
    )]
    pub name: Option<String>,
    /// Who publishes it, for citations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(
            min_length = 1,
            max_length = 200,
            pattern = r"^(?:[^\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[^\x00-\u05ff\u061c\u180e\u2000-\u206f\ufeff\ufff9-\ufffb][\u200c\u200d])*$"
        )
    )]
    pub publisher: Option<String>,
}

/// What the files of an export are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ExportFormat {
    /// Parquet.
    #[default]
    Parquet,
    /// CSV with a decimal point.
    Csv,
    /// CSV with semicolons and a decimal comma, for spreadsheets set to German.
    CsvComma,
}

/// How long rows of energy and balance last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ExportResolution {
    /// A quarter of an hour.
    #[default]
    #[serde(rename = "15m")]
    Quarter,
    /// An hour.
    #[serde(rename = "1h")]
    Hour,
    /// A local day.
    #[serde(rename = "1d")]
    Day,
}

/// The result of an export: the archive that can be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExportReport {
    /// The name of the set, which is the archive's one folder.
    pub name: String,
    /// Measurements that were received later are not in it.
    pub as_of: Timestamp,
    /// Households in it.
    pub households: u64,
    /// Rows in all tables.
    pub rows: u64,
    /// Files of tables.
    pub files: u64,
    /// How long the archive is, octets.
    pub octets: u64,
    /// The archive's SHA-256, hexadecimal digits.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[0-9a-f]{64}$"))]
    pub sha256: String,
}
