//! The queries of a survey's evaluation: when each meter was measured, and when that was reported.
//!
//! Enters: a meter, periods of time. Leaves: instants. Absent: measured values, and the meters'
//! owners.

use async_trait::async_trait;
use ebp_core::{
    contract::limits,
    evaluation::{Observation, Stretch},
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{HouseholdId, StoreError};

/// A meter, and when it was allowed to be and was measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluatedMeter {
    /// Its identifier.
    pub uuid: Uuid,
    /// Its model's name.
    pub model: String,
    /// Its household.
    pub household: HouseholdId,
    /// Whether the household is withheld: then it is counted without being named.
    pub withheld: bool,
    /// When the household granted its consent, if ever; the month of it, once that is revoked.
    pub granted_at: Option<Timestamp>,
    /// The month in which the household revoked its consent, if ever.
    pub revoked_at: Option<Timestamp>,
    /// When it was removed, if it was.
    pub removed_at: Option<Timestamp>,
    /// When it was first measured, if ever before it was removed.
    pub first: Option<Timestamp>,
    /// When it was last measured before it was removed, and when that was received; if it ever was.
    pub last: Option<Observation>,
}

impl EvaluatedMeter {
    /// When it was installed and allowed to be measured. For a household that revoked its consent
    /// only the months are known: its meters count until their last measurements, and those without
    /// any not at all.
    #[must_use]
    pub fn allowed(&self) -> Stretch {
        let from = self.granted_at.unwrap_or(Timestamp::MAX);
        let behind = |last: Observation| {
            last.measured_at.checked_add(SignedDuration::from_micros(1)).unwrap_or(Timestamp::MAX)
        };
        let to = match self.revoked_at {
            None => Timestamp::MAX,
            Some(_) => self.last.map_or(from, behind),
        };
        Stretch { from, to: self.removed_at.map_or(to, |removed| to.min(removed).max(from)) }
    }
}

/// The part of a [`Store`](super::Store) that evaluations read.
#[async_trait]
pub trait EvaluationStore: Send + Sync {
    /// All meters, in the order of their households' registration; withheld ones, too.
    async fn evaluated_meters(&self) -> Result<Vec<EvaluatedMeter>, StoreError>;

    /// When a meter was measured, oldest first: measurements that were made in `measured`, and those
    /// that were received in `received`, however long before they were made.
    async fn observations(
        &self,
        meter: Uuid,
        measured: Stretch,
        received: Stretch,
    ) -> Result<Vec<Observation>, StoreError>;
}

/// The end of the period of measuring that is needed: nothing is received much earlier than it was
/// measured.
pub(super) fn latest_measured(measured: Stretch, received: Stretch) -> Timestamp {
    let tolerance =
        SignedDuration::try_from(limits::CLOCK_TOLERANCE).unwrap_or(SignedDuration::ZERO);
    measured.to.max(received.to.checked_add(tolerance).unwrap_or(Timestamp::MAX))
}
