//! Why a meter gave no telegram.

use std::time::Duration;

use ebp_core::phrase::counted;

use crate::port::PortError;

/// Why a meter gave no telegram.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Its port cannot be used.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Nothing came.
    #[error("silent for {} s", waited.as_secs())]
    Silent {
        /// How long it was listened to.
        waited: Duration,
    },
    /// Something came, but no telegram.
    #[error("{} in {} s, but no whole telegram", counted(*bytes, "byte"), waited.as_secs())]
    Unintelligible {
        /// How many bytes came.
        bytes: u64,
        /// How long it was listened to.
        waited: Duration,
    },
    /// The stop flag was raised.
    #[error("stopped while waiting for a telegram")]
    Stopped,
    /// The port does not even give control back.
    #[error("its port hangs: nothing came back from it for {} s", waited.as_secs())]
    Hangs {
        /// How long it was waited for.
        waited: Duration,
    },
}
