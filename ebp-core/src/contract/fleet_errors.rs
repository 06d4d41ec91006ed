//! Errors in groups, as administrators see those of all devices and of a server.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FleetVersion, ReportedErrorGroup};

/// Errors of one type at one place, of all devices that report them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FleetErrorGroup {
    /// What the group is known by.
    pub fingerprint: String,
    /// The part of the program.
    pub component: String,
    /// The type of the error and those of its causes.
    pub types: Vec<String>,
    /// File and line in the sources, or `unknown`.
    pub place: String,
    /// How many devices report it.
    pub devices: u64,
    /// What these devices run now.
    pub versions: Vec<FleetVersion>,
    /// How often it occurred, on all of them together.
    pub count: u64,
    /// When it occurred for the first time on one of them.
    pub first_seen: Timestamp,
    /// When it occurred last on one of them.
    pub last_seen: Timestamp,
    /// When a device reported it for the first time, by the server's clock.
    pub known_at: Timestamp,
}

/// The groups of errors of devices, and those of the server that answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorGroups {
    /// Of devices: the two hundred that occurred last, these first.
    pub devices: Vec<FleetErrorGroup>,
    /// Of the server: the fifty that occurred last, these first.
    pub server: Vec<ReportedErrorGroup>,
}
