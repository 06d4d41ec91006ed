//! The bounds of the distance between a masked location and the true one (thesis equation 3.1).
//!
//! Enters: a region's population density. Leaves: [`DistanceBounds`]. Absent: regions and points.

/// The least and the greatest distance of a masked location, metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DistanceBounds {
    min_m: f64,
    max_m: f64,
}

/// A number that is not a population density.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{0} is no population density: it must be a number of persons per km², 0 or more")]
pub struct InvalidDensity(pub f64);

impl DistanceBounds {
    /// The bounds in a region with that many persons per square kilometre: `d_min = max(min(-1.321
    /// ρ + 4264, 8000), 300)`, `d_max = max(min(-3.107 ρ + 10621, 20000), 1300)`.
    ///
    /// # Errors
    /// Returns [`InvalidDensity`] for a negative, infinite or undefined density.
    pub fn of_density(persons_per_km2: f64) -> Result<Self, InvalidDensity> {
        if !persons_per_km2.is_finite() || persons_per_km2 < 0.0 {
            return Err(InvalidDensity(persons_per_km2));
        }
        Ok(Self {
            min_m: (4264.0 - 1.321 * persons_per_km2).clamp(300.0, 8_000.0),
            max_m: (10_621.0 - 3.107 * persons_per_km2).clamp(1_300.0, 20_000.0),
        })
    }

    /// The same ring with the greatest distance multiplied, up to the 20 km that equation 3.1
    /// allows at most.
    #[must_use]
    pub fn widened(self, times: f64) -> Option<Self> {
        let max_m = self.max_m * times;
        (max_m > self.max_m && max_m <= 20_000.0).then_some(Self { max_m, ..self })
    }

    /// Bounds that were stored, metres; `None` if neither equation 3.1 nor
    /// [`widened`](Self::widened) can produce them.
    #[must_use]
    pub fn kept(min_m: f64, max_m: f64) -> Option<Self> {
        let within = (300.0..=8_000.0).contains(&min_m) && (1_300.0..=20_000.0).contains(&max_m);
        (within && min_m < max_m).then_some(Self { min_m, max_m })
    }

    /// Area of the ring on a plane, km².
    #[must_use]
    pub fn area_km2(self) -> f64 {
        std::f64::consts::PI * (self.max_m * self.max_m - self.min_m * self.min_m) / 1e6
    }

    /// The least distance, metres.
    #[must_use]
    pub const fn min_m(self) -> f64 {
        self.min_m
    }

    /// The greatest distance, metres.
    #[must_use]
    pub const fn max_m(self) -> f64 {
        self.max_m
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bounds(density: f64) -> (f64, f64) {
        let bounds = DistanceBounds::of_density(density).unwrap();
        (bounds.min_m(), bounds.max_m())
    }

    #[test]
    fn dense_regions_reach_the_lower_limits() {
        // Munich: 4,736 persons per km² (Destatis, 2018), beyond the point where both limits apply.
        assert_eq!(bounds(4_736.0), (300.0, 1_300.0));
        assert_eq!(bounds(0.0), (4_264.0, 10_621.0));
    }

    #[test]
    fn what_is_no_density_is_refused() {
        for density in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(DistanceBounds::of_density(density).is_err());
        }
    }

    #[test]
    fn bounds_follow_the_density_between_the_limits() {
        assert_eq!(bounds(1_000.0), (4_264.0 - 1_321.0, 10_621.0 - 3_107.0));
        // The greatest distance reaches its limit first.
        let (min, max) = bounds(3_000.0);
        assert!((min - 301.0).abs() < 1e-9 && (max - 1_300.0).abs() < 1e-9, "{min} {max}");
        assert_eq!(bounds(3_001.0), (300.0, 1_300.0));
    }

    #[test]
    fn kept_bounds_are_what_was_kept() {
        for (min, max) in [(300.0, 1_300.0), (8_000.0, 20_000.0), (300.0, 20_000.0)] {
            let kept = DistanceBounds::kept(min, max).unwrap();
            assert_eq!((kept.min_m(), kept.max_m()), (min, max));
        }
        for (min, max) in [
            (299.9, 1_300.0),
            (300.0, 1_299.9),
            (8_000.1, 20_000.0),
            (8_000.0, 20_000.1),
            (2_000.0, 2_000.0),
            (5_000.0, 4_000.0),
            (f64::NAN, 1_300.0),
            (300.0, f64::NAN),
        ] {
            assert_eq!(DistanceBounds::kept(min, max), None, "{min} {max}");
        }
    }

    #[test]
    fn rings_grow_outwards_up_to_the_greatest_distance() {
        let ring = DistanceBounds::kept(300.0, 10_000.0).unwrap();
        assert_eq!(ring.widened(2.0), DistanceBounds::kept(300.0, 20_000.0));
        assert_eq!(ring.widened(1.5), DistanceBounds::kept(300.0, 15_000.0));
        for times in [2.001, 1.0, 0.5, f64::NAN] {
            assert_eq!(ring.widened(times), None, "{times}");
        }
        let area = std::f64::consts::PI * (100.0 - 0.09);
        assert!((ring.area_km2() - area).abs() < 1e-9, "{}", ring.area_km2());
    }

    proptest! {
        #[test]
        fn there_is_always_a_ring(density in 0.0_f64..1e7) {
            let (min, max) = bounds(density);
            prop_assert!((300.0..=8_000.0).contains(&min));
            prop_assert!((1_300.0..=20_000.0).contains(&max));
            prop_assert!(min + 999.0 < max);
            let bounds = DistanceBounds::of_density(density).unwrap();
            let wider = bounds.widened(1.2).unwrap();
            prop_assert!(wider.area_km2() > bounds.area_km2() && wider.min_m() == min);
            prop_assert!(bounds.widened(20.0).is_none() && bounds.widened(f64::NAN).is_none());
        }
    }
}
