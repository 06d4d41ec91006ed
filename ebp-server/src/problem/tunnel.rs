//! Why a tunnel or a session through one is refused.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use ebp_core::contract::problem_type as kind;
use jiff::Timestamp;

/// The reasons.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TunnelError {
    /// The device has no tunnel; when a server had it last.
    #[error("the device is not connected")]
    NotConnected(Option<Timestamp>),
    /// The device has a tunnel and does not answer.
    #[error("the device does not answer")]
    Silent,
    /// The device's household lets nobody in.
    #[error("the household has switched remote access off")]
    SwitchedOff,
    /// The device has no service of that name.
    #[error("the device has no such service")]
    NoService,
    /// The device refuses with another status.
    #[error("the device refuses with status {0}")]
    Refused(u16),
    /// Another process uses the same certificate.
    #[error("another process holds the tunnel of the same device")]
    Conflict,
    /// There are as many tunnels as there may be.
    #[error("no further tunnel is accepted")]
    Full,
    /// The server is being stopped.
    #[error("the server is being stopped")]
    Closing,
}

impl TunnelError {
    /// Type, status and title.
    pub(super) fn kind(&self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::NotConnected(_) | Self::Silent => (
                kind::NOT_CONNECTED,
                StatusCode::SERVICE_UNAVAILABLE,
                "The device cannot be reached at the moment",
            ),
            Self::SwitchedOff => (
                kind::ACCESS_SWITCHED_OFF,
                StatusCode::CONFLICT,
                "The household has switched remote access off",
            ),
            Self::NoService => (kind::NOT_FOUND, StatusCode::NOT_FOUND, "Not found"),
            Self::Refused(_) => (
                kind::NOT_CONNECTED,
                StatusCode::SERVICE_UNAVAILABLE,
                "The device does not take the session",
            ),
            Self::Conflict => (
                kind::TUNNEL_CONFLICT,
                StatusCode::CONFLICT,
                "Another process holds the tunnel of this device",
            ),
            Self::Full | Self::Closing => (
                kind::UNAVAILABLE,
                StatusCode::SERVICE_UNAVAILABLE,
                "The server cannot answer at the moment",
            ),
        }
    }

    /// What the title does not say.
    pub(super) fn detail(&self) -> Option<String> {
        Some(match self {
            Self::NotConnected(Some(seen)) => format!("not connected, last seen {seen:.0}"),
            Self::NotConnected(None) => "it was never connected".to_owned(),
            Self::Silent => {
                "it has a tunnel and does not answer: its network may be gone".to_owned()
            }
            Self::SwitchedOff => "it can be switched on again at the device's page".to_owned(),
            Self::NoService => "the device allows no service of that name".to_owned(),
            Self::Refused(502) => "its service does not accept connections".to_owned(),
            Self::Refused(503) => "it has as many sessions as it may have".to_owned(),
            Self::Refused(507) => "it cannot write its log of sessions".to_owned(),
            Self::Refused(status) => format!("it answers {status}"),
            Self::Conflict => "two processes use its certificate in turn: it was copied".to_owned(),
            Self::Full => "there are as many tunnels as there may be".to_owned(),
            Self::Closing => "the server is being stopped".to_owned(),
        })
    }

    /// When to come back.
    pub(super) fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        let wait = match self {
            Self::Conflict => "60",
            Self::NotConnected(_) | Self::Silent | Self::Refused(_) | Self::Full => "30",
            // Another server takes it at once, or this one when it is back.
            Self::Closing => "2",
            Self::SwitchedOff | Self::NoService => return None,
        };
        Some((header::RETRY_AFTER, HeaderValue::from_static(wait)))
    }
}
