//! Lists of things that are alike: a table for people, CSV and lines of JSON for scripts.

use serde::Serialize;

use super::{Format, new_table};
use crate::exit::Failure;

/// The items as text; a table's and CSV's rows are what `row` makes of them. `header` names the
/// columns as CSV has them. It is left out of CSV where this is not the `first` part of a list.
pub fn list<T: Serialize, const COLUMNS: usize>(
    format: Format,
    header: [&str; COLUMNS],
    first: bool,
    items: &[T],
    row: impl Fn(&T) -> [String; COLUMNS],
) -> Result<Vec<u8>, Failure> {
    match format {
        Format::Json => {
            let mut text = Vec::new();
            for item in items {
                serde_json::to_writer(&mut text, item).map_err(Failure::failed)?;
                text.push(b'\n');
            }
            Ok(text)
        }
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(Vec::new());
            if first {
                csv.write_record(header).map_err(Failure::failed)?;
            }
            for item in items {
                csv.write_record(row(item)).map_err(Failure::failed)?;
            }
            csv.into_inner().map_err(Failure::failed)
        }
        Format::Table => {
            let mut table = new_table();
            table.set_header(header.map(|name| name.replace('_', " ")));
            table.add_rows(items.iter().map(row));
            Ok(format!("{table}\n").into_bytes())
        }
    }
}
