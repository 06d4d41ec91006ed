//! Bounds contain what was true, whatever happened to the readings.

use ebp_dataset::{Boundary, Quality};

use super::{
    cases::quarters,
    household::{QUARTER, record},
};

/// 6 households of 180 days: 103,680 quarter hours.
const DAYS: usize = 180;

#[test]
fn the_truth_is_never_outside_of_the_bounds() {
    let (mut seen, mut measured, mut resets, mut outside) = (0, 0, 0, Vec::new());
    for seed in 0..6 {
        // Up to what a household draws, and up to what the meter carries.
        let most = if seed % 2 == 0 { 9_000 } else { 75_000 };
        let recorded = record(seed, DAYS * 96, most);
        resets += recorded.resets.len();
        for row in quarters(&recorded.readings) {
            let at = |boundary: &Boundary| usize::try_from(boundary.at / 1_000_000).ok();
            let Some((start, end)) = row.import.start.zip(row.import.end) else { continue };
            let Some((from, to)) = at(&start).zip(at(&end)) else { continue };
            let interval = row.import.interval();
            let Some((lo, hi)) = interval.bounds else { continue };
            assert_eq!(to - from, QUARTER);
            seen += 1;
            measured += usize::from(interval.quality == Quality::Measured);
            let truth = recorded.truth[to] - recorded.truth[from];
            let energy = interval.energy.unwrap_or(lo);
            if truth < lo.0 || truth > hi.0 || energy < lo || energy > hi {
                outside.push((seed, row.slot, truth, lo, hi));
            }
        }
    }
    assert!(outside.is_empty(), "{} outside: {:?}", outside.len(), &outside[..1]);
    assert!(seen > 100_000 && measured > 30_000 && resets > 200, "{seen}, {measured}, {resets}");
}
