//! Tunnels of devices, and the sessions that administrators had through them.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::HostKey;

/// A device's tunnel: whether it can be reached, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tunnel {
    /// The device.
    pub device: Uuid,
    /// Whether it can be reached now.
    pub connected: bool,
    /// When it connected last.
    pub since: Timestamp,
    /// When a server had it last.
    pub seen_at: Timestamp,
    /// Whether it connected by IPv6.
    pub ipv6: bool,
    /// The version of its program.
    #[cfg_attr(feature = "openapi", schema(max_length = 64))]
    pub version: String,
    /// Sessions that are open.
    pub sessions: u32,
    /// When two processes used its certificate in turn, if they ever did: it was copied.
    pub conflict_at: Option<Timestamp>,
    /// The public keys of its sshd, as its status last told them: type and key.
    #[cfg_attr(feature = "openapi", schema(max_items = 16))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host_keys: Vec<HostKey>,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TunnelSessionEnd {
    /// Both sides were done.
    Closed,
    /// A side, or the tunnel, broke off.
    Broken,
    /// Nothing was sent for too long.
    Idle,
    /// It lasted too long.
    TooLong,
    /// The administrator's or the device's certificate does not count any more.
    Revoked,
    /// The server that carried it was stopped, or an administrator ended it.
    Stopped,
}

impl TunnelSessionEnd {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Closed, Self::Broken, Self::Idle, Self::TooLong, Self::Revoked, Self::Stopped];

    /// Its name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Broken => "broken",
            Self::Idle => "idle",
            Self::TooLong => "too-long",
            Self::Revoked => "revoked",
            Self::Stopped => "stopped",
        }
    }
}

impl fmt::Display for TunnelSessionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name of no way in which sessions end.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("sessions do not end by this")]
pub struct UnknownTunnelSessionEnd;

impl FromStr for TunnelSessionEnd {
    type Err = UnknownTunnelSessionEnd;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|end| end.name() == text).ok_or(UnknownTunnelSessionEnd)
    }
}

/// A session of an administrator with a service of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TunnelSession {
    /// Its identifier, which the device's own log has, too.
    pub uuid: Uuid,
    /// The device; absent once its household has revoked consent.
    pub device: Option<Uuid>,
    /// Who connected: the name of the person's certificate, or `shared` for the group's secret.
    #[cfg_attr(feature = "openapi", schema(max_length = 64))]
    pub administrator: String,
    /// To which service.
    #[cfg_attr(feature = "openapi", schema(max_length = 64))]
    pub service: String,
    /// From when.
    pub began_at: Timestamp,
    /// Until when; absent while it is open.
    pub ended_at: Option<Timestamp>,
    /// Bytes to the device.
    pub bytes_to_device: u64,
    /// Bytes from the device.
    pub bytes_from_device: u64,
    /// How it ended.
    pub end: Option<TunnelSessionEnd>,
    /// Who ended it, of a session that an administrator ended: named as `administrator` is.
    #[cfg_attr(feature = "openapi", schema(max_length = 64))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
}
