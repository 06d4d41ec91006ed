//! Whatever readings come in, in whatever order: rows follow one another, a boundary's value lies
//! between its bounds, and a series that is written down and read in again goes on alike.

#![no_main]

use ebp_dataset::{MeterSeries, QUARTER, Quarter, Reading, Register, Rules, Window};
use libfuzzer_sys::{arbitrary, arbitrary::Arbitrary, fuzz_target};
use rust_decimal::Decimal;

/// A meter's reading in small numbers, so that inputs stay short.
#[derive(Debug, Arbitrary)]
struct Given {
    /// Quarter hours after the one before, and parts of one.
    slots: i16,
    part: u32,
    import: Option<(i32, u8)>,
    export: Option<(i32, u8)>,
    rank: u8,
    uncertainty: u32,
    flags: u8,
}

/// A hundred days around 1970: more would be rows of ages.
const WINDOW: Window = Window { from: -50 * 96 * QUARTER, to: 50 * 96 * QUARTER };

fn reading(at: &mut i64, given: &Given) -> Reading {
    let register = |of: Option<(i32, u8)>| {
        of.and_then(|(value, places)| {
            Register::from_decimal(Decimal::new(value.into(), u32::from(places % 13)))
        })
    };
    *at = at.saturating_add(i64::from(given.slots) * QUARTER + i64::from(given.part));
    Reading {
        rank: (given.rank.into(), 0),
        import: register(given.import),
        export: register(given.export),
        uncertainty: given.uncertainty.into(),
        clock_corrected: given.flags & 1 != 0,
        power_out_of_range: given.flags & 2 != 0,
        another_meter: given.flags & 0xf0 == 0xf0,
        ..Reading::at(*at)
    }
}

fuzz_target!(|given: Vec<Given>| {
    let mut at = 0;
    let mut series = MeterSeries::new(Rules::default()).within(WINDOW);
    let mut rows: Vec<Quarter> = Vec::new();
    for (number, given) in given.iter().enumerate() {
        let _ = series.push(&reading(&mut at, given), &mut |row| rows.push(row));
        if number % 8 == 7 {
            let written = serde_json::to_string(&series).unwrap();
            let read: MeterSeries = serde_json::from_str(&written).unwrap();
            assert_eq!(read, series);
            series = read;
        }
    }
    series.finish(&mut |row| rows.push(row));
    for pair in rows.windows(2) {
        assert_eq!(pair[0].end(), pair[1].slot);
        assert_eq!(pair[0].import.end, pair[1].import.start);
    }
    for row in &rows {
        for boundary in [row.import.start, row.export.end].into_iter().flatten() {
            assert!(boundary.lo <= boundary.value && boundary.value <= boundary.hi, "{boundary:?}");
        }
    }
});
