//! Identifiers of households, participants and devices.

use jiff::Timestamp;
use uuid::Uuid;

/// A household's identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HouseholdId(pub Uuid);

/// A participant's key in the database; it never leaves the server. Certificates carry another
/// identifier, which changes with the e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ParticipantId(pub i64);

/// The names of an identity. It has no `Debug`, so that they are not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Names {
    /// The participant's identifier; tokens may lack it.
    pub participant: Option<Uuid>,
    /// The participant's e-mail address.
    pub email: String,
    /// The device.
    pub device: Option<Uuid>,
}

/// What the names of an identity refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// To nothing that is registered.
    Unknown,
    /// To a device of a household that has revoked its consent. It is known without the
    /// participant, who is deleted.
    Revoked,
    /// To a registered device, but another participant than its household's, or the same one with
    /// an earlier e-mail address.
    Superseded,
    /// To a participant.
    Participant {
        /// Who.
        participant: ParticipantId,
        /// The household to act for: the device's, otherwise the participant's only one; absent if
        /// there are several.
        household: Option<HouseholdId>,
        /// The device that sends the request.
        device: Option<DeviceActivity>,
        /// Whether that household's consent is granted.
        consents: bool,
    },
}

/// When a device last sent a request, and when it last reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceActivity {
    /// Which device.
    pub uuid: Uuid,
    /// When it last sent a request.
    pub last_activity: Option<Timestamp>,
    /// When it last sent measurements or its status.
    pub last_report: Option<Timestamp>,
}
