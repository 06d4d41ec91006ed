//! Bodies under `/management`: what researchers and administrators see and change.
//!
//! Researchers see people and never devices' state; administrators see devices, and of people only the
//! name beside a device.

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use super::{Consent, MeasurementDevice};
use crate::model::{
    Address, ConsentState, GenerationRegister, Incident, Location, Metadata, Meter, MeterType,
    Participant, PvSystem,
};

/// One page of a list; the next one starts at `next`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing<T> {
    /// What is listed.
    pub items: Vec<T>,
    /// Where the next page starts; absent on the last.
    pub next: Option<String>,
}

/// Endpoint 10 for researchers: a registration and its consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RegistrationEntry {
    /// The household.
    pub uuid: Uuid,
    /// When it was registered; the month once consent is revoked.
    pub registered_at: Timestamp,
    /// The contact; absent once consent is revoked.
    pub participant: Option<Participant>,
    /// The postal code; absent once consent is revoked.
    #[serde(default)]
    pub postal_code: Option<String>,
    /// The city; absent once consent is revoked.
    #[serde(default)]
    pub city: Option<String>,
    /// Its consent; the months of its instants once it is revoked.
    pub consent: Consent,
}

/// A registration with all that belongs to it, for researchers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ManagedHousehold {
    /// The household. Revoked, it has another identifier than before, as its meters and photovoltaic
    /// systems have.
    pub uuid: Uuid,
    /// When it was registered; the month once consent is revoked.
    pub registered_at: Timestamp,
    /// The contact; absent once consent is revoked.
    pub participant: Option<Participant>,
    /// The participant, as certificates name them: another one after a change of the e-mail
    /// address, and absent once consent is revoked.
    pub participant_uuid: Option<Uuid>,
    /// The address; absent once consent is revoked.
    pub address: Option<Address>,
    /// The location; a masked one after revocation, and none if nothing was measured.
    pub location: Option<Location>,
    /// The household's answers to the registration form.
    pub metadata: Option<Metadata>,
    /// Its consent; the months of its instants once it is revoked.
    pub consent: Consent,
    /// Its meters.
    pub meters: Vec<Meter>,
    /// Its photovoltaic systems.
    pub pv_systems: Vec<PvSystem>,
    /// Its measurement devices; none once consent is revoked.
    pub measurement_devices: Vec<Uuid>,
}

/// Endpoint 10 for administrators: the state of a household's devices and meters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HouseholdHealth {
    /// The household.
    pub uuid: Uuid,
    /// The state of its consent.
    pub consent: ConsentState,
    /// Whether it is withheld: consent is revoked, and it has no masked location yet.
    pub withheld: bool,
    /// Its measurement devices; none once consent is revoked.
    pub measurement_devices: Vec<MeasurementDevice>,
    /// Its meters; none once consent is revoked.
    pub meters: Vec<MeterHealth>,
}

/// The state of a meter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MeterHealth {
    /// The meter.
    pub uuid: Uuid,
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
    /// The device that reads it.
    pub measurement_device: Option<Uuid>,
    /// When the latest measurement was taken.
    pub last_measurement: Option<Timestamp>,
    /// Its incidents, open and resolved.
    pub incidents: Vec<Incident>,
}

/// Changes of a household: each member that is present replaces what is stored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct HouseholdChange {
    /// The contact. It is the same for all households of the participant. Certificates contain the
    /// e-mail address: after a change the devices have to be enrolled again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub participant: Option<Participant>,
    /// The address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// The location.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// The household's answers to the registration form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// An additional meter of a household.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewMeter {
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
    /// The device of the same household that reads it.
    #[serde(default)]
    pub measurement_device: Option<Uuid>,
    /// Which register of a generation meter counts what is generated; absent if it was not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation_register: Option<GenerationRegister>,
}

/// Changes of a meter; absent members stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct MeterChange {
    /// What it counts.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<MeterType>,
    /// The model's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(
            min_length = 1,
            max_length = 40,
            pattern = r"^(?:[^\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[^\x00-\u05ff\u061c\u180e\u2000-\u206f\ufeff\ufff9-\ufffb][\u200c\u200d])*[^\x00-\x20\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb](?:[^\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[^\x00-\u05ff\u061c\u180e\u2000-\u206f\ufeff\ufff9-\ufffb][\u200c\u200d])*$",
            examples("MT175")
        )
    )]
    pub model: Option<String>,
    /// The device of the same household that reads it; `null` for none.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Uuid>))]
    pub measurement_device: Option<Option<Uuid>>,
    /// When the meter was removed, for example because it was exchanged: no device reads it any
    /// more, and no measurements are expected after that. `null` undoes a removal.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Timestamp>))]
    pub removed_at: Option<Option<Timestamp>>,
    /// Which register of a generation meter counts what is generated; `null` if that is not known.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<GenerationRegister>))]
    pub generation_register: Option<Option<GenerationRegister>>,
}

/// An additional photovoltaic system of a household.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewPvSystem {
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
    /// The generation meter of the same household that it is connected to.
    #[serde(default)]
    pub meter: Option<Uuid>,
}

/// Changes of a photovoltaic system; absent members stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct PvSystemChange {
    /// Nominal power, kWp.
    #[serde(with = "crate::exact::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0.001, maximum = 10000, examples(7.48)))]
    pub nominal_power: Option<Decimal>,
    /// Azimuth, degrees clockwise from north.
    #[serde(with = "crate::exact::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, exclusive_maximum = 360, examples(180)))]
    pub azimuth: Option<Decimal>,
    /// Tilt, degrees from the horizontal.
    #[serde(with = "crate::exact::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 90, examples(35)))]
    pub tilt: Option<Decimal>,
    /// When it was installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(value_type = Option<String>, format = Date, pattern = "^(19[789]|20[0-9])[0-9]-", examples("2019-05-03"))
    )]
    pub installed_on: Option<Date>,
    /// The generation meter of the same household; `null` for none.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Uuid>))]
    pub meter: Option<Option<Uuid>>,
}

/// What was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Made {
    /// Its identifier.
    pub uuid: Uuid,
}

/// Distinguishes `null` from an absent member.
fn given<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_not_absence() {
        let change: MeterChange = serde_json::from_str("{}").unwrap();
        assert_eq!(change, MeterChange::default());
        let change: MeterChange = serde_json::from_str(r#"{"measurement_device":null}"#).unwrap();
        assert_eq!(change.measurement_device, Some(None));
        assert_eq!(serde_json::to_string(&change).unwrap(), r#"{"measurement_device":null}"#);
    }

    #[test]
    fn powers_stay_exact_and_unknown_members_are_refused() {
        let change: PvSystemChange = serde_json::from_str(r#"{"nominal_power":7.48}"#).unwrap();
        assert_eq!(change.nominal_power.unwrap().to_string(), "7.48");
        assert_eq!(serde_json::to_string(&change).unwrap(), r#"{"nominal_power":7.48}"#);
        assert!(serde_json::from_str::<PvSystemChange>(r#"{"power":7.48}"#).is_err());
    }
}
