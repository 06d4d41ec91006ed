//! What both ends of a tunnel say to each other, in one file.
//!
//! The device asks for [`DEVICE_PROTOCOL`] by HTTP/1.1 `Upgrade`. After the 101 the connection is
//! *at rest*: each byte is a [`Signal`]. The device sends a heartbeat in its interval, and the server
//! answers each. For the first session the server sends [`Signal::Start`] and waits for the device's;
//! everything behind these two is HTTP/2, with the device as its server, until the connection ends. A
//! tunnel at rest needs no memory for HTTP/2 at either end.
//!
//! In HTTP/2 a session is `CONNECT` to the name of a service with [`ADMINISTRATOR`] and [`SESSION`];
//! the device answers 200 and then carries bytes, or 403 (the household has switched access off),
//! 404 (no such service), 502 (the service cannot be reached), 503 (too many sessions). `POST
//! /move` and `POST /superseded` stand for the signals of that name, and the device's heartbeat is a
//! PING. Both ends judge each other by bytes that arrive, whatever they mean.

use std::time::Duration;

/// What a device asks for by `Upgrade`.
pub const DEVICE_PROTOCOL: &str = "ebp-tunnel/1";

/// What an administrator asks for by `Upgrade`, and a server of another one: the bytes of a session.
pub const SESSION_PROTOCOL: &str = "ebp-session/1";

/// Tells runs of a device's program apart.
pub const INSTANCE: &str = "ebp-tunnel-instance";

/// The program's version.
pub const VERSION: &str = "ebp-version";

/// The device's heartbeat, whole seconds.
pub const HEARTBEAT: &str = "ebp-tunnel-heartbeat";

/// Who connects: the name of a person's certificate.
pub const ADMINISTRATOR: &str = "ebp-administrator";

/// The session's identifier, a UUID.
pub const SESSION: &str = "ebp-session";

/// The name of the service, from server to server.
pub const SERVICE: &str = "ebp-service";

/// The path of a request that asks the device to build another tunnel.
pub const MOVE_PATH: &str = "/move";

/// The path of a request that tells that another tunnel has replaced this one.
pub const SUPERSEDED_PATH: &str = "/superseded";

/// How long an end waits for the answer to a heartbeat, and for that to a start.
pub const ANSWER: Duration = Duration::from_secs(10);

/// How long a server waits until a device has taken a session.
pub const OPEN: Duration = Duration::from_secs(5);

/// Sessions of a device at the same time.
pub const MOST_SESSIONS: u32 = 8;

/// The most header bytes of a stream.
const HEADERS: u32 = 8 << 10;
/// The largest frame: few, and thus little work for each byte.
const FRAME: u32 = 64 << 10;
/// What may be under way in a stream, and in all of them.
pub(super) const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;
/// What an end stores of a stream until it is sent.
const SEND_BUFFER: usize = 256 << 10;

/// A byte of a tunnel at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Signal {
    /// The device is there; the server's answer is the same byte.
    Heartbeat = 0,
    /// What follows is HTTP/2.
    Start = 1,
    /// The device is to build another tunnel: this server ends.
    Move = 2,
    /// Another tunnel of the device has replaced this one.
    Superseded = 3,
}

impl Signal {
    /// The signal of a byte.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::Heartbeat,
            1 => Self::Start,
            2 => Self::Move,
            3 => Self::Superseded,
            _ => return None,
        })
    }
}

/// The device's side of HTTP/2.
#[cfg(feature = "device")]
pub(super) fn device_side() -> h2::server::Builder {
    let mut builder = h2::server::Builder::new();
    builder
        .max_concurrent_streams(MOST_SESSIONS)
        .max_header_list_size(HEADERS)
        .max_frame_size(FRAME)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buffer_size(SEND_BUFFER);
    builder
}

/// The server's side, which opens streams.
#[cfg(feature = "server")]
pub(super) fn server_side() -> h2::client::Builder {
    let mut builder = h2::client::Builder::new();
    builder
        .enable_push(false)
        .max_header_list_size(HEADERS)
        .max_frame_size(FRAME)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buffer_size(SEND_BUFFER);
    builder
}

/// Whether a text may stand for a person in logs and headers: 1 to 64 letters, digits, and `. _ - @`.
#[must_use]
pub fn is_administrator_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(is_plain)
}

/// Whether a text may name a service: what an administrator types before any device has seen it.
#[must_use]
pub fn is_service_name(name: &str) -> bool {
    let is_plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.:[]".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_read_back() {
        for signal in [Signal::Heartbeat, Signal::Start, Signal::Move, Signal::Superseded] {
            assert_eq!(Signal::from_byte(signal as u8), Some(signal));
        }
        assert_eq!(Signal::from_byte(4), None);
    }

    #[test]
    fn names_are_bounded_and_plain() {
        assert!(is_administrator_name("erika.m@example.org") && is_service_name("[::1]:80"));
        for wrong in ["", "a b", "a\nb", &"a".repeat(65), "ä"] {
            assert!(!is_administrator_name(wrong) && !is_service_name(wrong), "{wrong}");
        }
    }
}
