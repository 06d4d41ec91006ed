//! A household at one second, of which the truth is known, and what a device makes of it.

use ebp_dataset::{Reading, Register};
use rust_decimal::Decimal;

/// Seconds of a quarter hour.
pub const QUARTER: usize = 900;

/// A repeatable sequence of numbers (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn chance(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }
}

/// What was true, and the readings of it.
pub struct Recorded {
    /// The register at each second, 10^-8 kWh, without resets: what was drawn in all.
    pub truth: Vec<i64>,
    /// The readings, in the order of time.
    pub readings: Vec<Reading>,
    /// Seconds at which the register began anew.
    pub resets: Vec<usize>,
}

/// So many quarter hours of a household that draws up to `most` W, with every kind of fault.
pub fn record(seed: u64, quarters: usize, most: u64) -> Recorded {
    let mut random = Random(seed);
    let mut truth = vec![i64::try_from(random.below(1 << 40)).unwrap()];
    let mut watts = 200;
    for second in 0..quarters * QUARTER {
        if random.chance(120) {
            watts = if random.chance(3) { 0 } else { random.below(most + 1) };
        }
        // A watt for a second is 10^8 / 3.6 * 10^6 units.
        let grown = watts * 1000 / 36 + random.below(20);
        truth.push(truth[second] + i64::try_from(grown.min(2_100_000)).unwrap());
    }
    let (mut readings, mut resets) = (Vec::new(), Vec::new());
    let (mut base, mut locked, mut off) = (0, false, 0_i64);
    for quarter in 0..quarters {
        if random.chance(60) {
            locked = !locked;
        }
        if random.chance(40) {
            off = i64::try_from(random.below(29)).unwrap() - 14;
        } else if random.chance(8) {
            off = 0;
        }
        if random.chance(12) {
            // Nothing was read.
            continue;
        }
        let after = match random.below(20) {
            0 => random.below(890),
            1 => 20 + random.below(100),
            _ => 1 + random.below(3),
        };
        let second = quarter * QUARTER + usize::try_from(after).unwrap();
        // Nothing tells a meter that is set back from one that was not where it shows more again
        // before it was read twice.
        let most = i64::try_from(most).unwrap() * 5 * 100_000;
        if random.chance(300) && truth[second] - base > most {
            base = truth[second];
            resets.push(second);
        }
        let micros = i64::try_from(random.below(1_000_000)).unwrap();
        // In the course of the second the register grows on.
        let part = (truth[second + 1] - truth[second]) * micros / 1_000_000;
        let mut value = truth[second] - base + part;
        if random.chance(100) {
            // A value that the register never reaches.
            value = (1 << 50) + i64::try_from(random.below(1 << 50)).unwrap();
        }
        let (unit, places) = if locked { (100_000_000, 0) } else { (10_000, 4) };
        let register = Register::from_decimal(Decimal::new(value / unit, places)).unwrap();
        let true_at = i64::try_from(second).unwrap() * 1_000_000 + micros;
        let (shift, uncertainty) = if off == 0 { (0, 0) } else { (off * 1_000_000, 15_000_000) };
        let received = true_at + i64::try_from(random.below(1_000_000_000)).unwrap();
        let rank = (received, u128::from(random.next()));
        readings.push(Reading {
            import: Some(register),
            rank,
            uncertainty,
            clock_corrected: off != 0,
            ..Reading::at(true_at + shift)
        });
        if random.chance(50) {
            readings.push(*readings.last().unwrap());
        }
    }
    readings.sort_by_key(|reading| (reading.at, reading.rank));
    Recorded { truth, readings, resets }
}
