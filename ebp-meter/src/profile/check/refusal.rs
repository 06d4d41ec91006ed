//! A contradiction and the way to the place of it.

use crate::profile::error::{Contradiction, Step};

pub(super) type Checked = Result<(), Contradiction>;

/// The way to a place: keys and indices.
macro_rules! at {
    ($($step:expr),* $(,)?) => { vec![$($crate::profile::error::Step::from($step)),*] };
}
pub(super) use at;

impl From<&'static str> for Step {
    fn from(key: &'static str) -> Self {
        Self::Key(key)
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

pub(super) fn refuse(path: Vec<Step>, reason: impl Into<String>) -> Checked {
    Err(Contradiction { path, reason: reason.into() })
}
