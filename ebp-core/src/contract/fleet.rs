//! Bodies of `/management/fleet` and of a device's coverage, histories and silence, for
//! administrators.
//!
//! Enters: what administrators ask. Leaves: states, instants, counts. Absent: values of meters; of a
//! participant there is the name and nothing else.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ClockState;
use crate::model::{ConsentState, IncidentType, MeterType};

/// The state of a device: the first in this order that applies. All but the last three need
/// attention, the first ones most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FleetState {
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
    pub const ALL: [Self; 12] = [
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
    "unknown state: there are never-spoke, silent, late, incident, damaged, clock, spool, \
     certificate, version-behind, healthy, not-granted and revoked"
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

/// `GET /management/fleet`: a page of devices with their states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FleetPage {
    /// The devices.
    pub items: Vec<FleetDevice>,
    /// Where the next page starts; absent on the last.
    pub next: Option<String>,
    /// How many devices are in each state, of those that the filters other than `state` leave.
    pub counts: Vec<FleetCount>,
    /// How many devices run each version, whatever the filters.
    pub versions: Vec<FleetVersion>,
    /// How many households revoked their consent and are withheld until they can be masked.
    pub withheld: u64,
    /// The instant at which the states were judged.
    pub judged_at: Timestamp,
}

/// How many devices are in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FleetCount {
    /// The state.
    pub state: FleetState,
    /// How many.
    pub devices: u64,
}

/// How many devices run a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FleetVersion {
    /// The version of the component that reports.
    pub version: String,
    /// How many.
    pub devices: u64,
}

/// A device in the list of the fleet.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FleetDevice {
    /// Its identifier.
    pub uuid: Uuid,
    /// The household that it belongs to; absent once consent is revoked.
    pub household: Option<Uuid>,
    /// The participant's full name; absent once consent is revoked.
    pub participant: Option<String>,
    /// The state of the household's consent.
    pub consent: ConsentState,
    /// Its state.
    pub state: FleetState,
    /// Everything that is wrong, in the order of the states; the first is the state.
    pub reasons: Vec<FleetState>,
    /// The version of the component that reports.
    pub version: Option<String>,
    /// When it last sent measurements or its status.
    pub last_report: Option<Timestamp>,
    /// The meters that it reads.
    pub meters: Vec<FleetMeter>,
    /// How many incidents are open.
    pub incidents: u64,
    /// The largest share of damaged telegrams of a meter, 0 to 1.
    #[serde(with = "rust_decimal::serde::arbitrary_precision_option")]
    pub damaged_share: Option<Decimal>,
    /// Whether its clock is trusted; absent if not reported.
    pub clock: Option<ClockState>,
    /// Measurements that were pending on it at the last status.
    pub pending: Option<u64>,
    /// When the first of its certificates ends that none of the same scopes follows.
    pub certificate_end: Option<Timestamp>,
    /// Why nobody is alerted because of it, if so.
    pub silence: Option<Silence>,
}

/// Does not show the participant.
impl fmt::Debug for FleetDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetDevice")
            .field("uuid", &self.uuid)
            .field("state", &self.state)
            .field("reasons", &self.reasons)
            .finish_non_exhaustive()
    }
}

/// A meter of a device in the list of the fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FleetMeter {
    /// The meter.
    pub uuid: Uuid,
    /// What it counts.
    #[serde(rename = "type")]
    pub kind: MeterType,
    /// When the latest measurement was taken.
    pub last_measurement: Option<Timestamp>,
    /// Whether the device reads another meter than before in its place.
    pub another_meter: bool,
    /// Its open incidents.
    pub incidents: Vec<IncidentType>,
}

/// `POST /management/device/{uuid}/silence`: nobody is alerted because of a device for a while. It
/// takes the place of a silence that is there already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewSilence {
    /// Why.
    #[cfg_attr(
        feature = "openapi",
        schema(
            min_length = 1,
            max_length = 200,
            pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\xa0][^\x00-\x1f\x7f-\x9f]*$",
            examples("The household is being renovated")
        )
    )]
    pub reason: String,
    /// When it ends at the latest, within 400 days; without this it ends with the device's recovery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// Whether it ends as soon as nothing is wrong with the device any more.
    #[serde(default)]
    pub until_recovery: bool,
}

/// A silence of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Silence {
    /// Why.
    pub reason: String,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it ends at the latest.
    pub ends_at: Option<Timestamp>,
    /// Whether it ends as soon as nothing is wrong with the device any more.
    pub until_recovery: bool,
}

/// `GET /management/device/{uuid}/coverage`: in which slots each meter was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Coverage {
    /// The length of a slot, seconds.
    pub cycle: u32,
    /// The first day (UTC).
    pub from: Date,
    /// The day after the last one.
    pub to: Date,
    /// The meters that the device reads.
    pub meters: Vec<MeterCoverage>,
}

/// In which slots a meter was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MeterCoverage {
    /// The meter.
    pub uuid: Uuid,
    /// A text for each day, with a letter for each slot: `m` measured, `l` received more than two
    /// report cycles after it was measured, `f` measured with a flag that puts it in doubt, `-`
    /// missing, and a space for a slot before consent or after the present.
    pub days: Vec<String>,
}

/// `GET /management/device/{uuid}/history`: what became of a device within the last 400 days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceHistory {
    /// Every incident of its meters, the open ones included, the latest first.
    pub incidents: Vec<IncidentEpisode>,
    /// Its statuses by day (UTC), the earliest first; days without a status are absent.
    pub days: Vec<DeviceDay>,
}

/// An incident from its beginning to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IncidentEpisode {
    /// The meter.
    pub meter: Uuid,
    /// What was wrong.
    #[serde(rename = "type")]
    pub kind: IncidentType,
    /// When it began.
    pub reported_at: Timestamp,
    /// When it ended; absent while it is open.
    pub resolved_at: Option<Timestamp>,
}

/// A device's statuses of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceDay {
    /// The day, UTC.
    pub day: Date,
    /// The version of the component that reports, at the day's end.
    pub version: Option<String>,
    /// The most measurements that were pending.
    pub pending: Option<u64>,
    /// The largest size of the spool, bytes.
    pub bytes: Option<u64>,
    /// The share of damaged telegrams of all its meters, 0 to 1; absent without telegrams.
    #[serde(with = "rust_decimal::serde::arbitrary_precision_option")]
    pub damaged_share: Option<Decimal>,
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

    #[test]
    fn a_device_does_not_show_its_participant() {
        let device = FleetDevice {
            uuid: Uuid::nil(),
            household: None,
            participant: Some("Erika Mustermann".to_owned()),
            consent: ConsentState::Granted,
            state: FleetState::Healthy,
            reasons: Vec::new(),
            version: None,
            last_report: None,
            meters: Vec::new(),
            incidents: 0,
            damaged_share: None,
            clock: None,
            pending: None,
            certificate_end: None,
            silence: None,
        };
        assert!(!format!("{device:?}").contains("Erika"));
    }
}
