//! What is to be exported.

use ebp_dataset::{
    Calendar, EnergyStep,
    files::{Decimal, Format},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::ExportError;

/// Measurements that are younger may still be on their way: requests under way, other servers' clocks.
pub const LEAST_AGE: SignedDuration = SignedDuration::from_mins(10);

/// How long rows of energy and balance last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resolution {
    /// A quarter of an hour.
    #[serde(rename = "PT15M")]
    Quarter,
    /// An hour.
    #[serde(rename = "PT1H")]
    Hour,
    /// A local day.
    #[serde(rename = "P1D")]
    Day,
}

impl Resolution {
    /// As ISO 8601 writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quarter => "PT15M",
            Self::Hour => "PT1H",
            Self::Day => "P1D",
        }
    }

    /// The length of rows.
    pub(super) const fn step(self) -> EnergyStep {
        match self {
            Self::Quarter => EnergyStep::Quarter,
            Self::Hour => EnergyStep::Hour,
            Self::Day => EnergyStep::Day,
        }
    }
}

/// What is to be exported. The same order, data and version make the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportOrder {
    /// The name of the set.
    pub name: String,
    /// Who publishes it.
    pub publisher: String,
    /// Measurements that were received later are left out.
    pub as_of: Timestamp,
    /// Intervals that begin earlier are left out.
    pub from: Option<Timestamp>,
    /// Intervals that begin then or later are left out.
    pub to: Option<Timestamp>,
    /// What the files are.
    pub format: Format,
    /// How long rows of energy and balance last.
    pub resolution: Resolution,
    /// Whether energies that are not measured are filled by a constant power, and marked.
    pub fill: bool,
    /// The time zone of local days (its IANA name).
    pub zone: String,
}

impl ExportOrder {
    /// Whether it can be carried out at `now`.
    ///
    /// # Errors
    /// [`ExportError::TooYoung`], [`ExportError::Empty`].
    pub fn check(&self, now: Timestamp) -> Result<(), ExportError> {
        if now.duration_since(self.as_of) < LEAST_AGE {
            return Err(ExportError::TooYoung(self.as_of));
        }
        match (self.from, self.to) {
            (Some(from), Some(to)) if from >= to => Err(ExportError::Empty),
            _ => Ok(()),
        }
    }

    /// The stretch, microseconds since the Unix epoch.
    pub(super) fn stretch(&self) -> (i64, i64) {
        let from = self.from.map_or(i64::MIN, Timestamp::as_microsecond);
        (from, self.to.map_or(i64::MAX, Timestamp::as_microsecond))
    }

    /// From the first interval that begins in the stretch to the end of the last such one,
    /// microseconds since the Unix epoch.
    pub(super) fn intervals(&self, calendar: &Calendar) -> Result<(i64, i64), ExportError> {
        let step = self.resolution.step();
        let edge = |at: Timestamp| calendar.first_from(step, at.as_microsecond());
        let from = self.from.map_or(Ok(i64::MIN), edge)?;
        Ok((from, self.to.map_or(Ok(i64::MAX), edge)?))
    }

    /// Whether a day, a gap or a reading that begins or lies then is wanted.
    pub(super) fn wants(&self, at: i64) -> bool {
        let (from, to) = self.stretch();
        from <= at && at < to
    }

    /// What decides about the bytes, for `EXPORT.json` and for continuing the same export.
    pub(super) fn parameters(&self) -> serde_json::Value {
        let decimal = match self.format {
            Format::Csv(Decimal::Comma) => Some("comma"),
            Format::Csv(Decimal::Point) => Some("point"),
            Format::Parquet => None,
        };
        serde_json::json!({
            "as_of": self.as_of,
            "from": self.from,
            "to": self.to,
            "format": self.format.extension(),
            "decimal": decimal,
            "resolution": self.resolution.name(),
            "fill": self.fill,
            "zone": self.zone,
            "zones_version": ebp_dataset::files::zones_version(),
            "near_s": ebp_dataset::Rules::NEAR / 1_000_000,
            "max_power_kw": 75.9,
            "name": self.name,
            "publisher": self.publisher,
            "version": env!("CARGO_PKG_VERSION"),
        })
    }
}
