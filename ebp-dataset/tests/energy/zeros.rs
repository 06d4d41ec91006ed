//! Programs on devices drop trailing zeros, so that a register shows fewer decimals than its meter has.

use ebp_core::contract::StoredMeasurement;
use ebp_dataset::{Interval, Quality, Reading};
use rust_decimal::Decimal;
use serde_json::json;

use super::{cases::quarters, household::Random};

/// Quarter hours of the test: 200 days.
const QUARTERS: i64 = 200 * 96;

/// A reading as it is stored: with the decimals that the meter has, or without trailing zeros.
fn reading(quarter: i64, registers: &[i64], drops_zeros: bool) -> Reading {
    let codes = ["0100010800ff", "0100020800ff"];
    let point = |(code, value): (&str, &i64)| {
        let value = Decimal::new(*value, 4);
        let value = if drops_zeros { value.normalize() } else { value };
        let number: serde_json::Number = value.to_string().parse().unwrap();
        json!({ code: number })
    };
    let data: Vec<_> = codes.into_iter().zip(registers).map(point).collect();
    let at = jiff::Timestamp::from_second(1_800_000_000 + quarter * 900 + 1).unwrap();
    let stored: StoredMeasurement = serde_json::from_value(json!({
        "uuid": uuid::Uuid::from_u128(u128::try_from(quarter).unwrap()),
        "measured_at": at, "received_at": at, "data": data,
    }))
    .unwrap();
    Reading::from_stored(&stored)
}

/// Both series of a meter: with all decimals, and without trailing zeros.
fn series(show: impl Fn(i64, i64) -> Vec<i64>) -> [Vec<ebp_dataset::Quarter>; 2] {
    [false, true].map(|drops_zeros| {
        let mut random = Random(7);
        let (mut import, mut export) = (123_456_789, 0);
        let mut readings = Vec::new();
        for quarter in 0..QUARTERS {
            let sun = quarter % 96 > 30 && quarter % 96 < 70;
            let grown = i64::try_from(random.below(9_000)).unwrap();
            if sun {
                export += grown
            } else {
                import += grown
            }
            readings.push(reading(quarter, &show(import, export), drops_zeros));
        }
        quarters(&readings)
    })
}

/// The same energy, but for the last decimal that both readings at a boundary show.
fn assert_alike(whole: Interval, dropped: Interval) {
    let (Some(whole), Some(dropped)) = (whole.energy, dropped.energy) else {
        return assert_eq!(whole.energy, dropped.energy);
    };
    assert!(whole.0.abs_diff(dropped.0) <= 1_000_000, "{whole:?} and {dropped:?}");
}

fn measured(rows: &[ebp_dataset::Quarter]) -> usize {
    rows.iter().filter(|row| row.import.interval().quality == Quality::Measured).count()
}

/// A meter that is not locked shows decimals in one of its registers, and cuts none of them.
#[test]
fn with_two_registers_no_quarter_hour_is_lost() {
    let [whole, dropped] = series(|import, export| vec![import, export]);
    assert_eq!(whole.len(), dropped.len());
    for (whole, dropped) in whole.iter().zip(&dropped) {
        for [whole, dropped] in [[&whole.import, &dropped.import], [&whole.export, &dropped.export]]
        {
            let [whole, dropped] = [whole, dropped].map(|row| row.interval());
            assert_alike(whole, dropped);
        }
    }
    assert_eq!(measured(&whole), measured(&dropped));
    // Nothing was ever fed in: the register shows 0 for ever.
    let [whole, dropped] = series(|import, _| vec![import, 0]);
    let exports = |rows: &[ebp_dataset::Quarter]| {
        let is_measured =
            |row: &&ebp_dataset::Quarter| row.export.interval().quality == Quality::Measured;
        rows.iter().filter(is_measured).count()
    };
    // The other register ends with three zeros in one reading of a thousand.
    let lost = exports(&whole) - exports(&dropped);
    assert!(exports(&whole) > 19_000 && lost < 80, "{} of {}", lost, exports(&whole));
}

/// One register alone does not tell a locked meter from one that happens to show zeros.
#[test]
fn with_one_register_two_quarter_hours_in_a_thousand_are_lost() {
    let [whole, dropped] = series(|import, export| vec![import + export]);
    let lost = measured(&whole) - measured(&dropped);
    assert!((10..80).contains(&lost), "{lost}");
    for (whole, dropped) in whole.iter().zip(&dropped) {
        let [whole, dropped] = [whole, dropped].map(|row| row.import.interval());
        if dropped.energy.is_some() {
            assert_alike(whole, dropped);
        }
    }
}

/// A locked meter cuts both registers.
#[test]
fn a_locked_meter_stays_coarse() {
    let [whole, dropped] =
        series(|import, export| vec![import / 10_000 * 10_000, export / 10_000 * 10_000]);
    assert!(measured(&dropped) == 0, "{} and {}", measured(&whole), measured(&dropped));
}
