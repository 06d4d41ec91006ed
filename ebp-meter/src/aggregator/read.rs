//! Reading one configured meter for a measurement.

use std::time::{Duration, Instant};

use super::{Choice, ConfiguredMeter};
use crate::{
    port::PortError,
    readout::Readout,
    session::{Outcome, Session},
};

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
    #[error("{bytes} bytes in {} s, but no whole telegram", waited.as_secs())]
    Unintelligible {
        /// How many bytes came.
        bytes: u64,
        /// How long it was listened to.
        waited: Duration,
    },
}

/// Reads the meter once: opens its port, takes the telegram that [`Choice`] prefers of those that
/// come within `wait`, and closes the port again.
///
/// # Errors
/// [`ReadError`]: the port's, or that nothing useful came in time.
pub fn read_meter(meter: &ConfiguredMeter, wait: Duration) -> Result<Readout, ReadError> {
    let deadline = Instant::now() + wait;
    let mut session = Session::open(&meter.port, meter.options)?;
    let mut choice = Choice::default();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match session.next(left)? {
            Outcome::Readout(readout) => {
                if choice.offer(*readout) {
                    break;
                }
            }
            Outcome::Noise(_) => {}
            Outcome::TimedOut | Outcome::End => break,
        }
        if left.is_zero() {
            break;
        }
    }
    choice.into_best().ok_or_else(|| match session.received() {
        0 => ReadError::Silent { waited: wait },
        bytes => ReadError::Unintelligible { bytes, waited: wait },
    })
}
