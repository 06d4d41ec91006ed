//! Incidents of meters (thesis tables 4.6 and 4.7, figure 4.15).

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A type of incident of a meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum IncidentType {
    /// The reading head's port is gone or cannot be opened.
    #[serde(rename = "SERIAL-PORT-UNAVAILABLE")]
    SerialPortUnavailable,
    /// The meter sends telegrams, but without the values of the survey; it may be locked.
    #[serde(rename = "OBIS-CODES-UNAVAILABLE")]
    ObisCodesUnavailable,
}

impl IncidentType {
    /// Both.
    pub const ALL: [Self; 2] = [Self::SerialPortUnavailable, Self::ObisCodesUnavailable];

    /// The constant's name (table 4.7).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SerialPortUnavailable => "SERIAL-PORT-UNAVAILABLE",
            Self::ObisCodesUnavailable => "OBIS-CODES-UNAVAILABLE",
        }
    }
}

impl fmt::Display for IncidentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of the two.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown incident type: there are SERIAL-PORT-UNAVAILABLE and OBIS-CODES-UNAVAILABLE")]
pub struct UnknownIncidentType;

impl FromStr for IncidentType {
    type Err = UnknownIncidentType;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.name() == s).ok_or(UnknownIncidentType)
    }
}

/// The failures that an incident consists of, as the device counted them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Failures {
    /// The first, if the time was known then.
    pub first: Option<Timestamp>,
    /// The last, likewise.
    pub last: Option<Timestamp>,
    /// The number of slots with a failure.
    pub slots: u32,
}

/// An incident of a meter. There is at most one of each type: if it is reported again after it was
/// resolved, it is open again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Incident {
    /// What is wrong.
    #[serde(rename = "type")]
    pub kind: IncidentType,
    /// When it began: at the first failure if the device knew the time then, otherwise when it was
    /// reported to the server.
    pub reported_at: Timestamp,
    /// When it ended: at the last failure, in the same way; absent while it is open.
    pub resolved_at: Option<Timestamp>,
}

impl Incident {
    /// Whether it is open.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.resolved_at.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_ones_on_the_wire() {
        for kind in IncidentType::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        assert_eq!("obis-codes-unavailable".parse::<IncidentType>(), Err(UnknownIncidentType));
    }
}
