//! Among how many persons a household is: to who knows its true region, and to who knows the released
//! point alone. The figures of the book.

#![allow(clippy::unwrap_used, reason = "tests may")]

mod official;

use std::fs::File;

use ebp_anon::{Position, SeededRandomness, geocode::PostalCodes, mask, risk};
use ebp_needs::needs;

/// A part of sorted numbers: the one that so many do not exceed.
fn part(numbers: &[f64], part: f64) -> f64 {
    numbers[((numbers.len() - 1) as f64 * part) as usize]
}

/// Masks every one of the places, and holds what is left to who knows the released point alone
/// against what is left to who knows the region, too.
fn the_point_alone_leaves_more_persons(places: impl Iterator<Item = Position>) {
    let regions = official::regions();
    let mut randomness = SeededRandomness::for_tests(12);
    let (mut region, mut point, mut slivers) = (Vec::new(), Vec::new(), [0, 0]);
    for place in places {
        let Ok(release) = mask(regions, place, &mut randomness) else { continue };
        let risk = risk::assess(regions, &release);
        region.push(risk.persons_in_region);
        point.push(risk.persons_possible);
        for (slivers, persons) in
            slivers.iter_mut().zip([risk.persons_in_region, risk.persons_possible])
        {
            *slivers += u32::from(persons < 1_000.0);
        }
    }
    for (name, numbers) in [("region", &mut region), ("point", &mut point)] {
        numbers.sort_by(f64::total_cmp);
        let [least, low, middle] = [0.0, 0.05, 0.5].map(|it| part(numbers, it));
        println!("{name}: least {least:.0}, 5 % {low:.0}, median {middle:.0}");
    }
    println!("fewer than 1,000: {slivers:?} of {}", region.len());
    assert!(region.len() > 1_000);
    assert!(part(&point, 0.05) > part(&region, 0.05));
    assert!(part(&point, 0.0) > part(&region, 0.0));
    assert!(slivers[1] < slivers[0] || slivers[0] == 0);
}

/// The figures of the book: where people live.
#[needs(postal_codes)]
#[test]
fn the_released_point_alone_leaves_more_persons() {
    let file = official::folder().join("de_plz_centroids_geonames.csv");
    let codes = PostalCodes::read(File::open(file).unwrap()).unwrap();
    // In an order of their own: the table has none, and many points share a latitude.
    let mut places: Vec<_> = codes.iter().map(|(_, place)| place).collect();
    places.sort_by(|one, other| {
        let longitudes = || one.longitude().total_cmp(&other.longitude());
        one.latitude().total_cmp(&other.latitude()).then_with(longitudes)
    });
    the_point_alone_leaves_more_persons(places.into_iter().step_by(8));
}

/// The same all over the country, by a lattice.
#[test]
fn the_released_point_alone_leaves_more_persons_everywhere() {
    let places = (0..45_u32 * 60).filter_map(|step| {
        let (north, east) = (f64::from(step / 60) * 0.18, f64::from(step % 60) * 0.16);
        Position::new(47.2 + north, 5.8 + east).ok()
    });
    the_point_alone_leaves_more_persons(places);
}
