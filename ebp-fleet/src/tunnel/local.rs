//! What the device's page asks at the tunnel's local socket, and what it is answered: a line of JSON
//! each.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::TunnelAccess;

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionEnd {
    /// Both sides were done.
    Closed,
    /// A side, or the tunnel, broke off.
    Broken,
    /// Nothing was sent for too long.
    Idle,
    /// It lasted too long.
    TooLong,
    /// The household ended access.
    SwitchedOff,
    /// The program or the device was stopped meanwhile.
    Interrupted,
}

impl SessionEnd {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Closed,
        Self::Broken,
        Self::Idle,
        Self::TooLong,
        Self::SwitchedOff,
        Self::Interrupted,
    ];

    /// The name in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Broken => "broken",
            Self::Idle => "idle",
            Self::TooLong => "too-long",
            Self::SwitchedOff => "switched-off",
            Self::Interrupted => "interrupted",
        }
    }
}

/// A session as the log has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedSession {
    /// Its identifier.
    pub session: Uuid,
    /// Who connected, as the server says; `unknown` if it does not.
    pub administrator: String,
    /// To which service.
    pub service: String,
    /// From when.
    pub began_at: Timestamp,
    /// Until when; open if absent.
    pub ended_at: Option<Timestamp>,
    /// Bytes to the service.
    pub bytes_in: u64,
    /// Bytes from the service.
    pub bytes_out: u64,
    /// How it ended.
    pub end: Option<SessionEnd>,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// The tunnel's status.
    Status {},
    /// The latest sessions, newest first.
    Sessions {
        /// So many at most.
        most: u32,
    },
    /// Lets administrators in until that instant, or not at all if it has passed.
    SetAccess {
        /// Until when; the configuration's own if absent.
        until: Option<Timestamp>,
    },
}

/// An answer: an object with one member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// To [`Request::Status`] and [`Request::SetAccess`].
    Status(Status),
    /// To [`Request::Sessions`].
    Sessions(Vec<LoggedSession>),
    /// It cannot be answered: why.
    Refusal(String),
}

/// The tunnel's status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Since when the device is connected; absent if it is not.
    pub connected_since: Option<Timestamp>,
    /// Why the last attempt failed.
    pub trouble: Option<String>,
    /// Whether an administrator would be let in now.
    pub permitted: bool,
    /// What the configuration says.
    pub access: TunnelAccess,
    /// Until when the household lets administrators in; absent if it has not chosen.
    pub access_until: Option<Timestamp>,
    /// The services that can be reached.
    pub services: Vec<String>,
    /// Sessions that are open now.
    pub connected: Vec<LoggedSession>,
}
