//! Bodies under `/management/measurement_device` and `/management/certificate`: devices, the tokens
//! they enroll with, and certificates, for administrators.
//!
//! Enters: what administrators change. Leaves: JSON bodies; a token's secret is shown once. Absent:
//! people, but for the participant's name.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Component, DeviceHealth};
use crate::scope::Scopes;

/// A measurement device, for administrators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ManagedDevice {
    /// Its identifier.
    pub uuid: Uuid,
    /// The household that it belongs to.
    pub household: Uuid,
    /// The participant's name.
    #[serde(default)]
    pub participant: Option<String>,
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

/// An additional device of a household.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewDevice {
    /// The household.
    pub household: Uuid,
    /// The meters of that household that it reads from now on.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_items = 100))]
    pub meters: Vec<Uuid>,
}

/// Changes of a device; absent members stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct DeviceChange {
    /// The meters of the household that it reads from now on, and no others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meters: Option<Vec<Uuid>>,
}

/// A request for a one-time token with which a device is enrolled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct EnrolmentRequest {
    /// The scopes of the device's certificate: names separated by spaces. A device's usual scopes
    /// if absent.
    #[serde(skip_serializing_if = "Option::is_none", with = "scopes_as_text")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, pattern = "^(account|household|consent|measurement-read|measurement-write)( (account|household|consent|measurement-read|measurement-write))*$", examples("household consent measurement-write")))]
    pub scopes: Option<Scopes>,
    /// For how many hours the token is valid: 1 to 720, 72 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 720))]
    pub hours: Option<u16>,
}

/// A one-time token with which a device is enrolled. It is returned once and stored nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrolmentToken {
    /// The device.
    pub device: Uuid,
    /// The token.
    pub token: String,
    /// The code by which the participant signs in to the device's page once the device is enrolled
    /// with the token. Absent if the server is of an older version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(examples("K7QM-2XTD")))]
    pub sign_in_code: Option<String>,
    /// Until when it is valid.
    pub expires_at: Timestamp,
}

/// Shows neither token nor code.
impl std::fmt::Debug for EnrolmentToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnrolmentToken").field("device", &self.device).finish_non_exhaustive()
    }
}

/// A sign-in code for a device's page. It is returned once and stored nowhere but as a hash.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewSignInCode {
    /// The device.
    pub device: Uuid,
    /// The code.
    #[cfg_attr(feature = "openapi", schema(examples("K7QM-2XTD")))]
    pub sign_in_code: String,
}

/// Does not show the code.
impl std::fmt::Debug for NewSignInCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewSignInCode").field("device", &self.device).finish_non_exhaustive()
    }
}

/// A certificate of a device, for administrators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ManagedCertificate {
    /// Its serial number, 32 hexadecimal digits.
    pub serial: String,
    /// Its scopes: names separated by spaces.
    pub scopes: String,
    /// Valid from.
    pub not_before: Timestamp,
    /// Valid until.
    pub not_after: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// The result of revoking all certificates of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevokedDevice {
    /// The device.
    pub device: Uuid,
    /// How many certificates were revoked.
    pub revoked: u64,
}

mod scopes_as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::scope::Scopes;

    #[allow(clippy::ref_option, reason = "serde calls it so")]
    pub fn serialize<S: Serializer>(scopes: &Option<Scopes>, to: S) -> Result<S::Ok, S::Error> {
        match scopes {
            Some(scopes) => to.collect_str(scopes),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Scopes>, D::Error> {
        Option::<String>::deserialize(from)?
            .map(|text| text.parse().map_err(|_| D::Error::custom("an unknown scope")))
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_scopes_are_refused() {
        assert!(serde_json::from_str::<EnrolmentRequest>(r#"{"scopes":"root"}"#).is_err());
    }
}
