//! Errors of reading a meter.

use std::time::Duration;

use ebp_core::phrase::counted;

use crate::port::PortError;

/// Errors of reading a meter.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Its port cannot be used.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Nothing was received.
    #[error("silent for {} s", waited.as_secs())]
    Silent {
        /// The time listened.
        waited: Duration,
    },
    /// Something was received, but no telegram.
    #[error("{} in {} s, but no whole telegram", counted(*bytes, "byte"), waited.as_secs())]
    Unintelligible {
        /// The number of bytes received.
        bytes: u64,
        /// The time listened.
        waited: Duration,
    },
    /// The port hangs.
    #[error("its port hangs: nothing came back from it for {} s", waited.as_secs())]
    Hangs {
        /// The time waited.
        waited: Duration,
    },
}
