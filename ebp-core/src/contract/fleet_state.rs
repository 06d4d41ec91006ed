//! The states of devices, and the orders in which they are listed.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The state of a device: the first in this order that applies. All but the last three need
/// attention, the first ones most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FleetState {
    /// Consent is revoked, and the device sends requests still, a day and more after it was told.
    SpeaksOn,
    /// Consent is granted, and the device never sent a report.
    NeverSpoke,
    /// It sent no report for more than two report cycles.
    Silent,
    /// A report is missing, or the measurements of a meter.
    Late,
    /// A meter has an open incident, or shows another meter's number.
    Incident,
    /// Many telegrams of a meter are damaged, or more than before.
    Damaged,
    /// Its clock is not synchronised.
    Clock,
    /// Its spool is full, damaged, or holds the measurements of more than a day.
    Spool,
    /// A certificate ends within three weeks.
    Certificate,
    /// It runs another version than the newest of the fleet.
    VersionBehind,
    /// Nothing is wrong.
    Healthy,
    /// Consent is not granted: it measures nothing.
    NotGranted,
    /// Consent is revoked.
    Revoked,
}

impl FleetState {
    /// All of them, in their order.
    pub const ALL: [Self; 13] = [
        Self::SpeaksOn,
        Self::NeverSpoke,
        Self::Silent,
        Self::Late,
        Self::Incident,
        Self::Damaged,
        Self::Clock,
        Self::Spool,
        Self::Certificate,
        Self::VersionBehind,
        Self::Healthy,
        Self::NotGranted,
        Self::Revoked,
    ];

    /// Its name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SpeaksOn => "speaks-on",
            Self::NeverSpoke => "never-spoke",
            Self::Silent => "silent",
            Self::Late => "late",
            Self::Incident => "incident",
            Self::Damaged => "damaged",
            Self::Clock => "clock",
            Self::Spool => "spool",
            Self::Certificate => "certificate",
            Self::VersionBehind => "version-behind",
            Self::Healthy => "healthy",
            Self::NotGranted => "not-granted",
            Self::Revoked => "revoked",
        }
    }
}

impl fmt::Display for FleetState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name of no state.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "unknown state: there are speaks-on, never-spoke, silent, late, incident, damaged, clock, \
     spool, certificate, version-behind, healthy, not-granted and revoked"
)]
pub struct UnknownFleetState;

impl FromStr for FleetState {
    type Err = UnknownFleetState;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|state| state.name() == s).ok_or(UnknownFleetState)
    }
}

/// What a list of devices is ordered by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FleetSort {
    /// The state, what needs attention most first.
    #[default]
    State,
    /// The last report, the longest ago first; devices that never reported come before.
    LastReport,
    /// The oldest of the meters' latest measurements; devices without any come before.
    LastMeasurement,
    /// The participant's name; devices without a participant come first.
    Participant,
    /// The version, in the order of its characters.
    Version,
    /// The share of damaged telegrams.
    Damaged,
    /// The open incidents.
    Incidents,
    /// The end of the first certificate; devices without one come last.
    Certificate,
}

impl FleetSort {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::State,
        Self::LastReport,
        Self::LastMeasurement,
        Self::Participant,
        Self::Version,
        Self::Damaged,
        Self::Incidents,
        Self::Certificate,
    ];

    /// Its name in a query.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::LastReport => "last-report",
            Self::LastMeasurement => "last-measurement",
            Self::Participant => "participant",
            Self::Version => "version",
            Self::Damaged => "damaged",
            Self::Incidents => "incidents",
            Self::Certificate => "certificate",
        }
    }
}

impl fmt::Display for FleetSort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name of no order.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "unknown order: there are state, last-report, last-measurement, participant, version, damaged, \
     incidents and certificate"
)]
pub struct UnknownFleetSort;

impl FromStr for FleetSort {
    type Err = UnknownFleetSort;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|sort| sort.name() == s).ok_or(UnknownFleetSort)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_ones_on_the_wire() {
        for state in FleetState::ALL {
            assert_eq!(state.name().parse(), Ok(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
            assert!(UnknownFleetState.to_string().contains(state.name()));
        }
        assert!(FleetState::ALL.is_sorted());
        for sort in FleetSort::ALL {
            assert_eq!(sort.name().parse(), Ok(sort));
            assert!(UnknownFleetSort.to_string().contains(sort.name()));
        }
        assert_eq!("Silent".parse::<FleetState>(), Err(UnknownFleetState));
    }
}
