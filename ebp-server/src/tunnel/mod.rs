//! Tunnels of devices at this server, and sessions through them and through those of other servers.
//!
//! Enters: upgraded connections of devices and administrators. Leaves: bytes between them, rows that
//! say where each device is connected and who had a session. Absent: the protocol
//! ([`ebp_fleet::tunnel`]); who may ask, which the routes' guards decide.
//!
//! A device's tunnel is at one server; its row says at which. A session that arrives at another one
//! is forwarded by one hop. Each server holds the rows against its own connections in a loop
//! (`watch`), ends what does not count any more, and forgets what nobody keeps.

mod accept;
mod end;
mod forward;
mod peer;
mod session;
mod tunnels;
mod watch;

pub(crate) use accept::Device;
pub(crate) use peer::client_config;
pub(crate) use session::{Connect, Passed};
pub use tunnels::TunnelSettings;
pub(crate) use tunnels::Tunnels;
