//! Bodies of `/management/fleet` and of a device's coverage, histories and silence, for
//! administrators.
//!
//! Enters: what administrators ask. Leaves: states, instants, counts. Absent: values of meters; of a
//! participant there is the name and nothing else.

use std::fmt;

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ClockState, FleetState};
use crate::model::{ConsentState, IncidentType, MeterType};

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
    #[serde(with = "crate::exact::option")]
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
            pattern = r"^(?:[^\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[^\x00-\u05ff\u061c\u180e\u2000-\u206f\ufeff\ufff9-\ufffb][\u200c\u200d])*[^\x00-\x20\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb](?:[^\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[^\x00-\u05ff\u061c\u180e\u2000-\u206f\ufeff\ufff9-\ufffb][\u200c\u200d])*$",
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

/// `GET /management/device/{uuid}/history`: a device's incidents and statuses of the last 400 days.
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
    #[serde(with = "crate::exact::option")]
    pub damaged_share: Option<Decimal>,
}

#[cfg(test)]
mod tests {
    use super::*;

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
