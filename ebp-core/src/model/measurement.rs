//! A measurement: the survey's data points of one meter at one instant (figure 4.8).

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[cfg(feature = "openapi")]
use super::DataPoint;
use super::MeasurementData;

/// A doubt about a measurement. The measurement is stored and sent regardless; the evaluation
/// decides whether to use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Flag {
    /// An energy register is lower than before.
    RegisterRanBackwards,
    /// A power exceeds what the meter can carry, or an energy register grew faster than possible.
    PowerOutOfRange,
    /// The device's clock was not synchronised when it measured; the time was corrected afterwards.
    ClockCorrected,
    /// Its instant may be off by up to 2 s. Without one of these three flags it is exact to a second.
    #[serde(rename = "time-within-2s")]
    TimeWithin2s,
    /// Its instant may be off by up to 5 s.
    #[serde(rename = "time-within-5s")]
    TimeWithin5s,
    /// Its instant may be off by up to 15 s.
    #[serde(rename = "time-within-15s")]
    TimeWithin15s,
    /// A value is from another register than its code names: from another channel, the sum of
    /// tariffs or phases, or a signed power that stands for the sum.
    CodeSubstituted,
    /// The telegram shows another meter's number than before, of which only the device knows. It is set
    /// until the exchange of the meter is registered, or the meter of before is back.
    AnotherMeter,
}

impl Flag {
    /// All of them, in the order in which a measurement lists them.
    pub const ALL: [Self; 8] = [
        Self::RegisterRanBackwards,
        Self::PowerOutOfRange,
        Self::ClockCorrected,
        Self::TimeWithin2s,
        Self::TimeWithin5s,
        Self::TimeWithin15s,
        Self::CodeSubstituted,
        Self::AnotherMeter,
    ];

    /// The flags that bound the error of an instant, the smallest first.
    const BOUNDS: [Self; 3] = [Self::TimeWithin2s, Self::TimeWithin5s, Self::TimeWithin15s];

    /// The name on the wire and in databases.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RegisterRanBackwards => "register-ran-backwards",
            Self::PowerOutOfRange => "power-out-of-range",
            Self::ClockCorrected => "clock-corrected",
            Self::TimeWithin2s => "time-within-2s",
            Self::TimeWithin5s => "time-within-5s",
            Self::TimeWithin15s => "time-within-15s",
            Self::CodeSubstituted => "code-substituted",
            Self::AnotherMeter => "another-meter",
        }
    }

    /// How far the instant of a measurement with this flag may be off; `None` for flags with
    /// another meaning.
    #[must_use]
    pub const fn time_bound(self) -> Option<Duration> {
        match self {
            Self::TimeWithin2s => Some(Duration::from_secs(2)),
            Self::TimeWithin5s => Some(Duration::from_secs(5)),
            Self::TimeWithin15s => Some(Duration::from_secs(15)),
            Self::RegisterRanBackwards
            | Self::PowerOutOfRange
            | Self::ClockCorrected
            | Self::CodeSubstituted
            | Self::AnotherMeter => None,
        }
    }

    /// The flag for an instant that may be off by that much; `None` if it is more than any flag
    /// covers.
    #[must_use]
    pub fn of_time_bound(off: Duration) -> Option<Self> {
        Self::BOUNDS.into_iter().find(|flag| flag.time_bound().is_some_and(|bound| off <= bound))
    }
}

/// The values of a meter at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Measurement {
    /// Identifies the measurement for ever; sending it again changes nothing. One of version 8 is
    /// computed from the meter and its slot, which began at most 24 hours before; any other may be
    /// chosen freely.
    pub uuid: Uuid,
    /// The meter's identifier in the survey.
    pub meter: Uuid,
    /// When the telegram was complete, UTC.
    pub measured_at: Timestamp,
    /// The data points.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<DataPoint>))]
    pub data: MeasurementData,
    /// Its flags, each once; absent if there are none.
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

    #[test]
    fn the_closest_bound_is_chosen() {
        let flag = |millis| Flag::of_time_bound(Duration::from_millis(millis));
        assert_eq!([flag(0), flag(2000)], [Some(Flag::TimeWithin2s); 2]);
        assert_eq!([flag(2001), flag(5000)], [Some(Flag::TimeWithin5s); 2]);
        assert_eq!([flag(15_000), flag(15_001)], [Some(Flag::TimeWithin15s), None]);
    }
}
