//! A program that was fetched, tried before services run it.

use std::time::Duration;

use crate::version::Version;

/// Why a program is not fit to be tried by services.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// It cannot be started: not executable, built for another machine, on a file system without
    /// programs (`noexec`).
    #[error("it cannot be started: {0}")]
    NotStarted(String),
    /// It did not end in time.
    #[error("it did not end within {} s", .0.as_secs())]
    Hangs(Duration),
    /// It ended without success.
    #[error("it failed: {0}")]
    Failed(String),
    /// It prints something else than a version.
    #[error("it prints no version")]
    NoVersion,
}

/// Programs that can be run for a test, as the user that services run as.
pub trait Programs {
    /// The version that the program of a release prints; of the floor for `None`.
    ///
    /// # Errors
    /// Returns [`ProgramError`] when it cannot be started, does not end within 5 s, or prints none.
    fn version(&mut self, version: Option<&Version>) -> Result<Version, ProgramError>;

    /// Lets the program test itself with the device's configuration: `self-test`.
    ///
    /// # Errors
    /// Returns [`ProgramError`] when it cannot be started, does not end in time, or fails.
    fn self_test(&mut self, version: Option<&Version>) -> Result<(), ProgramError>;
}
