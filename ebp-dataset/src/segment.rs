//! Segments, in which a register is continuous, and the bounds that follow from their readings.

use serde::{Deserialize, Serialize};

use crate::rules::Rules;

/// A reading of a register. It shows `value`, so the register's true value is at least `value` and
/// less than `value + resolution`, at an instant within `uncertainty` of `at`. Units: 10^-8 kWh,
/// microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// The stated instant.
    pub at: i64,
    /// The value shown.
    pub value: i64,
    /// One unit of its last decimal.
    pub resolution: i64,
    /// How far `at` may be off.
    pub uncertainty: i64,
    /// Whether the instant was corrected afterwards.
    pub corrected: bool,
}

impl Point {
    /// The earliest instant at which the register may have been read.
    pub(crate) const fn earliest(&self) -> i64 {
        self.at.saturating_sub(self.uncertainty)
    }

    /// The latest instant at which the register may have been read.
    pub(crate) const fn latest(&self) -> i64 {
        self.at.saturating_add(self.uncertainty)
    }

    /// The value below which the register is.
    pub(crate) const fn above(&self) -> i64 {
        self.value.saturating_add(self.resolution)
    }
}

/// What the readings of a segment so far imply for later readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// The least value of the register from `until` on.
    floor: i64,
    /// The latest instant at which one of the readings may have been taken.
    until: i64,
    /// The register was below this value at `since`.
    ceiling: i64,
    /// The instant from which on the register can have grown beyond `ceiling`.
    since: i64,
    /// `ceiling` and `since` computed with the stated instants; they decide whether another reading
    /// fits.
    limit: (i64, i64),
}

impl Past {
    /// The state after a segment's first reading.
    #[must_use]
    pub const fn begin(point: &Point) -> Self {
        Self {
            floor: point.value,
            until: point.latest(),
            ceiling: point.above(),
            since: point.earliest(),
            limit: (point.above(), point.at),
        }
    }

    /// The state after one more reading, which has to fit.
    #[must_use]
    pub fn and(self, rules: Rules, point: &Point) -> Self {
        let new = Self::begin(point);
        let closer = |old, new| if rules.is_closer(old, new) { old } else { new };
        let (ceiling, since) = closer((self.ceiling, self.since), (new.ceiling, new.since));
        Self {
            limit: closer(self.limit, new.limit),
            floor: self.floor.max(point.value),
            until: self.until.max(point.latest()),
            ceiling,
            since,
        }
    }

    /// Whether the reading is possible after the readings so far: the register never falls, and
    /// grows no faster than the meter's greatest power allows, both within the readings'
    /// resolutions.
    #[must_use]
    pub fn fits(&self, rules: Rules, point: &Point) -> bool {
        let grown = rules.growth(point.at.saturating_sub(self.limit.1));
        point.above() > self.floor && point.value <= self.limit.0.saturating_add(grown)
    }

    /// The least value that the register can have at an instant.
    pub(crate) fn lowest(&self, rules: Rules, at: i64) -> i64 {
        self.floor.saturating_sub(rules.growth(self.until.saturating_sub(at)))
    }

    /// The greatest value that the register can have at an instant.
    pub(crate) fn highest(&self, rules: Rules, at: i64) -> i64 {
        self.ceiling.saturating_add(rules.growth(at.saturating_sub(self.since)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;
    const KWH: i64 = 100_000_000;

    fn point(second: i64, value: i64, resolution: i64) -> Point {
        Point { at: second * SECOND, value, resolution, uncertainty: 0, corrected: false }
    }

    #[test]
    fn it_never_falls_and_grows_so_fast_at_most() {
        let rules = Rules::default();
        let past = Past::begin(&point(0, 100 * KWH, 10_000));
        let fits = |second, value| past.fits(rules, &point(second, value, 10_000));
        assert!(fits(900, 100 * KWH));
        assert!(!fits(900, 100 * KWH - 10_000));
        // 75.9 kW for a quarter of an hour, and one unit.
        let most = 100 * KWH + 1_897_500_000 + 10_000;
        assert!(fits(900, most));
        assert!(!fits(900, most + 10_000));
    }

    #[test]
    fn a_locked_meter_among_open_readings_goes_on() {
        let rules = Rules::default();
        let past = Past::begin(&point(0, 1_234_590_000_000, 10_000));
        for whole in [12_345, 12_346] {
            let locked = point(900, whole * KWH, KWH);
            assert!(past.fits(rules, &locked), "{whole}");
        }
        assert!(!past.fits(rules, &point(900, 12_344 * KWH, KWH)));
        // What was known before the meter was locked still holds.
        let past = past.and(rules, &point(900, 12_345 * KWH, KWH));
        assert!(!past.fits(rules, &point(1800, 1_234_520_000_000, 10_000)));
        assert!(past.fits(rules, &point(1800, 1_234_590_000_000, 10_000)));
    }
}
