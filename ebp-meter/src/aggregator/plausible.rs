//! Checks whether a meter's values are plausible.
//!
//! Enters: a reading, the ones before it, what the meter can carry at most. Leaves: [`Flag`]s.
//! Absent: dropping values; the evaluation decides about flagged ones.
//!
//! A reading is compared with the one before it and with the last that had no flag, and is doubtful
//! where it fits neither. So one corrupt value does not make the good one after it doubtful, and
//! another meter in the old one's place is flagged only once.

use ebp_core::{
    model::{DataPoint, Flag},
    obis::ObisCode,
};
use jiff::Timestamp;
use rust_decimal::Decimal;

use super::LastReading;

/// The maximum power of a directly connected meter, if its profile does not give one: three phases
/// of 100 A, the largest rating of such meters (IEC 62052-11 lists maximum currents up to that for
/// household use), at 253 V, the upper end of the supply voltage (EN 50160): 75.9 kW.
pub const DEFAULT_MAX_KILOWATTS: Decimal = Decimal::from_parts(759, 0, 0, false, 1);

/// Registers that only grow.
const ENERGIES: [ObisCode; 2] = [ObisCode::POSITIVE_ENERGY, ObisCode::NEGATIVE_ENERGY];
/// Powers.
const POWERS: [ObisCode; 3] =
    [ObisCode::SUM_POWER, ObisCode::POSITIVE_POWER, ObisCode::NEGATIVE_POWER];

/// The flags of `data`, measured at that time; `None` if the clock was not right.
#[must_use]
pub fn flags(
    data: &[DataPoint],
    at: Option<Timestamp>,
    before: &[&LastReading],
    max_kilowatts: Decimal,
) -> Vec<Flag> {
    let mut found = Vec::new();
    if !before.is_empty() && before.iter().all(|last| ran_backwards(data, last)) {
        found.push(Flag::RegisterRanBackwards);
    }
    let too_strong = POWERS
        .iter()
        .any(|code| value(data, *code).is_some_and(|power| power.abs() > max_kilowatts));
    let too_fast = at.is_some_and(|at| {
        !before.is_empty() && before.iter().all(|last| grew_too_fast(data, at, last, max_kilowatts))
    });
    if too_strong || too_fast {
        found.push(Flag::PowerOutOfRange);
    }
    found
}

fn value(data: &[DataPoint], code: ObisCode) -> Option<Decimal> {
    data.iter().find(|point| point.obis == code).map(|point| point.value)
}

/// The energy registers that both readings have: before and now.
fn registers(data: &[DataPoint], last: &LastReading) -> impl Iterator<Item = (Decimal, Decimal)> {
    ENERGIES.into_iter().filter_map(|code| Some((value(&last.data, code)?, value(data, code)?)))
}

/// A locked meter cuts its registers off to whole kilowatt hours, so that one which has locked
/// itself seems to go backwards: a whole number is compared with whole numbers only.
fn ran_backwards(data: &[DataPoint], last: &LastReading) -> bool {
    registers(data, last).any(|(before, now)| match before.scale().min(now.scale()) {
        0 => now.trunc() < before.trunc(),
        _ => now < before,
    })
}

fn grew_too_fast(
    data: &[DataPoint],
    at: Timestamp,
    last: &LastReading,
    max_kilowatts: Decimal,
) -> bool {
    let milliseconds = at.duration_since(last.measured_at).as_millis().max(0);
    let hours = i64::try_from(milliseconds)
        .ok()
        .and_then(|ms| Decimal::from(ms).checked_div(Decimal::from(3_600_000)));
    // After ages anything is possible.
    let Some(most) = hours.and_then(|hours| hours.checked_mul(max_kilowatts)) else { return false };
    registers(data, last).any(|(before, now)| {
        // One step of the coarser register on top.
        let step = Decimal::new(1, before.scale().min(now.scale()));
        now.checked_sub(before).is_some_and(|grown| grown > most + step)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point(obis: ObisCode, value: &str) -> DataPoint {
        DataPoint { obis, value: value.parse().unwrap() }
    }

    fn energy(value: &str) -> Vec<DataPoint> {
        vec![point(ObisCode::POSITIVE_ENERGY, value)]
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + 60 * minute).unwrap()
    }

    fn last(minute: i64, value: &str) -> LastReading {
        LastReading { measured_at: at(minute), data: energy(value) }
    }

    fn check(data: &[DataPoint], minute: i64, before: &[&LastReading]) -> Vec<Flag> {
        flags(data, Some(at(minute)), before, DEFAULT_MAX_KILOWATTS)
    }

    #[test]
    fn registers_do_not_run_backwards() {
        let before = last(0, "100.5");
        assert_eq!(check(&energy("100.5"), 15, &[&before]), []);
        assert_eq!(check(&energy("100.4"), 15, &[&before]), [Flag::RegisterRanBackwards]);
        // Locked in between: whole kilowatt hours.
        assert_eq!(check(&energy("100"), 15, &[&before]), []);
        assert_eq!(check(&energy("99"), 15, &[&before]), [Flag::RegisterRanBackwards]);
        let export = [point(ObisCode::NEGATIVE_ENERGY, "1")];
        assert_eq!(check(&export, 15, &[&before]), [], "another register");
    }

    #[test]
    fn registers_grow_no_faster_than_the_meter_carries() {
        // 75.9 kW for a quarter of an hour is 18.975 kWh.
        let before = last(0, "100.000");
        assert_eq!(check(&energy("118.975"), 15, &[&before]), []);
        assert_eq!(check(&energy("118.977"), 15, &[&before]), [Flag::PowerOutOfRange]);
        assert_eq!(check(&energy("118.977"), 16, &[&before]), []);
        assert_eq!(flags(&energy("900"), None, &[&before], DEFAULT_MAX_KILOWATTS), []);
        // A clock that was set back: no time has passed.
        assert_eq!(check(&energy("101"), -60, &[&before]), [], "one step of whole kWh");
        assert_eq!(check(&energy("102"), -60, &[&before]), [Flag::PowerOutOfRange]);
    }

    #[test]
    fn powers_are_within_range_in_both_directions() {
        for (power, doubtful) in [("75.9", false), ("-75.9", false), ("76", true), ("-90", true)] {
            let flags = check(&[point(ObisCode::SUM_POWER, power)], 0, &[]);
            assert_eq!(!flags.is_empty(), doubtful, "{power}");
        }
    }

    #[test]
    fn doubt_ends_with_the_value_that_caused_it() {
        let (good, corrupt) = (last(0, "100.5"), last(15, "9100.5"));
        assert_eq!(check(&energy("9100.5"), 15, &[&good]), [Flag::PowerOutOfRange]);
        assert_eq!(check(&energy("100.7"), 30, &[&corrupt, &good]), []);
        // Another meter: doubtful once.
        let exchanged = last(15, "0.1");
        assert_eq!(check(&energy("0.1"), 15, &[&good]), [Flag::RegisterRanBackwards]);
        assert_eq!(check(&energy("0.3"), 30, &[&exchanged, &good]), []);
    }

    proptest! {
        /// Whatever a meter shows: no panic, each flag at most once, and an unchanged reading is
        /// never doubtful.
        #[test]
        fn anything_goes_in(a in any::<i64>(), b in any::<i64>(), scales in (0..28_u32, 0..28_u32),
                            minutes in -100_000_000..100_000_000_i64) {
            let [a, b] = [(a, scales.0), (b, scales.1)].map(|(n, s)| Decimal::new(n, s));
            let data = |value| vec![DataPoint { obis: ObisCode::POSITIVE_ENERGY, value }];
            let before = LastReading { measured_at: at(0), data: data(a) };
            let found = check(&data(b), minutes, &[&before]);
            prop_assert!(found.len() <= 2);
            let mut once = found.clone();
            once.dedup();
            prop_assert_eq!(once, found);
            prop_assert_eq!(check(&data(a), minutes, &[&before]), []);
        }
    }
}
