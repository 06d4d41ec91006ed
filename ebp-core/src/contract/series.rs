//! A household's energy by quarter hours, hours, days and months, and its figures.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::MeterType;

/// A number to its last digit: kWh, or a share of 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExactNumber(#[serde(with = "crate::exact")] pub Decimal);

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for ExactNumber {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::{ObjectBuilder, Type};
        ObjectBuilder::new()
            .schema_type(Type::Number)
            .description(Some("A number to its last digit: kWh, or a share of 1"))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for ExactNumber {}

/// How long each row of a series is (ISO 8601).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EnergyStep {
    /// A quarter of an hour.
    #[serde(rename = "PT15M")]
    Quarter,
    /// An hour.
    #[serde(rename = "PT1H")]
    Hour,
    /// A day of the time zone: 23 to 25 hours.
    #[serde(rename = "P1D")]
    Day,
    /// A month of the time zone.
    #[serde(rename = "P1M")]
    Month,
}

impl EnergyStep {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Quarter, Self::Hour, Self::Day, Self::Month];

    /// The name in queries and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quarter => "PT15M",
            Self::Hour => "PT1H",
            Self::Day => "P1D",
            Self::Month => "P1M",
        }
    }
}

/// The least and the greatest energy that the readings allow, kWh.
pub type EnergyBounds = [ExactNumber; 2];

/// A household's energy, a row for each step. Columns have as many entries as `starts`; null is what
/// is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnergySeries {
    /// When the first row begins.
    pub from: Timestamp,
    /// When the last row ends.
    pub to: Timestamp,
    /// How long each row is.
    pub step: EnergyStep,
    /// The time zone whose hours, days and months these are.
    pub zone: String,
    /// When each row begins.
    pub starts: Vec<Timestamp>,
    /// What was drawn from the grid, kWh.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Option<f64>>))]
    pub import: Vec<Option<ExactNumber>>,
    /// What was fed into the grid, kWh.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Option<f64>>))]
    pub export: Vec<Option<ExactNumber>>,
    /// What was generated, kWh.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Option<f64>>))]
    pub generation: Vec<Option<ExactNumber>>,
    /// The share of the row's quarter hours so far in which all of these are measured; null for a row
    /// that lies in the future.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Option<f64>>))]
    pub coverage: Vec<Option<ExactNumber>>,
    /// What is to be known of each row besides: bit 0 is the first of `flag_names`.
    pub flags: Vec<u16>,
    /// What each bit means.
    pub flag_names: Vec<String>,
    /// Why what is generated and consumed is not known; absent where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topology: Option<String>,
    /// What the registration does not say and was assumed: `metering_concept`, `battery`,
    /// `generation_register`. Absent where nothing was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<String>,
    /// Bounds of the energies, if they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds: Option<SeriesBounds>,
    /// Each meter's energies, if they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meters: Option<Vec<MeterEnergy>>,
}

/// The bounds of a household's energies, in the order of `starts`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeriesBounds {
    /// Of what was drawn.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Option<Vec<f64>>>))]
    pub import: Vec<Option<EnergyBounds>>,
    /// Of what was fed in.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Option<Vec<f64>>>))]
    pub export: Vec<Option<EnergyBounds>>,
    /// Of what was generated.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Option<Vec<f64>>>))]
    pub generation: Vec<Option<EnergyBounds>>,
}

/// A meter's energies, in the order of the series' `starts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MeterEnergy {
    /// The meter.
    pub meter: Uuid,
    /// What it counts.
    #[serde(rename = "type")]
    pub kind: MeterType,
    /// What 1.8.0 grew by, kWh.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Option<f64>>))]
    pub import: Vec<Option<ExactNumber>>,
    /// What 2.8.0 grew by, kWh.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Option<f64>>))]
    pub export: Vec<Option<ExactNumber>>,
    /// As of the household, of the register that is measured more often.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Option<f64>>))]
    pub coverage: Vec<Option<ExactNumber>>,
    /// As of the household.
    pub flags: Vec<u16>,
    /// Bounds of 1.8.0, if they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<Option<Vec<f64>>>>))]
    pub import_bounds: Option<Vec<Option<EnergyBounds>>>,
    /// Bounds of 2.8.0, if they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<Option<Vec<f64>>>>))]
    pub export_bounds: Option<Vec<Option<EnergyBounds>>>,
}

/// A household's figures of a stretch of days: what is known of it. Null is what is not known; `reasons`
/// says why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnergySummary {
    /// Its first midnight.
    pub from: Timestamp,
    /// Its last midnight.
    pub to: Timestamp,
    /// The time zone whose days these are.
    pub zone: String,
    /// Whether the energies are those of the whole stretch; otherwise they are of the part that is
    /// known.
    pub complete: bool,
    /// Quarter hours of the stretch between the household's first measurement and now.
    pub quarters: i64,
    /// In how many of them everything is measured.
    pub measured: i64,
    /// The share of these.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>))]
    pub coverage: Option<ExactNumber>,
    /// Drawn from the grid, kWh.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>))]
    pub import: Option<ExactNumber>,
    /// Fed into the grid, kWh.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>))]
    pub export: Option<ExactNumber>,
    /// Generated, kWh.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>))]
    pub generation: Option<ExactNumber>,
    /// Consumed, kWh: import + generation - export.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>))]
    pub consumption: Option<ExactNumber>,
    /// Consumed of what was generated, kWh: generation - export. It may be negative by the meters'
    /// accuracy.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>))]
    pub self_consumption: Option<ExactNumber>,
    /// Self-consumption by consumption.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>))]
    pub autarky: Option<ExactNumber>,
    /// Self-consumption by generation.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>))]
    pub self_consumption_share: Option<ExactNumber>,
    /// The least and the greatest `import` of the whole stretch.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<f64>>))]
    pub import_bounds: Option<EnergyBounds>,
    /// The same of `export`.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<f64>>))]
    pub export_bounds: Option<EnergyBounds>,
    /// The same of `generation`.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<f64>>))]
    pub generation_bounds: Option<EnergyBounds>,
    /// Why a member is null, by its name.
    pub reasons: BTreeMap<String, String>,
    /// Whether the household has a battery: then self-consumption includes what it loses.
    pub has_battery: bool,
    /// What the registration does not say and was assumed: as of the series.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<String>,
    /// What is to be known besides, by name.
    pub flags: Vec<String>,
}
