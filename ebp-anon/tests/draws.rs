//! What independent draws around one address would leave that is known to be shared: how far off
//! the best estimate of the address is, and what area it may lie in. The figures of the book.

#![allow(clippy::unwrap_used, reason = "tests may")]

use std::f64::consts::TAU;

use ebp_anon::{DistanceBounds, Randomness, SeededRandomness};

/// East and north, metres; the address is at 0, 0.
type Place = (f64, f64);

/// One draw, uniform by area over the ring.
fn draw(bounds: DistanceBounds, numbers: &mut SeededRandomness) -> Place {
    let (min, max) = (bounds.min_m().powi(2), bounds.max_m().powi(2));
    let metres = (min + (max - min) * numbers.fraction().unwrap()).sqrt();
    let (sin, cos) = (TAU * numbers.fraction().unwrap()).sin_cos();
    (metres * sin, metres * cos)
}

/// The places that may have been released as all of these, by a lattice: their middle, which is the
/// estimate of the least expected square error, and their area, km².
fn possible(bounds: DistanceBounds, draws: &[Place]) -> (Place, f64) {
    let step = bounds.max_m() / 40.0;
    let (mut east, mut north, mut count) = (0.0, 0.0, 0.0_f64);
    for x in -40..=40 {
        for y in -40..=40 {
            let at = (draws[0].0 + f64::from(x) * step, draws[0].1 + f64::from(y) * step);
            let within = |draw: &Place| {
                let metres = (draw.0 - at.0).hypot(draw.1 - at.1);
                metres >= bounds.min_m() && metres <= bounds.max_m()
            };
            if draws.iter().all(within) {
                (east, north, count) = (east + at.0, north + at.1, count + 1.0);
            }
        }
    }
    // None of the lattice's points: the draws' own middle is as good.
    if count == 0.0 {
        let of = |each: fn(&Place) -> f64| draws.iter().map(each).sum::<f64>() / draws.len() as f64;
        return ((of(|draw| draw.0), of(|draw| draw.1)), 0.0);
    }
    ((east / count, north / count), count * (step / 1e3).powi(2))
}

/// The middle one.
fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

#[test]
fn what_draws_around_a_shared_address_leave() {
    let runs = 200;
    let mut numbers = SeededRandomness::for_tests(12);
    for (name, density) in [("sparse", 36.0), ("dense", 4_736.0)] {
        let bounds = DistanceBounds::of_density(density).unwrap();
        let mut errors = Vec::new();
        for draws in [1, 2, 3, 5, 10] {
            let (mut far, mut areas) = (Vec::new(), Vec::new());
            for _ in 0..runs {
                let drawn: Vec<Place> = (0..draws).map(|_| draw(bounds, &mut numbers)).collect();
                let (estimate, area) = possible(bounds, &drawn);
                far.push(estimate.0.hypot(estimate.1));
                areas.push(area);
            }
            let (error, area) = (median(far), median(areas));
            let persons = area * density;
            println!("{name}: {draws} draws, error {error:.0} m, {area:.2} km², {persons:.0}");
            errors.push(error / bounds.max_m());
        }
        // One draw is itself the estimate; each further one tells more, and ten leave a part.
        assert!((0.6..0.85).contains(&errors[0]), "{errors:?}");
        assert!(errors.windows(2).all(|pair| pair[1] < pair[0]), "{errors:?}");
        assert!((0.02..0.25).contains(&errors[4]), "{errors:?}");
    }
}
