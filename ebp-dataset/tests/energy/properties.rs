//! What must hold for any readings.

use ebp_dataset::{
    Boundary, Calendar, Energy, EnergyStep, Interval, MeterSeries, Past, Periods, Point, QUARTER,
    Quality, Quarter, Reading, Register, Rules, Spans, Window, boundary,
};
use proptest::{collection::vec, prelude::*};
use rust_decimal::Decimal;

use super::{cases::quarters, household::record};

/// Two months, or rows of ages would be made.
const WINDOW: Window = Window { from: -30 * 96 * QUARTER, to: 30 * 96 * QUARTER };

fn limited(readings: &[Reading]) -> Vec<Quarter> {
    let mut series = MeterSeries::new(Rules::default()).within(WINDOW);
    let mut rows = Vec::new();
    for reading in readings {
        // Those out of order are left out.
        let _ = series.push(reading, &mut |row| rows.push(row));
    }
    series.finish(&mut |row| rows.push(row));
    rows
}

fn register() -> impl Strategy<Value = Option<Register>> {
    let decimal = (any::<i64>(), 0..12_u32).prop_map(|(value, places)| Decimal::new(value, places));
    let usual = (0..50_000_i64, 0..5_u32)
        .prop_map(|(value, places)| Decimal::new(value * 10_i64.pow(places) / 100, places));
    let wide = decimal.prop_map(Register::from_decimal);
    prop_oneof![Just(None), usual.prop_map(Register::from_decimal), wide]
}

fn reading() -> impl Strategy<Value = Reading> {
    let at = prop_oneof![
        (0..300_i64).prop_map(|slot| slot * QUARTER),
        (0..300_i64, 0..QUARTER).prop_map(|(slot, part)| slot * QUARTER + part),
        (-60..60_i64).prop_map(|day| day * 96 * QUARTER),
        any::<i64>(),
    ];
    let uncertainty = prop_oneof![Just(0_i64), 0..20_000_000_i64, any::<i64>()];
    let flags = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.05));
    (at, any::<(i64, u8)>(), register(), register(), any::<Option<i64>>(), uncertainty, flags)
        .prop_map(|(at, rank, import, export, power, uncertainty, flags)| Reading {
            at,
            rank: (rank.0 & 3, rank.1.into()),
            import,
            export,
            power,
            uncertainty,
            clock_corrected: flags.0,
            power_out_of_range: flags.1,
            another_meter: flags.2,
        })
}

fn readings() -> impl Strategy<Value = Vec<Reading>> {
    vec(reading(), 0..40).prop_map(|mut readings| {
        readings.sort_by_key(|reading| reading.at);
        readings
    })
}

/// Registers grow and are seldom set back or lost.
fn plausible() -> impl Strategy<Value = Vec<Reading>> {
    let step = (1..4_i64, 0..QUARTER / 2, 0..90_000_i64, 0..40_u8);
    vec(step, 2..200).prop_map(|steps| {
        let (mut slot, mut value, mut readings) = (0, 10_000_000_i64, Vec::new());
        for (skip, after, grown, what) in steps {
            slot += if what < 30 { 1 } else { skip };
            value += grown * skip;
            let after = if what % 4 == 0 { after } else { after % 5_000_000 };
            let (shown, places) = match what {
                39 => (value / 7, 4),
                36..=38 => (value / 10_000, 0),
                34 | 35 => (value / 100, 2),
                _ => (value, 4),
            };
            let import = Register::from_decimal(Decimal::new(shown, places));
            let export = (what != 33).then(|| Register::from_decimal(Decimal::new(value / 3, 4)));
            let export = export.flatten();
            readings.push(Reading { import, export, ..Reading::at(slot * QUARTER + after) });
        }
        readings
    })
}

proptest! {
    #[test]
    fn nothing_panics_and_rows_follow_one_another(readings in vec(reading(), 0..40)) {
        let rows = limited(&readings);
        for pair in rows.windows(2) {
            prop_assert_eq!(pair[0].end(), pair[1].slot);
            prop_assert_eq!(pair[0].import.end, pair[1].import.start);
            prop_assert_eq!(pair[0].export.end, pair[1].export.start);
        }
        let mut spans = Spans::default();
        for row in &rows {
            for boundary in [row.import.start, row.export.end].into_iter().flatten() {
                prop_assert!(boundary.lo <= boundary.value && boundary.value <= boundary.hi);
            }
            if let Some(Interval { bounds: Some((lo, hi)), .. }) =
                spans.push(&row.import).map(|span| span.interval)
            {
                prop_assert!(lo <= hi);
            }
        }
    }

    #[test]
    fn the_order_within_an_instant_does_not_matter(readings in readings(), seed: u64) {
        let mut shuffled = readings.clone();
        shuffled.sort_by_key(|reading| {
            let text = format!("{reading:?}{seed}");
            let hash = text.bytes().fold(seed, |hash, byte| hash.wrapping_mul(31) ^ u64::from(byte));
            (reading.at, hash)
        });
        prop_assert_eq!(limited(&readings), limited(&shuffled));
    }

    #[test]
    fn sums_telescope(readings in plausible()) {
        let rows = quarters(&readings);
        for register in [|row: &Quarter| row.import, |row: &Quarter| row.export] {
            let mut spans = Spans::default();
            // The first and the last resolved boundary of each segment, and what lies between them.
            let mut segments: Vec<(Boundary, Boundary, Energy)> = Vec::new();
            for row in &rows {
                let quarter = register(row);
                let mut energy = quarter.interval().energy.unwrap_or(Energy::ZERO);
                energy += spans.push(&quarter).and_then(|span| span.interval.energy).unwrap_or_default();
                let ends = [quarter.start, quarter.end].into_iter().flatten();
                for boundary in ends.filter(Boundary::is_resolved) {
                    match segments.last_mut().filter(|last| last.0.segment == boundary.segment) {
                        Some(last) => last.1 = boundary,
                        None => segments.push((boundary, boundary, Energy::ZERO)),
                    }
                }
                if let Some(last) = segments.last_mut() {
                    last.2 += energy;
                }
            }
            for (first, last, sum) in segments {
                prop_assert_eq!(last.value - first.value, sum);
            }
        }
    }

    #[test]
    fn parts_are_the_whole(readings in plausible(), cuts in vec(any::<prop::sample::Index>(), 0..4)) {
        let whole = quarters(&readings);
        let cuts: Vec<_> = cuts.iter().map(|cut| cut.index(readings.len())).collect();
        let (mut series, mut rows) = (MeterSeries::new(Rules::default()), Vec::new());
        for (place, reading) in readings.iter().enumerate() {
            if cuts.contains(&place) {
                let written = serde_json::to_string(&series).unwrap();
                series = serde_json::from_str(&written).unwrap();
            }
            series.push(reading, &mut |row| rows.push(row)).unwrap();
        }
        series.finish(&mut |row| rows.push(row));
        prop_assert_eq!(rows, whole);
    }

    #[test]
    fn a_window_cuts_rows_and_changes_none(readings in plausible(), ends in (0..400_i64, 0..400_i64)) {
        let window = Window { from: ends.0 * QUARTER, to: ends.1 * QUARTER };
        let mut series = MeterSeries::new(Rules::default()).within(window);
        let mut rows = Vec::new();
        for reading in &readings {
            series.push(reading, &mut |row| rows.push(row)).unwrap();
        }
        series.finish(&mut |row| rows.push(row));
        let mut whole = quarters(&readings);
        whole.retain(|row| window.from <= row.slot && row.slot < window.to);
        prop_assert_eq!(rows, whole);
    }

    /// What was written down at a midnight, and what was read since, gives the quarter hours after it.
    #[test]
    fn a_day_is_known_from_the_midnight_before(readings in plausible(), day in 0..4_i64) {
        let midnight = day * 96 * QUARTER;
        let mut series = MeterSeries::new(Rules::default());
        let (before, after) = readings.split_at(readings.partition_point(|one| one.at < midnight));
        for reading in before {
            series.push(reading, &mut drop).unwrap();
        }
        let written = serde_json::to_string(&series).unwrap();
        let window = Window { from: midnight, to: midnight + 96 * QUARTER };
        let mut series = serde_json::from_str::<MeterSeries>(&written).unwrap().within(window);
        let mut rows = Vec::new();
        for reading in after {
            series.push(reading, &mut |row| rows.push(row)).unwrap();
        }
        series.finish(&mut |row| rows.push(row));
        let mut whole = quarters(&readings);
        whole.retain(|row| window.from <= row.slot && row.slot < window.to);
        prop_assert_eq!(rows, whole);
    }

    /// The readings around a boundary give the digits that all readings give.
    #[test]
    fn a_boundary_is_known_from_its_neighbours(
        steps in vec((0..150_000_i64, 0..5_000_000_i64, prop::bool::weighted(0.2)), 3..60),
    ) {
        let rules = Rules::default();
        let (mut value, mut points) = (0, Vec::new());
        for (number, (grown, after, locked)) in (0_i64..).zip(steps) {
            value += grown;
            let resolution = if locked { 100_000_000 } else { 10_000 };
            let shown = value * 10_000 / resolution * resolution;
            let at = number * QUARTER + after;
            let point = Point { at, value: shown, resolution, uncertainty: 0, corrected: false };
            points.push(point);
        }
        let reading = |point: &Point| {
            let (places, unit) = if point.resolution > 10_000 { (0, 100_000_000) } else { (4, 10_000) };
            let import = Register::from_decimal(Decimal::new(point.value / unit, places));
            Reading { import, ..Reading::at(point.at) }
        };
        let rows = quarters(&points.iter().map(reading).collect::<Vec<_>>());
        for row in rows {
            let Some(known) = row.import.end else { continue };
            let place = points.partition_point(|point| point.at < known.at);
            let past = points[..place - 1].iter().fold(None::<Past>, |past, point| {
                Some(past.map_or_else(|| Past::begin(point), |past| past.and(rules, point)))
            });
            // As many readings behind it as it takes.
            let found = (place + 1..=points.len()).find_map(|end| boundary(
                rules,
                (known.at, known.segment),
                past.as_ref(),
                &points[place - 1],
                &points[place..end],
                end == points.len(),
            ));
            prop_assert_eq!(found, Some(known));
            // The rule itself, over all readings.
            let growth = |time: i64| {
                let product = 7_590_000_000 * i128::from(time.max(0));
                (product + 3_599_999_999) / 3_600_000_000
            };
            let lo = points.iter().map(|x| i128::from(x.value) - growth(x.at - known.at)).max();
            let hi = points
                .iter()
                .map(|x| i128::from(x.value + x.resolution) + growth(known.at - x.at))
                .min();
            prop_assert_eq!((lo, hi), (Some(known.lo.0.into()), Some(known.hi.0.into())));
        }
    }
}

#[test]
fn months_one_by_one_are_all_at_once() {
    let recorded = record(7, 70 * 96, 9_000);
    let whole = quarters(&recorded.readings);
    let (mut series, mut rows) = (MeterSeries::new(Rules::default()), Vec::new());
    let months =
        recorded.readings.chunk_by(|a, b| a.at / (2_880 * QUARTER) == b.at / (2_880 * QUARTER));
    let mut parts = 0;
    for month in months {
        for reading in month {
            series.push(reading, &mut |row| rows.push(row)).unwrap();
        }
        // What has to be remembered stays small, whatever has gone by.
        let written = serde_json::to_string(&series).unwrap();
        assert!(written.len() < 4_000, "{}", written.len());
        series = serde_json::from_str(&written).unwrap();
        parts += 1;
    }
    series.finish(&mut |row| rows.push(row));
    assert_eq!((parts, rows == whole), (3, true));
}

#[test]
fn a_locked_meter_knows_its_year_within_a_kilowatt_hour() {
    let readings: Vec<_> = (0..365 * 96_i64)
        .map(|slot| {
            // 0.1 kWh a quarter hour.
            let import = Register::from_decimal(Decimal::new(slot / 10, 0));
            Reading { import, ..Reading::at(slot * QUARTER + 1_000_000) }
        })
        .collect();
    let rows = quarters(&readings);
    assert!(rows.iter().all(|row| row.import.interval().quality == Quality::Missing));
    let mut months = Periods::new(Calendar::new("UTC").unwrap(), EnergyStep::Month);
    let months: Vec<_> = rows.iter().filter_map(|row| months.push(row).unwrap()).collect();
    let february = months.iter().find(|month| month.quarters == 28 * 96).unwrap();
    let (lo, hi) = february.import.bounds.unwrap();
    let truth = Energy(26_880_000_000);
    assert!(lo <= truth && truth <= hi && hi - lo <= Energy(220_000_000), "{lo} {hi}");
}

#[test]
fn readings_in_disorder_are_refused() {
    let mut series = MeterSeries::new(Rules::default());
    series.push(&Reading::at(7), &mut drop).unwrap();
    let error = series.push(&Reading::at(6), &mut drop).unwrap_err();
    assert_eq!((error.at, error.last), (6, 7));
    assert_eq!(series.last(), Some(7));
}
