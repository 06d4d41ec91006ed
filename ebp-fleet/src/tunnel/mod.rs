//! The tunnel: a device holds it, the Data API keeps it, an administrator's session goes through it.
//!
//! ```text
//! ssh ── ebp tunnel connect ══ TLS ══ Data API ══ TLS, held by the device ══ ebp tunnel ── sshd
//!        (administrator)              (server)                               (device)
//! ```
//!
//! Enters: connections, names of services. Leaves: bytes both ways, each direction with its own
//! end. Absent: who may connect, which the Data API decides first, and the device by its household's
//! switch after that.

mod config;
#[cfg(feature = "connect")]
mod counted;
#[cfg(feature = "device")]
pub mod device;
#[cfg(feature = "connect")]
pub mod dial;
pub mod local;
#[cfg(feature = "connect")]
pub mod protocol;
#[cfg(feature = "connect")]
mod read_ahead;
#[cfg(feature = "connect")]
pub mod relay;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "connect")]
mod upgrade;

pub use config::{
    AllowList, ConfigError, Heartbeat, ProxyAddress, Service, ServiceAddress, TunnelAccess,
    TunnelConfig,
};
#[cfg(feature = "connect")]
pub use counted::{Counted, Traffic};
#[cfg(feature = "connect")]
pub use read_ahead::ReadAhead;
#[cfg(feature = "connect")]
pub use upgrade::{Refusal, UpgradeError, UpgradeRequest, Upgraded, upgrade};
