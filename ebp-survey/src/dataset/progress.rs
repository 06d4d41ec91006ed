//! How far an export is.

use super::ExportError;

/// Is told how far an export is, and ends it by an error.
pub type Tell<'a> = dyn FnMut(Progress) -> Result<(), ExportError> + Send + 'a;

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
