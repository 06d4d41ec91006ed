//! The history of a household's registration: when, by whom and what was changed, never to which value.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::scope::Group;

/// The header of a request with the initials of who changes a registration.
pub const LABEL_HEADER: &str = "ebp-label";

/// The characters of such initials, at most.
pub const LABEL_LENGTH: usize = 16;

/// What was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// The household was registered.
    Registered,
    /// Contact, address, location or answers.
    Changed,
    /// A meter was added.
    MeterAdded,
    /// A meter was changed.
    MeterChanged,
    /// A meter was removed.
    MeterRemoved,
    /// A photovoltaic system was added.
    PvSystemAdded,
    /// A photovoltaic system was changed.
    PvSystemChanged,
    /// A photovoltaic system was removed.
    PvSystemRemoved,
    /// A measurement device was added.
    DeviceAdded,
    /// Another choice of meters is read by a device.
    DeviceChanged,
    /// A measurement device was removed.
    DeviceRemoved,
    /// A one-time token was made for a device.
    TokenMade,
    /// Another sign-in code was made for a device's page.
    SignInCodeMade,
    /// Certificates of a device were revoked.
    CertificateRevoked,
    /// Alerts about a device were silenced.
    DeviceSilenced,
    /// A device's silence was ended.
    SilenceEnded,
}

impl ChangeKind {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Registered,
        Self::Changed,
        Self::MeterAdded,
        Self::MeterChanged,
        Self::MeterRemoved,
        Self::PvSystemAdded,
        Self::PvSystemChanged,
        Self::PvSystemRemoved,
        Self::DeviceAdded,
        Self::DeviceChanged,
        Self::DeviceRemoved,
        Self::TokenMade,
        Self::SignInCodeMade,
        Self::CertificateRevoked,
        Self::DeviceSilenced,
        Self::SilenceEnded,
    ];

    /// The name as the API and the databases write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Changed => "changed",
            Self::MeterAdded => "meter-added",
            Self::MeterChanged => "meter-changed",
            Self::MeterRemoved => "meter-removed",
            Self::PvSystemAdded => "pv-system-added",
            Self::PvSystemChanged => "pv-system-changed",
            Self::PvSystemRemoved => "pv-system-removed",
            Self::DeviceAdded => "device-added",
            Self::DeviceChanged => "device-changed",
            Self::DeviceRemoved => "device-removed",
            Self::TokenMade => "token-made",
            Self::SignInCodeMade => "sign-in-code-made",
            Self::CertificateRevoked => "certificate-revoked",
            Self::DeviceSilenced => "device-silenced",
            Self::SilenceEnded => "silence-ended",
        }
    }
}

/// A change of a household's registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RegistrationChange {
    /// When.
    pub at: Timestamp,
    /// The group whose secret was used.
    #[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^(researchers|administrators)$"))]
    pub group: Group,
    /// The initials that were given with it.
    pub label: Option<String>,
    /// What was changed.
    pub kind: ChangeKind,
    /// The members whose values differ, as JSON pointers (RFC 6901): `/address/street`. None for what
    /// was added or removed.
    pub fields: Vec<String>,
}
