//! What a survey's households drew, fed in and generated, for the page: of the data set, by hours.
//!
//! The set is exported into a folder of its own, which only its owner may read and which is removed
//! again: so the page's energies follow the rules of the data set to the last digit, and memory stays
//! bounded.

use std::{collections::BTreeMap, fs, path::PathBuf};

use ebp_core::{
    clock::{Clock, SystemClock},
    contract::{ExportRequest, ExportResolution},
    evaluation::Stretch,
};
use ebp_dataset::files::{BALANCE, DAILY, Format, Table, Value, read_rows};
use ebp_server::Settings;
use ebp_store::open_store;
use ebp_survey::dataset::{ExportError, ExportOrder, export};
use ebp_web::report::{EnergyFigures, Hour};
use jiff::{Timestamp, civil::Weekday, tz::TimeZone};
use rust_decimal::{Decimal, prelude::FromPrimitive};
use uuid::Uuid;

use crate::exit::{Context, Failure, export::failed};

/// The least energy of which there are shares, kWh.
const LEAST: Decimal = Decimal::from_parts(1, 0, 0, false, 1);

/// The figures; none where no household has granted its consent.
pub fn figures(settings: &Settings, window: Stretch) -> Result<Option<EnergyFigures>, Failure> {
    let folder = Scratch(std::env::temp_dir().join(format!("ebp-report-{}", Uuid::new_v4())));
    let request = ExportRequest {
        from: Some(window.from.into()),
        to: Some(window.to.into()),
        resolution: ExportResolution::Hour,
        ..ExportRequest::default()
    };
    let order = ExportOrder::from_request(&request, SystemClock.now(), &settings.zone);
    let order = order.map_err(|error| failed(error.into()))?;
    let exported = crate::runtime::on_this_thread()?.block_on(async {
        let store = open_store(&settings.database).await?;
        let exported = export(&store, &order, &folder.0, &mut |_| Ok(())).await;
        store.close().await?;
        exported
    });
    match exported {
        Err(ExportError::NoHousehold) => return Ok(None),
        exported => exported.map_err(failed)?,
    };
    let zone = TimeZone::get(&settings.zone).or_failed("the survey's time zone")?;
    let mut figures = EnergyFigures::default();
    figures.households = add_hours(&folder, &zone, &mut figures)?;
    add_shares(&folder, &mut figures)?;
    Ok(Some(figures))
}

/// A folder that is removed at the end.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Gives each row of a table that is one file.
fn each_row(
    folder: &Scratch,
    table: &Table,
    take: &mut dyn FnMut(&[Value]),
) -> Result<(), Failure> {
    let path = folder.0.join(format!("{}.parquet", table.name));
    read_rows(&path, table, Format::Parquet, &mut |_, row| take(row))
        .map_err(|error| failed(error.into()))
}

/// Where a table has a column.
fn column(table: &Table, name: &str) -> usize {
    table.columns.iter().position(|column| column.name == name).unwrap_or(usize::MAX)
}

fn energy(row: &[Value], column: usize) -> Option<Decimal> {
    row.get(column)?.double().and_then(Decimal::from_f64)
}

/// Adds the hours in which load, feed-in and generation are known; returns how many households have any.
fn add_hours(
    folder: &Scratch,
    zone: &TimeZone,
    figures: &mut EnergyFigures,
) -> Result<u64, Failure> {
    let [household, start, load, out, generation] =
        ["household", "slot_start", "consumption_kwh", "export_kwh", "generation_kwh"]
            .map(|name| column(&BALANCE, name));
    let (mut last, mut households) = (None, 0);
    each_row(folder, &BALANCE, &mut |row| {
        let at = row.get(start).and_then(Value::int);
        let Some(at) = at.and_then(|at| Timestamp::from_microsecond(at).ok()) else { return };
        let local = zone.to_datetime(at);
        let hour = Hour {
            hour: usize::try_from(local.hour()).unwrap_or_default(),
            month: local.month(),
            is_weekend: matches!(local.weekday(), Weekday::Saturday | Weekday::Sunday),
            load: energy(row, load),
            export: energy(row, out),
            generation: energy(row, generation),
        };
        // The three curves are of the same hours: one without generation would lower that curve alone.
        if hour.load.is_none() || hour.export.is_none() || hour.generation.is_none() {
            return;
        }
        // Rows are sorted by household.
        let name = row.get(household).and_then(Value::text);
        if last.as_deref() != name {
            last = name.map(str::to_owned);
            households += 1;
        }
        figures.profiles.add(hour);
    })?;
    Ok(households)
}

/// Adds each household's shares: of sums over the days that are measured well enough.
fn add_shares(folder: &Scratch, figures: &mut EnergyFigures) -> Result<(), Failure> {
    let [household, expected, measured, load, generation, own] = [
        "household",
        "quarters_expected",
        "quarters_measured",
        "consumption_kwh",
        "generation_kwh",
        "self_consumption_kwh",
    ]
    .map(|name| column(&DAILY, name));
    let mut sums: BTreeMap<String, [Decimal; 3]> = BTreeMap::new();
    each_row(folder, &DAILY, &mut |row| {
        let count = |column: usize| row.get(column).and_then(Value::int).unwrap_or_default();
        let values = [load, generation, own].map(|column| energy(row, column));
        let ([Some(load), Some(generation), Some(own)], true) =
            (values, count(measured) * 100 >= count(expected) * 95)
        else {
            return;
        };
        let Some(name) = row.get(household).and_then(Value::text) else { return };
        let sum = sums.entry(name.to_owned()).or_default();
        for (sum, value) in sum.iter_mut().zip([load, generation, own]) {
            *sum += value;
        }
    })?;
    for [load, generation, own] in sums.into_values() {
        if let Some(share) = own.checked_div(load).filter(|_| load >= LEAST) {
            figures.autarky.add(share);
        }
        if let Some(share) = own.checked_div(generation).filter(|_| generation >= LEAST) {
            figures.self_consumption.add(share);
        }
    }
    Ok(())
}
