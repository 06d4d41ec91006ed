//! Why an answer could not be made.

use ebp_dataset::CalendarError;
use ebp_store::StoreError;

use super::query::SeriesFault;
use crate::SurveyError;

/// How often an answer is made anew because late measurements came meanwhile.
pub(super) const TRIES: usize = 5;

/// Why an answer could not be made.
#[derive(Debug)]
pub(super) enum Interrupted {
    /// Late measurements changed what was kept.
    Changed,
    /// Anything else.
    Failed(SurveyError),
}

impl From<StoreError> for Interrupted {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<SeriesFault> for Interrupted {
    fn from(fault: SeriesFault) -> Self {
        Self::Failed(fault.into())
    }
}

impl From<CalendarError> for Interrupted {
    fn from(error: CalendarError) -> Self {
        SeriesFault::from(error).into()
    }
}
