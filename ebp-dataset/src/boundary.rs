//! The register at a boundary, out of the readings around it.
//!
//! Every reading of the segment bounds the register: it was no less than what was shown before, it
//! is no more than what is shown later, and between the two it grew by what the meter's power allows
//! at most. The bounds contain the truth whatever happened in between; the value is what a constant
//! power between the two nearest readings gives, and counts only where one of them is near.

use serde::{Deserialize, Serialize};

use crate::{
    energy::Energy,
    flag::Quality,
    rules::Rules,
    segment::{Past, Point},
};

/// A register at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boundary {
    /// The instant, microseconds since the Unix epoch.
    pub at: i64,
    /// Which continuous stretch of the register it lies in; counts from 1.
    pub segment: u32,
    /// The value, between the bounds.
    pub value: Energy,
    /// What it is at least.
    pub lo: Energy,
    /// What it is at most.
    pub hi: Energy,
    /// How far the nearest reading is, microseconds.
    pub offset: i64,
    /// Whether the nearest reading is no farther than a minute, its uncertainty added.
    pub near: bool,
    /// Whether the nearest reading has too few decimals.
    pub coarse: bool,
    /// Whether the nearest reading's time was set right afterwards.
    pub corrected: bool,
}

impl Boundary {
    /// Whether the value is known: the nearest reading is near and fine.
    #[must_use]
    pub const fn is_resolved(&self) -> bool {
        self.near && !self.coarse
    }
}

/// The register at a boundary.
///
/// `previous` is the last reading used at or before it and `before` what the segment's readings
/// before that one say. `following` are the segment's next used readings, the first of them at the
/// boundary or behind it; `ended` says that there will never be others. They are looked at until one
/// is decisive: exact in time and to 0.0001 kWh, or showing as much as the register can have been at
/// the boundary; at most [`Rules::LOOK_AHEAD`] behind it, but for the first. What comes later cannot
/// narrow the bounds by more than the decisive one's last decimal.
///
/// Nothing where `following` does not reach that far.
#[must_use]
pub fn boundary<'a>(
    rules: Rules,
    (at, segment): (i64, u32),
    before: Option<&Past>,
    previous: &Point,
    following: impl IntoIterator<Item = &'a Point>,
    ended: bool,
) -> Option<Boundary> {
    let own = Past::begin(previous);
    let (mut lo, mut hi) = (own.lowest(rules, at), own.highest(rules, at));
    if let Some(before) = before {
        lo = lo.max(before.lowest(rules, at));
        hi = hi.min(before.highest(rules, at));
    }
    let mut next = None;
    let mut is_final = ended;
    for point in following {
        if next.is_some() && point.at.saturating_sub(at) > Rules::LOOK_AHEAD {
            is_final = true;
            break;
        }
        next = next.or(Some(point));
        let own = Past::begin(point);
        lo = lo.max(own.lowest(rules, at));
        hi = hi.min(own.highest(rules, at));
        let is_exact = point.uncertainty == 0 && point.resolution <= Rules::DECISIVE;
        if is_exact || point.value >= hi {
            is_final = true;
            break;
        }
    }
    let next = next.filter(|_| is_final)?;
    let value = interpolate(previous, next, at).max(lo).min(hi);
    let distance = |point: &Point| point.at.abs_diff(at);
    let rank = |point: &Point| {
        (distance(point).saturating_add(point.uncertainty.unsigned_abs()), point.resolution)
    };
    let nearest = if rank(next) < rank(previous) { next } else { previous };
    Some(Boundary {
        at,
        segment,
        value: Energy(value),
        lo: Energy(lo),
        hi: Energy(hi),
        offset: i64::try_from(distance(nearest)).unwrap_or(i64::MAX),
        near: rank(nearest).0 <= Rules::NEAR.unsigned_abs(),
        coarse: nearest.resolution > Rules::FINE,
        corrected: nearest.corrected,
    })
}

/// What a constant power between two readings gives, rounded half to even to the finer one's last
/// decimal.
fn interpolate(previous: &Point, next: &Point, at: i64) -> i64 {
    let unit = previous.resolution.min(next.resolution).max(1);
    let whole = next.at.saturating_sub(previous.at);
    if whole <= 0 {
        return previous.value;
    }
    let part = at.saturating_sub(previous.at);
    let grown = next.value.saturating_sub(previous.value);
    let units = previous.value.div_euclid(unit);
    let more = match (grown.checked_mul(part), whole.checked_mul(unit)) {
        (Some(share), Some(of)) => round(share.div_euclid(of), share.rem_euclid(of), of, units),
        _ => {
            let share = i128::from(grown) * i128::from(part);
            let of = i128::from(whole) * i128::from(unit);
            let more = i64::try_from(share.div_euclid(of)).unwrap_or(0);
            round(more, share.rem_euclid(of), of, units)
        }
    };
    units.saturating_add(more).saturating_mul(unit)
}

/// `more` and `rest` of `of`, rounded half to where the sum with `units` is even.
fn round<T>(more: i64, rest: T, of: T, units: i64) -> i64
where
    T: Copy + Ord + std::ops::Sub<Output = T>,
{
    let up = match rest.cmp(&(of - rest)) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => units.wrapping_add(more) & 1 != 0,
    };
    more.saturating_add(i64::from(up))
}

/// Energy between two boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    /// The energy, where the register is known at both.
    pub energy: Option<Energy>,
    /// What it is at least and at most, where the register is continuous between them.
    pub bounds: Option<(Energy, Energy)>,
    /// Whether there is an energy, in a word.
    pub quality: Quality,
}

impl Interval {
    /// Of which nothing is known.
    pub const MISSING: Self = Self { energy: None, bounds: None, quality: Quality::Missing };

    /// With the energy that a constant power over gaps gives, where none is measured and the
    /// register is continuous. Whoever shows it marks it by
    /// [`Flag::Interpolated`](crate::Flag::Interpolated).
    #[must_use]
    pub fn filled(self, start: Option<&Boundary>, end: Option<&Boundary>) -> Self {
        match (self.quality, self.bounds, start, end) {
            // Coarse readings may show less at the end than at the start, or more than can be.
            (Quality::Missing, Some((lo, hi)), Some(start), Some(end)) => Self {
                energy: Some((end.value - start.value).max(lo).min(hi)),
                quality: Quality::Interpolated,
                ..self
            },
            _ => self,
        }
    }
}

/// Energy between two boundaries, of which either may not exist.
#[must_use]
pub fn interval(start: Option<&Boundary>, end: Option<&Boundary>) -> Interval {
    let (Some(start), Some(end)) = (start, end) else { return Interval::MISSING };
    if start.segment != end.segment {
        return Interval::MISSING;
    }
    let is_known = start.is_resolved() && end.is_resolved();
    Interval {
        energy: is_known.then_some(end.value - start.value),
        bounds: Some(((end.lo - start.hi).max(Energy::ZERO), end.hi - start.lo)),
        quality: if is_known { Quality::Measured } else { Quality::Missing },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(at: i64, value: i64, resolution: i64) -> Point {
        Point { at, value, resolution, uncertainty: 0, corrected: false }
    }

    #[test]
    fn values_are_rounded_half_to_even() {
        let between = |from, to, at| interpolate(&point(0, from, 10), &point(4, to, 10), at);
        assert_eq!([between(0, 20, 1), between(20, 40, 1), between(0, 60, 1)], [0, 20, 20]);
        assert_eq!([between(0, 40, 3), between(0, 20, 3), between(0, 60, 3)], [30, 20, 40]);
        // A coarse reading may show less than a fine one before it.
        assert_eq!(interpolate(&point(0, 90, 10), &point(4, 0, 100), 2), 40);
        let far = point(i64::MAX, i64::MAX, 1);
        assert_eq!(interpolate(&point(0, 0, 1), &far, 7), 7);
    }

    #[test]
    fn what_is_filled_lies_within_its_bounds() {
        let at = |value, lo, hi| Boundary {
            at: 0,
            segment: 1,
            value: Energy(value),
            lo: Energy(lo),
            hi: Energy(hi),
            offset: 1,
            near: true,
            coarse: true,
            corrected: false,
        };
        let filled = |start: Boundary, end: Boundary| {
            let between = interval(Some(&start), Some(&end));
            (between.energy, between.filled(Some(&start), Some(&end)).energy)
        };
        assert_eq!(filled(at(90, 0, 100), at(40, 0, 120)), (None, Some(Energy(0))));
        assert_eq!(filled(at(10, 10, 10), at(40, 10, 120)), (None, Some(Energy(30))));
        assert_eq!(filled(at(10, 60, 70), at(200, 60, 120)), (None, Some(Energy(60))));
    }

    #[test]
    fn it_is_open_until_a_reading_is_decisive() {
        let rules = Rules::default();
        let kwh = 100_000_000;
        let previous = point(-899_000_000, 12_345 * kwh + 90_000_000, 10_000);
        let locked = [point(1_000_000, 12_346 * kwh, kwh), point(901_000_000, 12_346 * kwh, kwh)];
        let at = |following: &[Point], ended| {
            boundary(rules, (0, 1), None, &previous, following, ended).map(|it| (it.lo, it.hi))
        };
        assert_eq!(at(&locked, false), None);
        let known = at(&locked, true).unwrap();
        // Another kilowatt hour says no more than that it was not yet counted.
        let reached = [locked[0], point(901_000_000, 12_348 * kwh, kwh)];
        assert_eq!(at(&reached, false), Some(known));
        let late = [locked[0], point(Rules::LOOK_AHEAD + 1, 12_346 * kwh, kwh)];
        assert_eq!(at(&late, false), Some(known));
        let fine = [locked[0], locked[1], point(1_801_000_000, 12_346 * kwh, 10_000)];
        assert_eq!(at(&fine, false), Some((known.0, Energy(12_346 * kwh + 10_000))));
    }
}
