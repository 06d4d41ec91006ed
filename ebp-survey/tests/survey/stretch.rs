//! A stretch of the data set, by hours and days: intervals that begin in it, each of them whole.

use std::collections::BTreeMap;

use ebp_dataset::files::{BALANCE, DAILY, ENERGY, Format, Table, read_rows};
use ebp_survey::dataset::{ExportOrder, Resolution};

use crate::{
    dataset::{at, household, insert, make, order, rows, steady},
    world::World,
};

crate::on_both!(intervals_that_begin_in_a_stretch_are_whole);

type Row = BTreeMap<&'static str, String>;

/// The rows of a table that is one file.
fn of_one_file(path: &std::path::Path, table: &Table) -> Vec<Row> {
    let mut rows = Vec::new();
    let file = path.join(format!("{}.parquet", table.name));
    read_rows(&file, table, Format::Parquet, &mut |_, values| {
        let texts = values.iter().map(ToString::to_string);
        rows.push(table.columns.iter().map(|column| column.name).zip(texts).collect());
    })
    .unwrap();
    rows
}

async fn intervals_that_begin_in_a_stretch_are_whole(world: World) {
    let store = world.survey.store();
    let made = household(store, "stretch").await;
    let ends = (at("2026-06-12T22:00:00Z"), at("2026-06-18T22:00:00Z"));
    let ends = (ends.0.as_microsecond(), ends.1.as_microsecond());
    for meter in &made.meters {
        insert(store, &made, steady(*meter, ends), "2026-11-01T00:00:00Z").await;
    }
    // Neither end is one of a local day or of an hour.
    let (from, to) = (at("2026-06-14T00:20:00Z"), at("2026-06-16T12:35:00Z"));
    for (resolution, first, last, count, minutes) in [
        (Resolution::Quarter, "2026-06-14T00:30:00Z", "2026-06-16T12:30:00Z", 241, 15_i32),
        (Resolution::Hour, "2026-06-14T01:00:00Z", "2026-06-16T12:00:00Z", 60, 60),
        (Resolution::Day, "2026-06-14T22:00:00Z", "2026-06-15T22:00:00Z", 2, 1_440),
    ] {
        let order =
            ExportOrder { from: Some(from), to: Some(to), resolution, ..order(Format::Parquet) };
        let (_folder, path) = make(store, &order).await;
        let of = |table: &Table| match resolution {
            Resolution::Quarter => rows(&path, table, Format::Parquet),
            Resolution::Hour | Resolution::Day => of_one_file(&path, table),
        };
        let (energy, balance) = (of(&ENERGY), of(&BALANCE));
        assert_eq!((energy.len(), balance.len()), (2 * count, count), "{resolution:?}");
        let each = format!("{:.4}", f64::from(minutes) / 150.0);
        for row in energy.iter().chain(&balance) {
            let shown = row["import_kwh"].parse::<f64>().map(|energy| format!("{energy:.4}"));
            assert_eq!(shown.as_ref(), Ok(&each), "{resolution:?}: {row:?}");
            assert_eq!(row["flags"], "0", "{resolution:?}: {row:?}");
        }
        assert_eq!(balance[0]["slot_start"], first);
        assert_eq!(balance[count - 1]["slot_start"], last);
        if resolution == Resolution::Day {
            let daily = rows(&path, &DAILY, Format::Parquet);
            for (day, row) in daily.iter().zip(&balance) {
                for column in ["local_date", "import_kwh", "generation_kwh", "flags"] {
                    assert_eq!(day[column], row[column]);
                }
            }
            assert_eq!(daily.len(), balance.len());
        }
    }
}
