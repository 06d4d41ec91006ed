//! How many readings a second one core makes quarter hours, a balance and days of: `cargo bench -p
//! ebp-dataset`.
//!
//! Enters: a year of two meters, made here. Leaves: readings per second. Absent: a database, files.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use divan::{Bencher, black_box, counter::ItemsCount};
use ebp_dataset::{
    Balance, Battery, Calendar, Energy, EnergyStep, Joined, MeterFacts, MeterKind, MeterSeries,
    MeteringConcept, Periods, QUARTER, Quarter, Reading, Register, Roles, Rules, assign_roles,
    intervals,
};
use rust_decimal::Decimal;

fn main() {
    divan::main();
}

const YEAR: i64 = 365 * 96;

/// A meter's year: `each` 10^-4 kWh a quarter hour, read some seconds behind its beginning.
fn year(each: i64, resolution: u32) -> Vec<Reading> {
    let unit = 10_i64.pow(4 - resolution);
    (0..YEAR)
        .map(|slot| {
            let shown =
                |of: i64| Register::from_decimal(Decimal::new(slot * each / of / unit, resolution));
            let after = 1_000_000 + slot * 7_919 % 2_000_000;
            Reading { import: shown(1), export: shown(3), ..Reading::at(slot * QUARTER + after) }
        })
        .collect()
}

fn quarters(readings: &[Reading], row: &mut impl FnMut(Quarter)) {
    let mut series = MeterSeries::new(Rules::default());
    for reading in readings {
        series.push(reading, row).unwrap();
    }
    series.finish(row);
}

#[divan::bench(args = [4, 0])]
fn energy(bencher: Bencher<'_, '_>, resolution: u32) {
    let readings = year(1_234, resolution);
    bencher.counter(ItemsCount::new(readings.len())).bench(|| {
        quarters(black_box(&readings), &mut |row| _ = black_box(row));
    });
}

fn roles() -> Roles {
    let facts = |kind| MeterFacts {
        kind,
        from: 0,
        to: i64::MAX,
        import: Some(Energy(1)),
        export: Some(Energy(2)),
        generation: None,
    };
    let meters = [facts(MeterKind::Grid), facts(MeterKind::Generation)];
    assign_roles(&meters, false, MeteringConcept::Unknown, Battery::None).unwrap()
}

#[divan::bench]
fn energy_balance_and_days(bencher: Bencher<'_, '_>) {
    let meters = [year(1_234, 4), year(4_321, 4)];
    let roles = roles();
    let calendar = Calendar::new("Europe/Berlin").unwrap();
    bencher.counter(ItemsCount::new(meters.iter().map(Vec::len).sum::<usize>())).bench(|| {
        let rows = meters.each_ref().map(|readings| {
            let mut rows = Vec::with_capacity(readings.len());
            quarters(black_box(readings), &mut |row| rows.push(row));
            rows
        });
        let mut days = rows.each_ref().map(|_| Periods::new(calendar.clone(), EnergyStep::Day));
        for (slot, meters) in Joined::new(rows.map(Vec::into_iter)) {
            let energies = [intervals(meters[0].as_ref()), intervals(meters[1].as_ref())];
            black_box(Balance::new(&roles, (slot, slot + QUARTER), &energies));
            for (days, row) in days.iter_mut().zip(meters.iter().flatten()) {
                black_box(days.push(row).unwrap());
            }
        }
    });
}
