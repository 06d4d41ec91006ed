//! What the pages ask of the measuring daemon on the same device.

use ebp_device::socket::{Reason, Status, Telegram};
use uuid::Uuid;

/// Why the measuring daemon gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MetersideError {
    /// It does not run, or has no socket.
    #[error("the measuring daemon does not answer")]
    Missing,
    /// It cannot answer this.
    #[error("the measuring daemon refuses: {0:?}")]
    Refused(Reason),
}

/// The measuring daemon. Each call blocks its thread.
pub trait Meterside: Send + Sync {
    /// The device's status.
    ///
    /// # Errors
    /// Returns [`MetersideError`] if there is no answer.
    fn status(&self) -> Result<Status, MetersideError>;

    /// A meter's next telegram, which takes up to a quarter of a minute.
    ///
    /// # Errors
    /// Returns [`MetersideError`] if there is no answer: consent is not granted, the head is in use,
    /// or the meter is silent.
    fn now(&self, meter: Uuid) -> Result<Telegram, MetersideError>;
}
