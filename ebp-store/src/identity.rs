//! Households, participants and devices, as a store tells them apart.

use jiff::Timestamp;
use uuid::Uuid;

/// A household's identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HouseholdId(pub Uuid);

/// By what the database knows a participant; it never leaves the server. Certificates carry another
/// identifier, which changes with the e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ParticipantId(pub i64);

/// The names of an identity. They are not shown by `Debug`: it has none.
#[derive(Clone, PartialEq, Eq)]
pub struct Names {
    /// The participant's identifier; tokens may come without it.
    pub participant: Option<Uuid>,
    /// The participant's e-mail address.
    pub email: String,
    /// The device.
    pub device: Option<Uuid>,
}

/// For whom the names of an identity stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// For nobody here.
    Unknown,
    /// For a device of a household that has revoked its consent. Known without the participant,
    /// who is gone.
    Revoked,
    /// For a device that is here, and for another participant than its household's; or for the same
    /// one with an earlier e-mail address.
    Superseded,
    /// For a participant.
    Participant {
        /// Who.
        participant: ParticipantId,
        /// The household to act for: the device's or else the participant's only one; absent when
        /// there are several.
        household: Option<HouseholdId>,
        /// The device that speaks.
        device: Option<DeviceActivity>,
        /// Whether that household's consent is granted.
        consents: bool,
    },
}

/// When a device last spoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceActivity {
    /// Which device.
    pub uuid: Uuid,
    /// When.
    pub last_activity: Option<Timestamp>,
}
