//! A measurement: the survey's data points of one meter at one instant (figure 4.8).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[cfg(feature = "openapi")]
use super::DataPoint;
use super::MeasurementData;

/// What is doubtful about a measurement. It is kept and sent all the same: whoever evaluates the
/// data decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Flag {
    /// An energy register shows less than it showed before.
    RegisterRanBackwards,
    /// A power is beyond what the meter can carry, or an energy register grew faster than it can.
    PowerOutOfRange,
    /// The device's clock was not synchronised when it measured; the time was set right afterwards.
    ClockCorrected,
}

impl Flag {
    /// All of them, in the order in which a measurement lists them.
    pub const ALL: [Self; 3] =
        [Self::RegisterRanBackwards, Self::PowerOutOfRange, Self::ClockCorrected];

    /// The name on the wire and in databases.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RegisterRanBackwards => "register-ran-backwards",
            Self::PowerOutOfRange => "power-out-of-range",
            Self::ClockCorrected => "clock-corrected",
        }
    }
}

/// What a meter showed at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Measurement {
    /// Identifies the measurement for ever; sending it again changes nothing. One of version 8 follows
    /// from the meter and its slot, which began at most 24 hours before; any other may be chosen.
    pub uuid: Uuid,
    /// The meter's identifier in the survey.
    pub meter: Uuid,
    /// When the telegram was complete, UTC.
    pub measured_at: Timestamp,
    /// The data points.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<DataPoint>))]
    pub data: MeasurementData,
    /// What is doubtful about it, each once; absent where nothing is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_named_as_on_the_wire() {
        for flag in Flag::ALL {
            assert_eq!(serde_json::to_value(flag).unwrap(), flag.name());
        }
    }
}
