//! The asynchronous runtime of the commands that need one.
//!
//! Enters: nothing. Leaves: a runtime on the calling thread alone, or for a server one with a thread
//! for each core. Absent: worker threads elsewhere, which a small device has no use for.

use tokio::runtime::{Builder, Runtime};

use crate::exit::{Context, Failure};

/// A runtime on this thread.
///
/// # Errors
/// Returns an error if the operating system denies a resource that is needed.
pub fn on_this_thread() -> Result<Runtime, Failure> {
    Builder::new_current_thread().enable_all().build().or_failed("tokio")
}

/// A runtime with a worker thread for each core, for a server.
///
/// # Errors
/// Returns an error if the operating system denies a resource that is needed.
#[cfg(feature = "server")]
pub fn on_all_cores() -> Result<Runtime, Failure> {
    Builder::new_multi_thread().enable_all().build().or_failed("tokio")
}
