//! Opens the demo's folder.

use std::sync::atomic::AtomicBool;

use ebp_core::cycle::Cycle;

use super::{past::Past, progress::Progress};

/// How a folder is opened.
pub struct Opening<'a> {
    /// The measurement cycle.
    pub cycle: Cycle,
    /// The past that a new folder's households get.
    pub past: Option<Past>,
    /// By which households differ from those of another demo.
    pub seed: u64,
    /// Where progress is reported.
    pub progress: &'a Progress,
    /// Raised when the demo shall end.
    pub interrupted: &'a AtomicBool,
}
