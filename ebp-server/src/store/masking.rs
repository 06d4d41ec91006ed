//! What a store does about masked locations.
//!
//! Enters: what is masked by. Leaves: how many households are masked and how many are not yet.
//! Absent: where a household is.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use ebp_anon::{DistanceBounds, Position, RegionCode, Release};
use ebp_core::{
    contract::Household,
    model::{Location, Masked, Precision},
};

use super::StoreError;
use crate::masking::{Marks, Masking, Place};

/// How the households are that had to be withheld.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PendingReport {
    /// Masked now, and shown again.
    pub masked: u64,
    /// Still withheld: these regions do not have their location, or there are no regions.
    pub outside: u64,
    /// Still withheld, and nobody knows where they are.
    pub without_location: u64,
}

/// What a store does about masked locations.
///
/// A household is masked once, within the transaction that revokes its consent or, where that could
/// not be, by [`mask_pending`](Self::mask_pending). Households of one address share the release.
/// What was masked never changes; the database sees to that by itself.
#[async_trait]
pub trait MaskingStore: Send + Sync {
    /// What this database's households are masked by, if it was ever said.
    async fn marks(&self) -> Result<Option<Marks>, StoreError>;

    /// From now on this store masks by these. The database remembers their fingerprints; other
    /// regions than it remembers are accepted only if they may `change`.
    ///
    /// # Errors
    /// [`StoreError::Masking`].
    async fn mask_by(&self, masking: Arc<Masking>, change: bool) -> Result<(), StoreError>;

    /// Masks the households that are withheld, as far as that is possible. Of their true locations
    /// no byte stays in the database's files.
    async fn mask_pending(&self) -> Result<PendingReport, StoreError>;
}

/// What a store masks by, once it is told.
#[derive(Default)]
pub(super) struct MaskedBy(OnceLock<Arc<Masking>>);

impl MaskedBy {
    pub(super) fn get(&self) -> Option<Arc<Masking>> {
        self.0.get().cloned()
    }

    /// The first one stays.
    pub(super) fn set(&self, masking: Arc<Masking>) {
        let _ = self.0.set(masking);
    }
}

/// Where a household is that revokes, and what its address is remembered by, as far as is known.
pub(super) fn whence(known: &Household, by: Option<&Masking>) -> (Option<Place>, Option<Position>) {
    let Household { address, location, .. } = known;
    let place = by.zip(address.as_ref()).map(|(by, address)| by.place(address));
    let origin = match by {
        Some(by) => by.origin(location.as_ref(), address.as_ref()),
        None => location.as_ref().and_then(|at| Position::new(at.latitude, at.longitude).ok()),
    };
    (place, origin)
}

/// A release from its columns.
pub(super) fn release(
    (latitude, longitude): (f64, f64),
    nuts3: &str,
    density: f64,
    (d_min, d_max): (f64, f64),
) -> Result<Release, StoreError> {
    let kept = || {
        let region = RegionCode::new(nuts3).ok()?;
        let position = Position::new(latitude, longitude).ok()?;
        Release::kept(position, region, density, DistanceBounds::kept(d_min, d_max)?)
    };
    kept().ok_or(StoreError::Damaged("release"))
}

/// A location from its columns, the last four of a masked one.
pub(super) fn location(
    (latitude, longitude): (f64, f64),
    precision: &str,
    masked: Option<(String, f64, f64, f64)>,
) -> Location {
    Location {
        latitude,
        longitude,
        precision: Precision::ALL
            .into_iter()
            .find(|known| known.name() == precision && masked.is_none()),
        masked: masked.map(|(nuts3, density, d_min, d_max)| Masked {
            nuts3,
            density,
            d_min,
            d_max,
        }),
    }
}
