//! Estimates the number of persons to whom a released position may belong; no guarantees.
//!
//! Enters: releases. Leaves: [`Risk`] of each, and a [`RiskSummary`] of all. Absent: what an
//! attacker knows besides; the book's chapter on anonymization lists the known attacks.
//!
//! [`Risk::persons_possible`] follows from the released position alone and may be published with
//! it. The other figures use the true region, its density and bounds: they are the custodian's.

use std::{f64::consts::PI, sync::LazyLock};

use crate::{
    DistanceBounds, Position, RegionCode, Regions, Release, ReleasedPosition, ellipsoid::geodesic_m,
};

/// Among how many persons a household is, by three estimates. Each takes every region to be
/// populated evenly, which none is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Risk {
    /// k under homogeneity: the ring's area, all of it populated like the household's region.
    pub k_homogeneous: f64,
    /// Persons expected in the ring around the released position, each part of it populated like
    /// the region that it is in; 0 outside of all regions.
    pub persons_in_ring: f64,
    /// Persons expected where that ring overlaps the household's region: the least of the three,
    /// and what remains uncertain to an attacker who knows that region.
    pub persons_in_region: f64,
    /// Persons that may be the household to an attacker who knows the released position and nothing
    /// else: all whose own ring holds it, each as likely as its ring is small. The number of
    /// equally likely persons with the same uncertainty.
    pub persons_possible: f64,
}

/// Points that an estimate looks at: half a per cent of a ring each.
const POINTS: u32 = 200;

/// The same of an estimate over rings of all widths.
const POINTS_OF_ALL: u32 = 800;

/// Estimates a release's risk, to some per cent.
#[must_use]
pub fn assess(regions: &Regions, release: &Release) -> Risk {
    let area = release.bounds().area_km2();
    let share = area / f64::from(POINTS);
    let mut risk = Risk {
        k_homogeneous: release.density() * area,
        persons_in_ring: 0.0,
        persons_in_region: 0.0,
        persons_possible: persons_possible(regions, release.position()),
    };
    for point in points_in_ring(release.position(), release.bounds()) {
        let Some(region) = regions.at(point) else { continue };
        let persons = region.density() * share;
        risk.persons_in_ring += persons;
        if region.code() == release.region() {
            risk.persons_in_region += persons;
        }
    }
    risk
}

/// [`Risk::persons_possible`] of a position that was released before, to some per cent; none if that
/// is no position.
#[must_use]
pub fn released_risk(regions: &Regions, latitude: f64, longitude: f64) -> Option<f64> {
    let released = Position::new(latitude, longitude).ok()?;
    let released = ReleasedPosition::round(released.latitude(), released.longitude());
    Some(persons_possible(regions, released))
}

/// What [`Risk::persons_possible`] is.
fn persons_possible(regions: &Regions, released: ReleasedPosition) -> f64 {
    // Rings are some hundred metres wide or many kilometres: points are spread evenly over the
    // logarithm of the distance.
    const NEAR_M: f64 = 300.0;
    const FAR_M: f64 = 20_000.0;
    let step = (FAR_M / NEAR_M).ln() / f64::from(POINTS_OF_ALL);
    let golden = PI * (3.0 - 5.0_f64.sqrt());
    let north = 1.0 / 111_200.0;
    let east = north / released.latitude().to_radians().cos();
    let (mut sum, mut squares) = (0.0, 0.0);
    for index in 0..POINTS_OF_ALL {
        let metres = NEAR_M * (step * (f64::from(index) + 0.5)).exp();
        let (sin, cos) = (f64::from(index) * golden).sin_cos();
        let place = Position::new(
            released.latitude() + metres * cos * north,
            released.longitude() + metres * sin * east,
        );
        let Some(region) = place.ok().and_then(|place| regions.at(place)) else { continue };
        let bounds = region.bounds();
        if metres < bounds.min_m() || metres > bounds.max_m() {
            continue;
        }
        let persons = region.density() * 2.0 * PI * (metres / 1e3).powi(2) * step;
        let likelihood = 1.0 / bounds.area_km2();
        sum += persons * likelihood;
        squares += persons * likelihood * likelihood;
    }
    if squares > 0.0 { sum * sum / squares } else { 0.0 }
}

/// Points spread evenly over a ring (a sunflower's seeds); exact to 1 % of the distance.
fn points_in_ring(
    centre: ReleasedPosition,
    bounds: DistanceBounds,
) -> impl Iterator<Item = Position> {
    static DIRECTIONS: LazyLock<Vec<(f64, f64)>> = LazyLock::new(|| {
        let golden = PI * (3.0 - 5.0_f64.sqrt());
        (0..POINTS).map(|index| (f64::from(index) * golden).sin_cos()).collect()
    });
    let (least, greatest) = (bounds.min_m().powi(2), bounds.max_m().powi(2));
    let step = (greatest - least) / f64::from(POINTS);
    let north = 1.0 / 111_200.0;
    let east = north / centre.latitude().to_radians().cos();
    let mut square = least - step / 2.0;
    DIRECTIONS.iter().filter_map(move |(sin, cos)| {
        square += step;
        let metres = square.sqrt();
        Position::new(
            centre.latitude() + metres * cos * north,
            centre.longitude() + metres * sin * east,
        )
        .ok()
    })
}

/// The risk of many releases together, in constant memory.
#[derive(Debug, Clone, Default)]
pub struct RiskSummary {
    released: u64,
    left_region: u64,
    left_country: u64,
    displacement: Quantiles,
    persons: Quantiles,
    possible: Quantiles,
    is_custodians: bool,
}

/// With fewer releases than this, a summary would reveal a household's displacement or its region.
pub const LEAST_FOR_DISPLACEMENT: u64 = 20;

impl RiskSummary {
    /// One for whoever has the true positions: it has figures of the true regions of few releases,
    /// too.
    #[must_use]
    pub fn of_custodian() -> Self {
        Self { is_custodians: true, ..Self::default() }
    }

    /// Whether figures of the true regions hide each single one.
    const fn may_tell_regions(&self) -> bool {
        self.is_custodians || self.released >= LEAST_FOR_DISPLACEMENT
    }

    /// Counts a release. The true position is used for the distance, of which only quantiles of
    /// all releases come out.
    pub fn add(&mut self, regions: &Regions, origin: Position, release: &Release, risk: &Risk) {
        self.released += 1;
        let landed = regions.at(release.position().position()).map(|region| region.code());
        let country = landed.as_ref().map(RegionCode::country);
        self.left_region += u64::from(landed != Some(release.region()));
        self.left_country += u64::from(country != Some(release.region().country()));
        self.displacement.add(geodesic_m(origin, release.position().position()));
        self.persons.add(risk.persons_in_region);
        self.possible.add(risk.persons_possible);
    }

    /// How many releases were counted.
    #[must_use]
    pub const fn released(&self) -> u64 {
        self.released
    }

    /// Share (0 to 1) that lies in another region than the household, or in none.
    /// None for fewer than [`LEAST_FOR_DISPLACEMENT`] releases, but for the custodian.
    #[must_use]
    pub fn left_region(&self) -> Option<f64> {
        self.may_tell_regions().then(|| share(self.left_region, self.released))
    }

    /// Share (0 to 1) that lies in another country, or in no region.
    /// None for fewer than [`LEAST_FOR_DISPLACEMENT`] releases, but for the custodian.
    #[must_use]
    pub fn left_country(&self) -> Option<f64> {
        self.may_tell_regions().then(|| share(self.left_country, self.released))
    }

    /// The displacement that a part (0 to 1) of all releases does not exceed, metres, to 0.3 %.
    /// None for fewer than [`LEAST_FOR_DISPLACEMENT`] releases.
    #[must_use]
    pub fn displacement_m(&self, part: f64) -> Option<f64> {
        (self.released >= LEAST_FOR_DISPLACEMENT).then(|| self.displacement.at(part)).flatten()
    }

    /// The [`persons_in_region`](Risk::persons_in_region) that a part (0 to 1) of all releases
    /// does not exceed, to 0.3 %. None for fewer than [`LEAST_FOR_DISPLACEMENT`] releases, but for
    /// the custodian.
    #[must_use]
    pub fn persons_in_region(&self, part: f64) -> Option<f64> {
        self.may_tell_regions().then(|| self.persons.at(part)).flatten()
    }

    /// The [`persons_possible`](Risk::persons_possible) that a part (0 to 1) of all releases does
    /// not exceed, to 0.3 %.
    #[must_use]
    pub fn persons_possible(&self, part: f64) -> Option<f64> {
        self.possible.at(part)
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// A histogram whose classes are half a per cent wide, from 1 to a thousand million.
#[derive(Debug, Clone, Default)]
struct Quantiles {
    classes: Vec<u64>,
    count: u64,
}

impl Quantiles {
    const WIDTH: f64 = 1.005;
    const CLASSES: usize = 4_200;

    fn add(&mut self, value: f64) {
        self.classes.resize(Self::CLASSES, 0);
        let class = (value.max(1.0).ln() / Self::WIDTH.ln()) as usize;
        self.classes[class.min(Self::CLASSES - 1)] += 1;
        self.count += 1;
    }

    fn at(&self, part: f64) -> Option<f64> {
        let wanted = ((part * self.count as f64).ceil() as u64).max(1);
        let mut seen = 0;
        let class = self.classes.iter().position(|count| {
            seen += count;
            seen >= wanted
        })?;
        Some(Self::WIDTH.powf(class as f64 + 0.5))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles() {
        let mut quantiles = Quantiles::default();
        assert_eq!(quantiles.at(0.5), None);
        for value in 1..=10_000 {
            quantiles.add(f64::from(value));
        }
        for (part, value) in [(0.05, 500.0), (0.5, 5_000.0), (1.0, 10_000.0)] {
            let found = quantiles.at(part).unwrap();
            assert!((found / value - 1.0).abs() < 0.003, "{found} {value}");
        }
    }

    /// Two halves of a country, the west of one density and the east of another.
    fn halves(west: f64, east: f64) -> Regions {
        use crate::geodata::{Geodata, Provenance, RegionData, Vertex};
        let corner = |x: i32, y: i32| Vertex { x: x * 10_000_000, y: y * 10_000_000 };
        let region = |code, density, x| RegionData {
            code: RegionCode::new(code).unwrap(),
            name: code.to_owned(),
            density,
            shapes: vec![vec![vec![
                corner(x, 50),
                corner(x + 1, 50),
                corner(x + 1, 51),
                corner(x, 51),
            ]]],
        };
        let regions = vec![region("XX001", west, 8), region("XX002", east, 9)];
        Regions::new(Geodata { provenance: Provenance::default(), regions }).unwrap()
    }

    #[test]
    fn where_all_regions_are_alike_all_in_the_ring_are_possible() {
        for density in [36.0, 1_365.0, 4_000.0] {
            let possible =
                persons_possible(&halves(density, density), ReleasedPosition::round(50.5, 9.0));
            let ring = density * DistanceBounds::of_density(density).unwrap().area_km2();
            assert!((possible / ring - 1.0).abs() < 0.02, "{possible} {ring}");
        }
        assert_eq!(persons_possible(&halves(1.0, 1.0), ReleasedPosition::round(40.0, 9.0)), 0.0);
        // What was released before is estimated alike, and nothing that is nowhere.
        let regions = halves(36.0, 36.0);
        let now = persons_possible(&regions, ReleasedPosition::round(50.5, 9.0));
        assert_eq!(released_risk(&regions, 50.5, 9.0), Some(now));
        assert_eq!(released_risk(&regions, f64::NAN, 9.0), None);
    }

    #[test]
    fn a_dense_region_is_likelier_and_does_not_hide_the_other() {
        // On the border: half a small ring of many persons, half a large ring of few. A person of
        // the first is some sixty times as likely; all together are as many as by the first alone
        // and a little more.
        let possible = persons_possible(&halves(36.0, 4_000.0), ReleasedPosition::round(50.5, 9.0));
        let half = |density: f64| {
            let area = DistanceBounds::of_density(density).unwrap().area_km2();
            (density / 2.0, density / 2.0 / area)
        };
        let ((few, of_few), (many, of_many)) = (half(36.0), half(4_000.0));
        let expected = (few + many) * (few + many) / (of_few + of_many);
        assert!((possible / expected - 1.0).abs() < 0.05, "{possible} {expected}");
    }

    #[test]
    fn points_are_spread_over_the_ring() {
        let bounds = DistanceBounds::of_density(100.0).unwrap();
        let centre = ReleasedPosition::round(50.0, 8.0);
        let points: Vec<_> = points_in_ring(centre, bounds).collect();
        assert_eq!(points.len(), POINTS as usize);
        for point in &points {
            let metres = geodesic_m(centre.position(), *point);
            assert!(metres > bounds.min_m() * 0.99 && metres < bounds.max_m() * 1.01);
        }
        let north = points.iter().filter(|point| point.latitude() > 50.0).count();
        assert!((95..=105).contains(&north), "{north}");
    }
}
