//! A check finds rows that were removed where a series begins or ends, though every hash is right.

use ebp_dataset::files::{Decimal, Format, Value};
use ebp_survey::dataset::{ExportOrder, Resolution};

use crate::{
    dataset::{at, household, insert, make, order, steady},
    tamper::{Copy, Rows},
    world::World,
};

crate::on_both!(removed_ends_are_found);

/// When the meter at the grid and the one of the system are read, from one month into the next.
const READ: [(&str, &str); 2] = [
    ("2026-06-30T10:00:00Z", "2026-07-02T10:00:00Z"),
    ("2026-06-30T16:00:00Z", "2026-07-01T12:00:00Z"),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    First,
    Last,
}

/// Removes so many rows of a series at one of its ends, as far as a file has it.
fn cut(rows: &mut Rows, column: usize, name: &str, (end, count): (End, usize)) {
    let is_it = |row: &Vec<Value>| row[column].text() == Some(name);
    let places: Vec<usize> = (0..rows.len()).filter(|place| is_it(&rows[*place])).collect();
    let count = count.min(places.len());
    let cut = match end {
        End::First => &places[..count],
        End::Last => &places[places.len() - count..],
    };
    for place in cut.iter().rev() {
        rows.remove(*place);
    }
}

async fn removed_ends_are_found(world: World) {
    let store = world.survey.store();
    let made = household(store, "ends").await;
    for (meter, (from, to)) in made.meters.iter().zip(READ) {
        let ends = (at(from).as_microsecond(), at(to).as_microsecond());
        insert(store, &made, steady(*meter, ends), "2026-11-01T00:00:00Z").await;
    }
    let household = made.household.to_string();
    let [grid, pv] = [0, 1].map(|place| made.meters[place].to_string());
    let both =
        [(End::First, "2026-06", "lacks its first"), (End::Last, "2026-07", "lacks its last")];
    for format in [Format::Parquet, Format::Csv(Decimal::Comma)] {
        let (_folder, path) = make(store, &order(format)).await;
        let ending = format.extension();
        let by_month = [
            ("energy", 1, &grid),
            ("energy", 1, &pv),
            ("balance", 0, &household),
            ("readings", 1, &grid),
            ("readings", 1, &pv),
        ];
        for (table, column, name) in by_month {
            for (end, month, what) in both {
                for count in [1, 9] {
                    let copy = Copy::from_set(&path, format);
                    let stem = format!("{table}/{month}");
                    copy.change(&stem, |rows| cut(rows, column, name, (end, count)));
                    copy.seal();
                    copy.expect(&format!("{stem}.{ending}: {name} {what} rows"));
                }
            }
        }
        // Up to the month's border: the file of the month is still there, or goes as well.
        for (table, column, name) in by_month {
            let copy = Copy::from_set(&path, format);
            let stem = format!("{table}/2026-07");
            copy.change(&stem, |rows| cut(rows, column, name, (End::Last, usize::MAX)));
            copy.seal();
            copy.expect(&format!("{stem}.{ending}: {name} lacks its last rows"));
            for (_, month, what) in both {
                let copy = Copy::from_set(&path, format);
                copy.remove(&format!("{table}/{month}"));
                copy.seal();
                copy.expect(&format!("{table}/{month}.{ending}: {name} {what} rows"));
            }
        }
        for (end, _, what) in both {
            for (count, what) in [(1, format!("{what} rows")), (9, "has no rows".to_owned())] {
                let copy = Copy::from_set(&path, format);
                copy.change("daily", |rows| cut(rows, 0, &household, (end, count)));
                copy.seal();
                copy.expect(&format!("daily.{ending}: {household} "));
                copy.expect(&what);
            }
        }
        // Who makes a meter shorter in `meters` as well has the rows of others against it.
        let copy = Copy::from_set(&path, format);
        copy.change("meters", |rows| {
            let row = rows.iter_mut().find(|row| row[0].text() == Some(&*grid)).unwrap();
            let Value::Instant(first) = &mut row[7] else { panic!("it was read") };
            *first += 900_000_000;
        });
        copy.seal();
        copy.expect(&format!("energy/2026-06.{ending}: {grid} begins before it was read"));
        copy.expect(&format!("readings/2026-06.{ending}: {grid} begins before it was read"));
    }
    within_a_stretch(store, &household, [&grid, &pv]).await;
}

/// The stretch is what `EXPORT.json` says that it is, and rows may be hours or days.
async fn within_a_stretch(
    store: &std::sync::Arc<dyn ebp_store::Store>,
    household: &str,
    [grid, pv]: [&str; 2],
) {
    let stretches =
        [(None, None), (Some(at("2026-06-30T17:20:00Z")), Some(at("2026-07-02T00:00:00Z")))];
    for (from, to) in stretches {
        for resolution in [Resolution::Quarter, Resolution::Hour, Resolution::Day] {
            let format = Format::Csv(Decimal::Point);
            let (_folder, path) =
                make(store, &ExportOrder { from, to, resolution, ..order(format) }).await;
            let (first, last) = match resolution {
                Resolution::Quarter => ("/2026-06", "/2026-07"),
                Resolution::Hour | Resolution::Day => ("", ""),
            };
            for (table, column, name) in
                [("energy", 1, grid), ("energy", 1, pv), ("balance", 0, household)]
            {
                for (end, month) in [(End::First, first), (End::Last, last)] {
                    let copy = Copy::from_set(&path, format);
                    let stem = format!("{table}{month}");
                    copy.change(&stem, |rows| cut(rows, column, name, (end, 1)));
                    copy.seal();
                    copy.expect(&format!("{stem}.csv: {name} "));
                }
            }
        }
    }
}
