//! One release per household, for good.
//!
//! Enters: a household's true position, the key of a table, where releases are kept. Leaves:
//! the household's one [`Release`]. Absent: the keeping itself, which is the caller's.
//!
//! Each further release of one household reveals more: the household is in the ring around every
//! one of them. `docs/src/anonymization.md` has the figures.

use crate::{
    DistanceBounds, MaskError, Position, Regions, Release, ReleaseKey, Risk, mask::mask_within,
    randomness::Randomness, risk,
};

/// Where releases are kept, for good, under what the caller calls a household.
pub trait ReleaseStore {
    /// What a household is called.
    type Household: ?Sized;
    /// Why the store fails.
    type Error;

    /// The release that was made for it, if one was.
    ///
    /// # Errors
    /// Returns the store's error if it cannot answer; nothing is released then.
    fn kept(&mut self, household: &Self::Household) -> Result<Option<Release>, Self::Error>;

    /// Keeps a release; only what is kept is given out.
    ///
    /// # Errors
    /// Returns the store's error if it cannot store the release.
    fn keep(&mut self, household: &Self::Household, release: Release) -> Result<(), Self::Error>;
}

/// Why there is no release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError<E> {
    /// It cannot be masked.
    #[error(transparent)]
    Mask(#[from] MaskError),
    /// The store failed.
    #[error("the store of releases failed")]
    Store(#[source] E),
}

/// Fewer persons than this must not be expected where a household may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LeastPersons {
    /// How many persons, by [`Risk::persons_in_region`].
    pub persons: f64,
    /// What to do if there are fewer.
    pub otherwise: Otherwise,
}

/// What to do with a household among too few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Otherwise {
    /// Move it farther: the greatest distance grows in steps of a fifth, up to 20 km.
    Widen,
    /// Give nothing out.
    Withhold,
}

/// Masks the positions of a table, rows of one place alike.
#[derive(Debug, Clone, Copy)]
pub struct Masker<'a> {
    /// The regions.
    pub regions: &'a Regions,
    /// What determines the randomness of every place.
    pub key: &'a ReleaseKey,
    /// How many persons must be expected, if any.
    pub least_persons: Option<LeastPersons>,
}

impl Masker<'_> {
    /// The release of a place: the same one whenever it is asked for. So no stranger may ask: by
    /// comparing a guess's release with a published one he finds out whether it was right. Who
    /// answers others masks by [`mask`](crate::mask()) instead, and keeps what was drawn.
    ///
    /// # Errors
    /// Returns [`MaskError`], which never contains the position.
    pub fn release(&self, origin: Position) -> Result<Release, MaskError> {
        self.release_with(origin, &mut self.key.at(origin))
    }

    /// The same with other randomness.
    ///
    /// # Errors
    /// Returns [`MaskError`], which never contains the position.
    pub fn release_with(
        &self,
        origin: Position,
        randomness: &mut impl Randomness,
    ) -> Result<Release, MaskError> {
        let region = self.regions.at(origin).ok_or(MaskError::OutsideEveryRegion)?;
        let mut bounds: DistanceBounds = region.bounds();
        loop {
            let release = mask_within(region, bounds, origin, randomness)?;
            let Some(least) = self.least_persons else { return Ok(release) };
            let Risk { persons_in_region, .. } = risk::assess(self.regions, &release);
            if persons_in_region >= least.persons {
                return Ok(release);
            }
            bounds = match least.otherwise {
                Otherwise::Widen => bounds.widened(1.2).ok_or(MaskError::TooFewPersons)?,
                Otherwise::Withhold => return Err(MaskError::TooFewPersons),
            };
        }
    }
}

/// A household's one release: the kept one, otherwise a new one that is kept before it is returned.
///
/// # Errors
/// Returns [`ReleaseError`] if masking fails or the store does not answer. Nothing is released
/// then.
pub fn release_once<S: ReleaseStore>(
    store: &mut S,
    household: &S::Household,
    masker: &Masker<'_>,
    origin: Position,
) -> Result<Release, ReleaseError<S::Error>> {
    if let Some(release) = store.kept(household).map_err(ReleaseError::Store)? {
        return Ok(release);
    }
    let release = masker.release(origin)?;
    store.keep(household, release).map_err(ReleaseError::Store)?;
    Ok(release)
}
