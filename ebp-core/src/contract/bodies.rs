//! Request and response bodies of endpoints 1 to 9 and of a household's registration.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Component, Consent, DeviceHealth};
use crate::model::{
    Address, Flag, GenerationRegister, Location, Measurement, MeasurementData, Metadata, MeterType,
    Participant,
};

/// Endpoint 1: the participant.
pub type Account = Participant;

/// Endpoint 2: the household's registration details; what revocation deleted is absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Household {
    /// Its identifier.
    pub uuid: Uuid,
    /// Its address.
    pub address: Option<Address>,
    /// Its location.
    pub location: Option<Location>,
    /// Its answers to the registration form.
    pub metadata: Option<Metadata>,
    /// Its consent.
    pub consent: Consent,
}

/// Endpoint 5: a measurement device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MeasurementDevice {
    /// Its identifier, as its certificate carries it.
    pub uuid: Uuid,
    /// Its components with their versions, as last reported.
    pub components: BTreeMap<String, Component>,
    /// When it last sent a request to the Data API with a certificate that may send measurements.
    pub last_activity: Option<Timestamp>,
    /// When it last sent measurements or its status.
    #[serde(default)]
    pub last_report: Option<Timestamp>,
    /// The meters it reads.
    pub meters: Vec<Uuid>,
    /// Its last reported state; absent if it never reported one.
    pub health: Option<DeviceHealth>,
}

/// A measurement as the server stores it (endpoint 7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StoredMeasurement {
    /// The measurement's identifier.
    pub uuid: Uuid,
    /// When it was measured, UTC.
    pub measured_at: Timestamp,
    /// When the server received it, UTC.
    pub received_at: Timestamp,
    /// The data points.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<crate::model::DataPoint>))]
    pub data: MeasurementData,
    /// Its flags, in the order of [`Flag::ALL`]; absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
}

/// Endpoint 7: one page, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MeasurementPage {
    /// The measurements.
    pub items: Vec<StoredMeasurement>,
    /// Where the next page starts; absent on the last.
    pub next: Option<String>,
}

/// Endpoint 8: the content of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UploadRequest {
    /// The measurements.
    pub measurements: Vec<Measurement>,
}

/// Endpoint 8: the answer, one item for each measurement in the request's order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UploadResponse {
    /// The result for each.
    pub items: Vec<UploadItem>,
}

/// The result for one measurement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UploadItem {
    /// Which.
    pub uuid: Uuid,
    /// The result.
    pub outcome: UploadOutcome,
    /// Why it was refused or deferred.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}

/// The result for a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum UploadOutcome {
    /// It is stored, durably.
    Accepted,
    /// It was stored before; nothing changed.
    Duplicate,
    /// It is not stored and will not be; `reason` says why.
    Refused,
    /// Not stored now, because its meter's quota is used up; it may be sent again later.
    Deferred,
}

/// A registration with the answers to all questions of the form (thesis 3.1.2), as a researcher
/// enters it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// The contact.
    pub participant: Participant,
    /// The address.
    pub address: Address,
    /// The location, where it is known.
    #[serde(default)]
    pub location: Option<Location>,
    /// The household's answers to the registration form.
    pub metadata: Metadata,
    /// The meters; two may not have the same identifier.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 100))]
    pub meters: Vec<RegistrationMeter>,
    /// The photovoltaic systems.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_items = 100))]
    pub pv_systems: Vec<RegistrationPvSystem>,
    /// The measurement device that reads the meters; generated if absent.
    #[serde(default)]
    pub measurement_device: Option<Uuid>,
}

/// A meter of a registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RegistrationMeter {
    /// Its identifier; generated if absent.
    #[serde(default)]
    pub uuid: Option<Uuid>,
    /// What it counts.
    #[serde(rename = "type")]
    pub kind: MeterType,
    /// The model's name.
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
    /// Which register of a generation meter counts what is generated; absent if it was not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation_register: Option<GenerationRegister>,
}

/// A photovoltaic system of a registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RegistrationPvSystem {
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
    #[cfg_attr(
        feature = "openapi",
        schema(value_type = String, format = Date, pattern = "^(19[789]|20[0-9])[0-9]-", examples("2019-05-03"))
    )]
    pub installed_on: Date,
    /// The generation meter it is connected to: its index in `meters`, counted from 0.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 99))]
    pub meter: Option<usize>,
}

/// The identifiers of a new registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Registered {
    /// The household.
    pub household: Uuid,
    /// The participant's identifier, as certificates contain it.
    pub participant: Uuid,
    /// The measurement device that reads its meters.
    pub measurement_device: Uuid,
    /// The meters, in the registration's order.
    pub meters: Vec<Uuid>,
    /// The photovoltaic systems, in the registration's order.
    pub pv_systems: Vec<Uuid>,
}
