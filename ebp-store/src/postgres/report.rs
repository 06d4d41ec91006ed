//! A report of measurements, and what of it may be stored.

use ebp_core::model::Measurement;
use jiff::Timestamp;

use crate::{HouseholdId, Place, Refusal, Source, StoreError};

/// A report and when it came.
pub struct Report {
    pub household: HouseholdId,
    pub measurements: Vec<Measurement>,
    pub received_at: Timestamp,
    pub source: Source,
}

/// What of a report may be stored; or why nothing of it.
pub(super) type Admitted = Result<Admissible, StoreError>;

/// Of each measurement of a report the place that it may take, or why it takes none.
pub(super) struct Admissible {
    pub granted_at: Timestamp,
    pub places: Vec<Result<Place, Refusal>>,
}
