//! `GET /household/export`: everything that the survey holds about a household (GDPR Art. 15, 20).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Consent, DeviceDay, HouseholdRelease, ManagedCertificate, MeasurementDevice, Message,
    RegistrationChange, Silence, StoredMeasurement, SurveyText,
};
use crate::model::{Address, Incident, Location, Metadata, Meter, Participant, PvSystem};

/// Everything that the survey holds about a household. It is sent as it is read, and a complete
/// document ends with `complete`: what breaks off is no JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HouseholdExport {
    /// When it was made. Measurements that were taken later are not in it.
    pub exported_at: Timestamp,
    /// The survey's name.
    pub survey: Option<String>,
    /// Who is responsible for it.
    pub controller: Option<String>,
    /// What is held besides, and why it is not here.
    pub left_out: Vec<LeftOut>,
    /// The household.
    pub household: ExportedHousehold,
    /// The text that was agreed to, in the language that it was read in.
    pub agreed_text: Option<SurveyText>,
    /// The history of its registration, oldest first: what was changed, without values and without
    /// the initials of who did it.
    pub changes: Vec<RegistrationChange>,
    /// Its messages, and their answers.
    pub messages: Vec<Message>,
    /// Its photovoltaic systems.
    pub pv_systems: Vec<PvSystem>,
    /// Its measurement devices, with their certificates.
    pub measurement_devices: Vec<ExportedDevice>,
    /// The participant's own certificates.
    pub certificates: Vec<ManagedCertificate>,
    /// The releases of the data set that it is in, the first first.
    #[serde(default)]
    pub releases: Vec<HouseholdRelease>,
    /// Its meters, with incidents and measurements.
    pub meters: Vec<ExportedMeter>,
    /// Whether the document is complete: always true, and its last member.
    pub complete: bool,
}

/// What is held about a household and is not in its export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LeftOut {
    /// What it is.
    pub what: String,
    /// Why it is not in the export.
    pub reason: String,
}

/// A household as it is registered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExportedHousehold {
    /// Its identifier.
    pub uuid: Uuid,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// The contact.
    pub participant: Option<Participant>,
    /// The participant's identifier, as certificates contain it.
    pub participant_uuid: Option<Uuid>,
    /// The address.
    pub address: Option<Address>,
    /// The location.
    pub location: Option<Location>,
    /// The answers to the registration form.
    pub metadata: Option<Metadata>,
    /// The consent.
    pub consent: Consent,
}

/// A measurement device with its certificates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExportedDevice {
    /// The device, and what it last said of itself.
    pub device: MeasurementDevice,
    /// Its statuses by day (UTC), the earliest first, of 400 days.
    pub days: Vec<DeviceDay>,
    /// Until when administrators want no alerts about it, and why.
    pub silence: Option<Silence>,
    /// Its certificates, oldest first.
    pub certificates: Vec<ManagedCertificate>,
}

/// A meter with what happened to it and what was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExportedMeter {
    /// The meter.
    pub meter: Meter,
    /// Its incidents, open and ended, oldest first; of those that ended before another one of their
    /// type began, the ones of 400 days.
    pub incidents: Vec<Incident>,
    /// Its measurements, oldest first.
    pub measurements: Vec<StoredMeasurement>,
}
