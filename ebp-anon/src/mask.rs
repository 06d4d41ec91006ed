//! A random position in the ring around a true one (thesis 4.4.2, step B).
//!
//! Enters: regions, a true position, randomness. Leaves: [`Release`]. Absent: the true position,
//! the distance and the direction, from the result and from every error.
//!
//! The method is rejection sampling as in the thesis, made exact. Candidates are drawn from the box
//! of latitudes and longitudes around the outer circle, uniformly per area of the ellipsoid: a
//! latitude is accepted with a probability proportional to the area per latitude and longitude
//! there, which follows from the parallel's length and the meridian's curvature (0.5 % are
//! rejected). Candidates are rounded to the six decimals that are released, and accepted if the
//! geodesic distance to the rounded position is within the bounds. So the released position is
//! uniform per area over the ring, and is itself within the bounds. On average three candidates are
//! drawn for two positions.

use crate::{
    DistanceBounds, Position, Region, RegionCode, Regions, ReleasedPosition,
    ellipsoid::{Local, geodesic_m},
    randomness::{NoRandomness, Randomness},
};

/// A released position, with the facts from which it was drawn.
///
/// Only the position may be published. The rest has to stay with whoever masks: the true region,
/// its density and the bounds that follow from them narrow down where the household is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Release {
    position: ReleasedPosition,
    region: RegionCode,
    density: f64,
    bounds: DistanceBounds,
}

/// Why a position cannot be masked. The error reveals nothing about the position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MaskError {
    /// The position is in no region, so there is no density and there are no bounds.
    #[error("the location lies outside of every region")]
    OutsideEveryRegion,
    /// The position is near a pole, where nobody lives and boxes of longitudes get too wide.
    #[error("the location lies within 5° of a pole")]
    NearPole,
    /// Too few persons live where the household may be, and the ring may not be widened (any
    /// further).
    #[error("fewer than the wanted number of persons are expected where the household may be")]
    TooFewPersons,
    /// The operating system provides no random numbers.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

impl Release {
    /// Restores a release that was stored; none if the numbers cannot be those of a release.
    #[must_use]
    pub fn kept(
        position: Position,
        region: RegionCode,
        density: f64,
        bounds: DistanceBounds,
    ) -> Option<Self> {
        let rounded = ReleasedPosition::round(position.latitude(), position.longitude());
        (density.is_finite() && density >= 0.0 && rounded.position() == position).then_some(Self {
            position: rounded,
            region,
            density,
            bounds,
        })
    }

    /// The masked position.
    #[must_use]
    pub const fn position(&self) -> ReleasedPosition {
        self.position
    }

    /// The true region of the household.
    #[must_use]
    pub const fn region(&self) -> RegionCode {
        self.region
    }

    /// The population density of that region, persons per km².
    #[must_use]
    pub const fn density(&self) -> f64 {
        self.density
    }

    /// The bounds of the distance by which the position was moved.
    #[must_use]
    pub const fn bounds(&self) -> DistanceBounds {
        self.bounds
    }
}

/// Masks a position: finds its region, and draws a position in the ring that follows from the
/// region's density.
///
/// Each call draws another position, and many draws reveal where a household is. So a release has
/// to be made once and stored, see [`release_once`](crate::release_once).
///
/// # Errors
/// Returns [`MaskError`] if the position is outside of every region or near a pole, or if the
/// operating system provides no random numbers. The error never contains the position.
pub fn mask(
    regions: &Regions,
    origin: Position,
    randomness: &mut impl Randomness,
) -> Result<Release, MaskError> {
    let region = regions.at(origin).ok_or(MaskError::OutsideEveryRegion)?;
    mask_within(region, region.bounds(), origin, randomness)
}

/// Draws a position within bounds that need not be the region's own.
pub(crate) fn mask_within(
    region: &Region,
    bounds: DistanceBounds,
    origin: Position,
    randomness: &mut impl Randomness,
) -> Result<Release, MaskError> {
    let position = draw(bounds, origin, randomness)?;
    Ok(Release { position, region: region.code(), density: region.density(), bounds })
}

/// The limit of tries, which random numbers never reach: at least half of all candidates are
/// accepted.
const TRIES: usize = 10_000;

fn draw(
    bounds: DistanceBounds,
    origin: Position,
    randomness: &mut impl Randomness,
) -> Result<ReleasedPosition, MaskError> {
    if origin.latitude().abs() > 85.0 {
        return Err(MaskError::NearPole);
    }
    let local = Local::at(origin);
    let (half_height, half_width) = local.box_around(bounds.max_m());
    let greatest = local.greatest_area_weight(half_height);
    for _ in 0..TRIES {
        let north = half_height * (2.0 * randomness.fraction()? - 1.0);
        let east = half_width * (2.0 * randomness.fraction()? - 1.0);
        let (latitude, longitude) = local.degrees(north, east);
        let candidate = ReleasedPosition::round(latitude, longitude);
        if is_within(bounds, &local, origin, candidate)
            && randomness.fraction()? * greatest < local.area_weight(north)
        {
            return Ok(candidate);
        }
    }
    Err(MaskError::NoRandomness(NoRandomness))
}

/// Whether the candidate is within the bounds: by the chord if its error cannot matter, otherwise
/// by the geodesic.
fn is_within(
    bounds: DistanceBounds,
    local: &Local,
    origin: Position,
    candidate: ReleasedPosition,
) -> bool {
    let chord = local.chord(candidate.latitude(), candidate.longitude());
    let (metres, doubt) = (chord.metres, chord.doubt());
    let from = |limit: f64| {
        if (metres - limit).abs() > doubt {
            metres
        } else {
            geodesic_m(origin, candidate.position())
        }
    };
    from(bounds.min_m()) >= bounds.min_m() && from(bounds.max_m()) <= bounds.max_m()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::{OsRandomness, SeededRandomness};

    fn bounds() -> DistanceBounds {
        DistanceBounds::of_density(1365.0).unwrap()
    }

    #[test]
    fn near_a_bound_the_geodesic_decides() {
        use geo::{Destination, Geodesic, Point};
        let origin = Position::new(50.078_217, 8.239_761).unwrap();
        let local = Local::at(origin);
        let mut sides = [0, 0];
        for step in 0..4_000_u32 {
            let azimuth = f64::from(step) * 0.09;
            for limit in [bounds().min_m(), bounds().max_m()] {
                let to = Geodesic.destination(
                    Point::new(origin.longitude(), origin.latitude()),
                    azimuth,
                    limit,
                );
                let candidate = ReleasedPosition::round(to.y(), to.x());
                let metres = geodesic_m(origin, candidate.position());
                let inside = metres >= bounds().min_m() && metres <= bounds().max_m();
                sides[usize::from(inside)] += 1;
                assert_eq!(is_within(bounds(), &local, origin, candidate), inside);
            }
        }
        assert!(sides[0] > 3_000 && sides[1] > 3_000, "{sides:?}");
    }

    #[test]
    fn far_from_the_bounds_all_are_within_or_none() {
        let origin = Position::new(50.078_217, 8.239_761).unwrap();
        let local = Local::at(origin);
        for (metres, within) in [
            (0.0, false),
            (2_400.0, false),
            (2_500.0, true),
            (4_000.0, true),
            (6_300.0, true),
            (6_500.0, false),
            (60_000.0, false),
        ] {
            for side in [-1.0, 1.0] {
                let candidate = ReleasedPosition::round(
                    origin.latitude() + side * metres / 111_237.0,
                    origin.longitude(),
                );
                assert_eq!(is_within(bounds(), &local, origin, candidate), within, "{metres}");
            }
        }
    }

    #[test]
    fn a_kept_release_is_what_was_kept() {
        let (region, at) = (RegionCode::new("DE714").unwrap(), Position::new(50.1, 8.25).unwrap());
        let kept = Release::kept(at, region, 1365.0, bounds()).unwrap();
        assert_eq!(kept.position().position(), at);
        assert_eq!((kept.region(), kept.density(), kept.bounds()), (region, 1365.0, bounds()));
        assert!(Release::kept(at, region, 0.0, bounds()).is_some(), "nobody may live there");
        for density in [-1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Release::kept(at, region, density, bounds()), None, "{density}");
        }
        for (latitude, longitude) in [(50.100_000_4, 8.25), (50.1, 8.250_000_4)] {
            let finer = Position::new(latitude, longitude).unwrap();
            assert_eq!(
                Release::kept(finer, region, 1365.0, bounds()),
                None,
                "no released position"
            );
        }
    }

    #[test]
    fn the_poles_and_the_other_side_of_the_globe() {
        let mut randomness = SeededRandomness::for_tests(1);
        let pole = Position::new(-85.1, 0.0).unwrap();
        assert_eq!(draw(bounds(), pole, &mut randomness), Err(MaskError::NearPole));
        let limit = Position::new(85.0, 0.0).unwrap();
        assert!(draw(bounds(), limit, &mut randomness).is_ok());
        for longitude in [-180.0, 179.999, 180.0] {
            let origin = Position::new(-16.5, longitude).unwrap();
            for _ in 0..50 {
                let drawn = draw(bounds(), origin, &mut randomness).unwrap();
                let metres = geodesic_m(origin, drawn.position());
                assert!(metres >= bounds().min_m() && metres <= bounds().max_m(), "{longitude}");
                assert!((-180.0..=180.0).contains(&drawn.longitude()));
            }
        }
    }

    #[test]
    fn the_system_draws_another_one_each_time() {
        let origin = Position::new(50.078_217, 8.239_761).unwrap();
        let mut randomness = OsRandomness::new();
        let first = draw(bounds(), origin, &mut randomness).unwrap();
        assert_ne!(first, draw(bounds(), origin, &mut randomness).unwrap());
        assert_ne!(first, draw(bounds(), origin, &mut OsRandomness::new()).unwrap());
    }
}
