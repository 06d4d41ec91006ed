//! Meters and photovoltaic systems (thesis table 4.1, figure 4.4).

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::metering::GenerationRegister;

/// What a meter counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum MeterType {
    /// What the household draws from and feeds into the grid.
    #[serde(rename = "ELECTRICITY")]
    Electricity,
    /// What its photovoltaic system generates.
    #[serde(rename = "PV-GENERATION")]
    PvGeneration,
}

impl MeterType {
    /// The constant's name (table 4.1).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Electricity => "ELECTRICITY",
            Self::PvGeneration => "PV-GENERATION",
        }
    }
}

/// A meter of a household.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Meter {
    /// Its identifier in the survey; not the number printed on it.
    pub uuid: Uuid,
    /// What it counts.
    #[serde(rename = "type")]
    pub kind: MeterType,
    /// The model's name, such as `MT175`.
    #[cfg_attr(
        feature = "openapi",
        schema(
            min_length = 1,
            max_length = 40,
            pattern = r"^(?:[^\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[^\x00-\u05ff\u061c\u180e\u2000-\u206f\ufeff\ufff9-\ufffb][\u200c\u200d])*[^\x00-\x20\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb](?:[^\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[^\x00-\u05ff\u061c\u180e\u2000-\u206f\ufeff\ufff9-\ufffb][\u200c\u200d])*$",
            examples("MT175")
        )
    )]
    pub model: String,
    /// The measurement device that reads it.
    pub measurement_device: Option<Uuid>,
    /// When it was removed, if it was: no measurements are expected after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_at: Option<Timestamp>,
    /// Which register of a generation meter counts what is generated; absent if it was not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation_register: Option<GenerationRegister>,
}

/// A photovoltaic system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PvSystem {
    /// Its identifier in the survey.
    pub uuid: Uuid,
    /// Nominal power, kWp.
    #[serde(with = "crate::exact")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0.001, maximum = 10000, examples(7.48)))]
    pub nominal_power: Decimal,
    /// Azimuth, degrees clockwise from north.
    #[serde(with = "crate::exact")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, exclusive_maximum = 360, examples(180)))]
    pub azimuth: Decimal,
    /// Tilt, degrees from the horizontal.
    #[serde(with = "crate::exact")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 90, examples(35)))]
    pub tilt: Decimal,
    /// When it was installed.
    pub installed_on: Date,
    /// The generation meter it is connected to.
    pub meter: Option<Uuid>,
}
