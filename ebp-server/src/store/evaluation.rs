//! What the evaluation of a survey asks of a database: when was each meter measured, and when was it
//! reported.
//!
//! Enters: a meter, a window. Leaves: instants. Absent: what was measured, whose the meters are, and
//! the meters of households that are withheld.

use async_trait::async_trait;
use ebp_core::evaluation::Observation;
use jiff::Timestamp;
use uuid::Uuid;

use super::StoreError;

/// A meter that has measurements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluatedMeter {
    /// Its identifier.
    pub uuid: Uuid,
    /// Its model's name.
    pub model: String,
    /// When it was first measured.
    pub first: Timestamp,
    /// When it was last measured.
    pub last: Timestamp,
}

/// The part of a [`Store`](super::Store) that evaluations read.
#[async_trait]
pub trait EvaluationStore: Send + Sync {
    /// The meters that have measurements, in the order of their households' registration.
    async fn evaluated_meters(&self) -> Result<Vec<EvaluatedMeter>, StoreError>;

    /// When a meter was measured, from `from` to before `to`, oldest first.
    async fn observations(
        &self,
        meter: Uuid,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Observation>, StoreError>;
}
