//! What every masking promises, in all 401 regions, and what many of them together look like.

#![allow(clippy::unwrap_used, reason = "tests may")]

mod official;

use std::f64::consts::TAU;

use ebp_anon::{
    MaskError, Masker, OsRandomness, Position, Regions, Release, ReleaseKey, ReleaseStore,
    SeededRandomness, geodesic_m, mask, release_once,
};
use geo::{Bearing, Geodesic, Point};

/// A true position in every region: a corner's neighbourhood that lies within.
fn one_in_each(regions: &Regions) -> Vec<Position> {
    let inside = |region: &ebp_anon::geodata::RegionData| {
        let ring = &region.shapes[0][0];
        let middle = |a: usize, b: usize| {
            let (a, b) = (ring[a % ring.len()], ring[b % ring.len()]);
            let half = |a: i32, b: i32| (f64::from(a) + f64::from(b)) / 2e7;
            Position::new(half(a.y, b.y), half(a.x, b.x)).unwrap()
        };
        let pairs =
            (1..ring.len()).flat_map(|step| (0..ring.len()).map(move |a| (a, a + step + 1)));
        pairs
            .map(|(a, b)| middle(a, b))
            .find(|place| regions.at(*place).is_some_and(|found| found.code() == region.code))
            .unwrap()
    };
    regions.geodata().regions.iter().map(inside).collect()
}

fn azimuth(from: Position, to: Position) -> f64 {
    Geodesic.bearing(
        Point::new(from.longitude(), from.latitude()),
        Point::new(to.longitude(), to.latitude()),
    )
}

/// The greatest gap between the numbers' distribution and the even one from 0 to 1, times √n: above
/// 1.95 in one of a thousand samples (Kolmogorov-Smirnov).
fn kolmogorov_smirnov(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let count = numbers.len() as f64;
    let gap = numbers.iter().enumerate().map(|(index, number)| {
        let (below, above) = (index as f64 / count, (index + 1) as f64 / count);
        (number - below).abs().max((number - above).abs())
    });
    gap.fold(0.0, f64::max) * count.sqrt()
}

#[test]
fn bounds_hold_as_released_in_every_region() {
    let regions = official::regions();
    let mut randomness = OsRandomness::new();
    for origin in one_in_each(regions) {
        for _ in 0..50 {
            let release = mask(regions, origin, &mut randomness).unwrap();
            let region = regions.at(origin).unwrap();
            assert_eq!((release.region(), release.density()), (region.code(), region.density()));
            // From the text that is published, as a reader would.
            let [latitude, longitude] = release.position().decimals().map(|part| part.to_string());
            let published = Position::parse(&latitude, &longitude).unwrap();
            let metres = geodesic_m(origin, published);
            assert!(metres >= release.bounds().min_m() && metres <= release.bounds().max_m());
        }
    }
}

/// r² and the azimuth are even in every region by itself and in all together. Of 401 regions' tests
/// one in a thousand each may fail by chance, so that is what is counted; all together must pass.
#[test]
fn masked_positions_are_even_over_the_ring() {
    let regions = official::regions();
    let mut randomness = SeededRandomness::for_tests(20_261_124);
    let (mut squares, mut azimuths, mut odd) = (Vec::new(), Vec::new(), 0);
    for origin in one_in_each(regions) {
        let (mut r2, mut around) = (Vec::new(), Vec::new());
        for _ in 0..500 {
            let release = mask(regions, origin, &mut randomness).unwrap();
            let bounds = release.bounds();
            let metres = geodesic_m(origin, release.position().position());
            let (least, greatest) = (bounds.min_m().powi(2), bounds.max_m().powi(2));
            r2.push((metres.powi(2) - least) / (greatest - least));
            around.push(azimuth(origin, release.position().position()).rem_euclid(360.0) / 360.0);
        }
        odd += u32::from(kolmogorov_smirnov(r2.clone()) > 1.95);
        odd += u32::from(kolmogorov_smirnov(around.clone()) > 1.95);
        squares.extend(r2);
        azimuths.extend(around);
    }
    assert!(odd <= 5, "{odd} of 802 samples are not even");
    assert!(kolmogorov_smirnov(squares) < 1.95);
    assert!(kolmogorov_smirnov(azimuths) < 1.95);
}

/// r² and azimuth each may be even and yet go together: the ring in 8 directions by 8 circles of
/// one area.
#[test]
fn directions_and_distances_are_independent() {
    let regions = official::regions();
    let mut randomness = SeededRandomness::for_tests(7);
    let origin = Position::new(54.2, 12.9).unwrap();
    let mut cells = [0_u32; 64];
    let draws = 64_000;
    for _ in 0..draws {
        let release = mask(regions, origin, &mut randomness).unwrap();
        let (min, max) = (release.bounds().min_m().powi(2), release.bounds().max_m().powi(2));
        let to = release.position().position();
        let circle = ((geodesic_m(origin, to).powi(2) - min) / (max - min) * 8.0) as usize;
        let direction = (azimuth(origin, to).rem_euclid(360.0) / 45.0) as usize;
        cells[circle.min(7) * 8 + direction.min(7)] += 1;
    }
    let expected = f64::from(draws) / 64.0;
    let chi2: f64 = cells.iter().map(|&cell| (f64::from(cell) - expected).powi(2) / expected).sum();
    // 63 degrees of freedom: above 103 in one of a thousand samples.
    assert!(chi2 < 103.0, "{chi2}");
}

#[test]
fn known_facts() {
    let regions = official::regions();
    let range = |of: fn(&ebp_anon::Region) -> f64| {
        regions.iter().map(of).fold((f64::MAX, 0.0_f64), |(least, greatest), metres| {
            (least.min(metres), greatest.max(metres))
        })
    };
    let (least, greatest) = range(|region| region.bounds().min_m());
    assert_eq!((least, greatest.round()), (300.0, 4_216.0));
    let (least, greatest) = range(|region| region.bounds().max_m());
    assert_eq!((least, greatest.round()), (1_300.0, 10_509.0));
    // Tries: the box's area by the ring's.
    let tries = regions
        .iter()
        .map(|region| (2.0 * region.bounds().max_m()).powi(2) / 1e6 / region.bounds().area_km2());
    let tries = tries.sum::<f64>() / 401.0;
    assert!((1.4..1.6).contains(&tries), "{tries}");
}

#[test]
fn outside_is_refused_without_a_word_of_where() {
    let regions = official::regions();
    let paris = Position::new(48.856_613, 2.352_222).unwrap();
    let error = mask(regions, paris, &mut OsRandomness::new()).unwrap_err();
    assert_eq!(error, MaskError::OutsideEveryRegion);
    assert!(!format!("{error} {error:?}").contains(['4', '8', '2']));
}

#[test]
fn a_release_shows_nothing_of_the_true_position() {
    let regions = official::regions();
    let origin = Position::new(50.078_217, 8.239_761).unwrap();
    let key = ReleaseKey::from_os().unwrap();
    let masker = Masker { regions, key: &key, least_persons: None };
    let release = masker.release(origin).unwrap();
    let shown = format!("{release:?} {masker:?} {origin:?} {:?}", key.at(origin));
    let metres = geodesic_m(origin, release.position().position());
    for secret in ["50.078", "8.2397", &format!("{:.0}", metres), &key.to_secret_text()[20..40]] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// A store that forgets nothing.
#[derive(Default)]
struct Kept(std::collections::HashMap<String, Release>);

impl ReleaseStore for Kept {
    type Household = str;
    type Error = std::convert::Infallible;

    fn kept(&mut self, household: &str) -> Result<Option<Release>, Self::Error> {
        Ok(self.0.get(household).copied())
    }

    fn keep(&mut self, household: &str, release: Release) -> Result<(), Self::Error> {
        self.0.insert(household.to_owned(), release);
        Ok(())
    }
}

#[test]
fn a_household_has_one_release_and_rows_of_one_place_are_alike() {
    let regions = official::regions();
    let key = ReleaseKey::from_os().unwrap();
    let masker = Masker { regions, key: &key, least_persons: None };
    let mut store = Kept::default();
    let origin = Position::new(50.078_217, 8.239_761).unwrap();
    let first = release_once(&mut store, "a", &masker, origin).unwrap();
    // Same household, even if it is said to live elsewhere now, and under another key.
    let other_key = ReleaseKey::from_os().unwrap();
    let other = Masker { key: &other_key, ..masker };
    let moved = Position::new(50.1, 8.2).unwrap();
    assert_eq!(release_once(&mut store, "a", &other, moved).unwrap(), first);
    // Same address, another household.
    assert_eq!(release_once(&mut store, "b", &masker, origin).unwrap(), first);
    // A metre apart: drawn independently, so that a guess next door is no nearer than any other.
    let next_door = Position::new(50.078_225, 8.239_768).unwrap();
    assert_ne!(masker.release(next_door).unwrap().position(), first.position());
    assert_ne!(other.release(origin).unwrap(), first);
}

#[test]
fn too_few_persons_widen_or_withhold() {
    use ebp_anon::{LeastPersons, Otherwise, risk};
    let regions = official::regions();
    let key = ReleaseKey::from_os().unwrap();
    // Between Berlin and Hamburg: 36 persons per km², some 10,000 in the ring.
    let origin = Position::new(53.1, 11.9).unwrap();
    let masker = |persons, otherwise| Masker {
        regions,
        key: &key,
        least_persons: Some(LeastPersons { persons, otherwise }),
    };
    let plain = Masker { regions, key: &key, least_persons: None }.release(origin).unwrap();
    assert_eq!(masker(10.0, Otherwise::Withhold).release(origin), Ok(plain));
    let wanted = 13_000.0;
    let withheld = masker(wanted, Otherwise::Withhold).release(origin);
    assert_eq!(withheld, Err(MaskError::TooFewPersons));
    let wide = masker(wanted, Otherwise::Widen).release(origin).unwrap();
    assert!(wide.bounds().max_m() > plain.bounds().max_m() && wide.bounds().max_m() <= 20_000.0);
    assert!(risk::assess(regions, &wide).persons_in_region >= wanted);
    let metres = geodesic_m(origin, wide.position().position());
    assert!(metres >= wide.bounds().min_m() && metres <= wide.bounds().max_m());
    assert_eq!(masker(1e6, Otherwise::Widen).release(origin), Err(MaskError::TooFewPersons));
}

/// What intersecting independent releases of one rural household leaves: the reason to make one
/// only. Persons that live in the ring around every release, by a lattice of 100 m (50 m).
#[test]
fn many_releases_give_a_household_away() {
    let regions = official::regions();
    let mut randomness = SeededRandomness::for_tests(3);
    let origin = Position::new(53.1, 11.9).unwrap();
    let region = regions.at(origin).unwrap();
    let mut left = |releases: usize, lattice_m: f64| {
        let runs = 40;
        let mut persons = Vec::new();
        for _ in 0..runs {
            let drawn: Vec<(f64, f64)> = (0..releases)
                .map(|_| {
                    let to = mask(regions, origin, &mut randomness).unwrap().position().position();
                    let (sin, cos) = (azimuth(origin, to) / 360.0 * TAU).sin_cos();
                    let metres = geodesic_m(origin, to);
                    (metres * sin, metres * cos)
                })
                .collect();
            let reach = (2.2 * region.bounds().max_m() / lattice_m) as i32;
            let mut cells = 0_u32;
            for x in -reach..=reach {
                for y in -reach..=reach {
                    let (x, y) = (f64::from(x) * lattice_m, f64::from(y) * lattice_m);
                    cells += u32::from(drawn.iter().all(|(east, north)| {
                        let metres = (east - x).hypot(north - y);
                        metres >= region.bounds().min_m() && metres <= region.bounds().max_m()
                    }));
                }
            }
            persons.push(f64::from(cells) * (lattice_m / 1e3).powi(2) * region.density());
        }
        persons.sort_by(f64::total_cmp);
        let mean = persons.iter().sum::<f64>() / f64::from(runs as u32);
        (persons[runs / 2], mean)
    };
    let (one, ten, hundred) = (left(1, 100.0), left(10, 100.0), left(100, 50.0));
    println!(
        "persons left by 1, 10, 100 releases (median, mean): {one:.0?} {ten:.0?} {hundred:.1?}"
    );
    let ((one, _), (ten, _), (hundred, _)) = (one, ten, hundred);
    assert!((9_000.0..12_000.0).contains(&one), "{one}");
    assert!((50.0..1_500.0).contains(&ten), "{ten}");
    assert!(hundred < 20.0, "{hundred}");
}
