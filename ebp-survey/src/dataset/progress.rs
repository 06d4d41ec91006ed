//! How far an export is.

/// How far an export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub part: &'static str,
    /// So many of its steps are done,
    pub done: u64,
    /// of so many.
    pub all: u64,
}
