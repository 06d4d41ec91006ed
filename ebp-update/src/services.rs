//! The services that run the program.

use std::collections::BTreeMap;

/// What is known of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceState {
    /// Whether it runs, or is being started.
    pub active: bool,
    /// How often it was restarted by itself since it was last started on purpose.
    pub restarts: u32,
}

/// Why services cannot be asked or restarted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{command}: {reason}")]
pub struct ServicesError {
    /// What was run.
    pub command: String,
    /// What came of it.
    pub reason: String,
}

/// The services that run the program.
pub trait Services {
    /// Restarts those that run.
    ///
    /// # Errors
    /// Returns [`ServicesError`] when their manager cannot be asked, or cannot restart them.
    fn restart(&mut self) -> Result<(), ServicesError>;

    /// Their states, by name.
    ///
    /// # Errors
    /// Returns [`ServicesError`] when their manager cannot be asked.
    fn states(&mut self) -> Result<BTreeMap<String, ServiceState>, ServicesError>;
}
