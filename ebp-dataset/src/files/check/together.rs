//! Whether tables agree that tell of the same: balances and what the meters counted, energies and
//! what the registers show.

use std::{
    path::{Path, PathBuf},
    thread,
};

use super::{
    cells::Cells,
    feed::Feed,
    growth::{EnergyRow, Growth, LEAST_DECIMALS, ReadingRow},
    listing::Listing,
    names::{Household, Meter, Names},
    row::units,
    verdict::Verdict,
};
use crate::{
    files::{
        error::FileError,
        read::Value,
        table::{BALANCE, ENERGY, READINGS},
    },
    flag::Flags,
};

/// No meter shows so much, 10^-8 kWh.
const MOST: i64 = 100_000_000_000_000_000;

#[derive(Debug, Clone, Copy)]
struct BalanceRow {
    row: u64,
    slot: i64,
    import: Option<i64>,
    export: Option<i64>,
    generation: Option<i64>,
}

/// Compares the files of an internal set, month by month. One household's month is in memory.
pub(super) fn compare(
    folder: &Path,
    listing: &Listing,
    names: &Names,
    growth: &mut Growth,
    verdict: &mut Verdict,
) -> Result<(), FileError> {
    let mut files: Vec<&str> = listing.files_of(&ENERGY).collect();
    files.sort_unstable();
    for file in files {
        let other = |table: &str| {
            let path = format!("{table}{}", file.strip_prefix(ENERGY.name).unwrap_or(file));
            listing.has(&path).then(|| (folder.join(&path), path))
        };
        let energy = (folder.join(file), file);
        let (balance, readings) = (other("balance"), other("readings"));
        Month { energy, balance, readings, listing }.run(names, growth, verdict)?;
    }
    if listing.is_quarterly {
        growth.finish(&format!("spans.{}", listing.format.extension()), verdict);
    }
    Ok(())
}

/// The files of a month, or of the whole set.
struct Month<'a> {
    energy: (PathBuf, &'a str),
    balance: Option<(PathBuf, String)>,
    readings: Option<(PathBuf, String)>,
    listing: &'a Listing,
}

impl Month<'_> {
    fn run(
        &self,
        names: &Names,
        growth: &mut Growth,
        verdict: &mut Verdict,
    ) -> Result<(), FileError> {
        let format = self.listing.format;
        let failed = |error| FileError::system(&self.energy.0, error);
        thread::scope(|scope| {
            let of = (self.energy.0.as_path(), &ENERGY, format);
            let mut energy = Feed::open(scope, of, "meter", energy_row).map_err(failed)?;
            let mut balance = match &self.balance {
                Some((path, _)) => {
                    let of = (path.as_path(), &BALANCE, format);
                    Feed::open(scope, of, "household", balance_row).map_err(failed)?
                }
                None => Feed::empty(),
            };
            let mut readings = match self.readings.as_ref().filter(|_| self.listing.is_quarterly) {
                Some((path, _)) => {
                    let of = (path.as_path(), &READINGS, format);
                    Feed::open(scope, of, "meter", reading_row).map_err(failed)?
                }
                None => Feed::empty(),
            };
            for (name, household) in names.households() {
                let mut meters = Vec::with_capacity(household.meters.len());
                for meter in &household.meters {
                    let (rows, shown) = (energy.rows_of(meter), readings.rows_of(meter));
                    if self.listing.is_quarterly {
                        growth.follow((self.energy.1, meter), &rows, &shown, verdict);
                    }
                    meters.extend(names.meter(meter).map(|meter| (meter, rows)));
                }
                let rows = balance.rows_of(name);
                if let Some((_, file)) = &self.balance {
                    for row in rows {
                        row.check(file, household, &meters, verdict);
                    }
                }
            }
            for (file, next) in [
                (Some(self.energy.1), energy.next()),
                (self.balance.as_ref().map(|(_, file)| file.as_str()), balance.next()),
                (self.readings.as_ref().map(|(_, file)| file.as_str()), readings.next()),
            ] {
                if let (Some(file), Some(next)) = (file, next) {
                    let what = format!("rows of {next} do not come where they should");
                    verdict.add(file, None, what);
                }
            }
            Ok(())
        })
    }
}

impl BalanceRow {
    /// Against what the household's meters counted in the same interval.
    fn check(
        &self,
        file: &str,
        household: &Household,
        meters: &[(&Meter, Vec<EnergyRow>)],
        verdict: &mut Verdict,
    ) {
        let at = |rows: &[EnergyRow]| {
            let place = rows.partition_point(|row| row.slot < self.slot);
            let row = rows.get(place).filter(|row| row.slot == self.slot);
            row.map_or([None, None], |row| row.energies)
        };
        let mut grid = meters.iter().filter(|(meter, _)| !meter.generates);
        let shown = [self.import, self.export];
        if shown != [None, None] && !grid.any(|(_, rows)| at(rows) == shown) {
            let what = "import_kwh and export_kwh are not those of a meter at the grid in energy";
            verdict.add(file, Some(self.row), what);
        }
        let mut generation = meters.iter().filter(|(meter, _)| meter.generates);
        let (one, others) = (generation.next(), generation.next());
        let (Some(generated), Some((meter, rows)), None) = (self.generation, one, others) else {
            return;
        };
        // A meter that does not count yet or any more generates nothing.
        let counted = at(rows);
        let may_be = |by_import: bool| {
            let [import, export] = counted;
            let (gross, drawn) = if by_import { (import, export) } else { (export, import) };
            let net = gross.map(|gross| gross.saturating_sub(drawn.unwrap_or(0)));
            gross == Some(generated) || net == Some(generated)
        };
        let is_counted = meter.by_import.map_or_else(|| may_be(true) || may_be(false), may_be);
        if household.has_balance && generated != 0 && !is_counted {
            let what = "generation_kwh is not what the generation meter counted in energy";
            verdict.add(file, Some(self.row), what);
        }
    }
}

fn energy_row(row: u64, values: &[Value]) -> Option<EnergyRow> {
    let cells = Cells { table: &ENERGY, values };
    let measured = |quality: &str, energy: &str| {
        let is_measured = cells.text(quality) == Some("measured");
        cells.double(energy).filter(|_| is_measured).map(units)
    };
    let flags = cells.int("flags").and_then(|bits| u16::try_from(bits).ok());
    Some(EnergyRow {
        row,
        slot: cells.int("slot_start")?,
        energies: [
            measured("import_quality", "import_kwh"),
            measured("export_quality", "export_kwh"),
        ],
        flags: Flags(flags.unwrap_or(0)),
        segment: cells.int("segment"),
    })
}

fn balance_row(row: u64, values: &[Value]) -> Option<BalanceRow> {
    let cells = Cells { table: &BALANCE, values };
    let energy = |name: &str| cells.double(name).map(units);
    Some(BalanceRow {
        row,
        slot: cells.int("slot_start")?,
        import: energy("import_kwh"),
        export: energy("export_kwh"),
        generation: energy("generation_kwh"),
    })
}

/// Its registers where they surely counted: fine enough, at an instant that is not in doubt.
fn reading_row(_: u64, values: &[Value]) -> Option<ReadingRow> {
    let cells = Cells { table: &READINGS, values };
    let decimals = cells.int("register_decimals");
    let is_plain = cells.int("device_flags") == Some(0);
    let is_sure = is_plain && decimals.is_some_and(|decimals| decimals >= LEAST_DECIMALS);
    let at = cells.int("measured_at")?;
    let shown = |name: &str| {
        let register = cells.double(name).map(units);
        register.filter(|register| is_sure && (0..MOST).contains(register))
    };
    Some((at, [shown("import_register_kwh"), shown("export_register_kwh")]))
}
