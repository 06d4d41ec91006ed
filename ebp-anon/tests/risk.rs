//! Among how many persons a household is: to who knows its true region, and to who knows the released
//! point alone. The figures of the book.

#![allow(clippy::unwrap_used, reason = "tests may")]

mod official;

use std::fs::File;

use ebp_anon::{SeededRandomness, geocode::PostalCodes, mask, risk};

/// A part of sorted numbers: the one that so many do not exceed.
fn part(numbers: &[f64], part: f64) -> f64 {
    numbers[((numbers.len() - 1) as f64 * part) as usize]
}

#[test]
fn the_released_point_alone_leaves_more_persons() {
    let test = "the_released_point_alone_leaves_more_persons";
    let Some(regions) = official::regions(test) else { return };
    let file = official::folder(test).unwrap().join("de_plz_centroids_geonames.csv");
    let codes = PostalCodes::read(File::open(file).unwrap()).unwrap();
    let mut randomness = SeededRandomness::for_tests(12);
    let (mut region, mut point, mut slivers) = (Vec::new(), Vec::new(), [0, 0]);
    // In an order of their own: the table has none.
    let mut places: Vec<_> = codes.iter().map(|(_, place)| place).collect();
    places.sort_by(|one, other| one.latitude().total_cmp(&other.latitude()));
    for place in places.into_iter().step_by(8) {
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
