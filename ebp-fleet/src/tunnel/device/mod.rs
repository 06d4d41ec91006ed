//! The device's end of the tunnel.
//!
//! Enters: the configuration, the household's switch, sessions that a server opens. Leaves: bytes to
//! and from the services of the device's own list, a log of every session. Absent: any service that
//! the list does not name, and any command: whatever the server or an administrator sends, the device
//! only ever dials what its own file allows, while its household permits it.
//!
//! [`run()`] holds the tunnel until it is stopped or the household's consent ends: it connects, holds
//! what it has connected (`hold`), and waits by the cause of a failure (`wait`).

mod access;
mod hold;
mod log;
mod run;
mod session;
mod shared;
mod socket;
mod wait;

pub use access::Choice;
#[doc(hidden)]
pub use hold::serve_hostile;
pub use log::{LogError, SessionLog};
pub use run::{TunnelStop, run};
pub use shared::{DeviceSettings, LoadTls, TunnelEvent};
pub use socket::SocketError;
