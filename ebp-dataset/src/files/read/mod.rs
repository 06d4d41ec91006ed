//! Reads the rows of a table back from its file, one row group at a time.
//!
//! Enters: a file, the declaration of its table. Leaves: values, or where it is not of that table.
//! Absent: whether the values are right.

mod csv;
mod parquet;
mod value;

use std::path::Path;

use super::{column::Table, error::FileError, write::Format};

pub use value::Value;

/// Gives each row of a file to `row`, with its number from 1.
///
/// # Errors
/// [`FileError`] where the file cannot be read, or does not have the table's columns with their types.
pub fn read_rows(
    path: &Path,
    table: &Table,
    format: Format,
    row: &mut dyn FnMut(u64, &[Value]),
) -> Result<(), FileError> {
    match format {
        Format::Parquet => parquet::read(path, table, row),
        Format::Csv(decimal) => csv::read(path, table, decimal, row),
    }
}
