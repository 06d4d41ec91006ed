//! Writes the rows of a table to a file.
//!
//! The bytes depend on the rows alone: row groups have a fixed number of rows, and values go to the
//! encoders in pieces of a fixed number of rows, however the rows came in.

mod batch;
mod csv;
mod parquet;

use std::{fs::File, path::Path};

use ebp_core::private_file;

use super::{cell::Cell, column::Table, error::FileError};

/// Rows of a group of a Parquet file.
pub const GROUP: usize = 128 * 1024;

/// How CSV writes the decimals of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Decimal {
    /// `0.5`, columns separated by commas.
    #[default]
    Point,
    /// `0,5`, columns separated by semicolons: for spreadsheets that are set to German.
    Comma,
}

/// What the files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Apache Parquet, compressed by Zstandard.
    Parquet,
    /// RFC 4180, UTF-8.
    Csv(Decimal),
}

impl Format {
    /// How the names of files end.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv(_) => "csv",
        }
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// So many rows.
    pub rows: u64,
}

/// Writes a table's rows.
#[derive(Debug)]
pub struct TableWriter {
    inner: Inner,
    rows: u64,
}

#[derive(Debug)]
enum Inner {
    Parquet(Box<parquet::ParquetFile>),
    Csv(Box<csv::CsvFile>),
}

impl TableWriter {
    /// Makes the file; one that is there is replaced. Only its owner may read it.
    ///
    /// # Errors
    /// [`FileError::System`] if it cannot be made.
    pub fn create(path: &Path, table: &'static Table, format: Format) -> Result<Self, FileError> {
        let inner = match format {
            Format::Parquet => Inner::Parquet(Box::new(parquet::ParquetFile::create(path, table)?)),
            Format::Csv(decimal) => {
                Inner::Csv(Box::new(csv::CsvFile::create(path, table, decimal)?))
            }
        };
        Ok(Self { inner, rows: 0 })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// [`FileError::Row`] where it does not have the columns of the table, and what writing returns.
    pub fn push(&mut self, row: &[Cell<'_>]) -> Result<(), FileError> {
        match &mut self.inner {
            Inner::Parquet(file) => file.push(row)?,
            Inner::Csv(file) => file.push(row)?,
        }
        self.rows += 1;
        Ok(())
    }

    /// Completes the file; it is durable then.
    ///
    /// # Errors
    /// [`FileError::System`], for example when the disk is full.
    pub fn finish(self) -> Result<Written, FileError> {
        match self.inner {
            Inner::Parquet(file) => file.finish()?,
            Inner::Csv(file) => file.finish()?,
        }
        Ok(Written { rows: self.rows })
    }
}

/// An empty file that only its owner may read.
fn create_private(path: &Path) -> Result<File, FileError> {
    let mut options = private_file::options();
    let options = options.write(true).create(true).truncate(true);
    options.open(path).map_err(|error| FileError::system(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{PV_SYSTEMS, SPANS, Value, read_rows};

    /// More rows than a group has, some of them without values.
    fn write(path: &Path, format: Format, rows: i64) {
        let mut writer = TableWriter::create(path, &SPANS, format).unwrap();
        for number in 0..rows {
            let energy = (number % 3 != 0).then(|| 0.0001 * (number % 977) as f64);
            writer.push(&row(number, energy)).unwrap();
        }
        assert_eq!(writer.finish().unwrap().rows, u64::try_from(rows).unwrap());
    }

    fn row(number: i64, energy: Option<f64>) -> [Cell<'static>; 8] {
        let meter = if number < 70_000 { "a" } else { "b" };
        let at = number * 900_000_000;
        [
            meter.into(),
            "import".into(),
            Cell::Instant(at),
            Cell::Instant(at + 1),
            number.into(),
            Cell::of(energy),
            Cell::Null,
            Cell::of(energy),
        ]
    }

    #[test]
    fn rows_come_back_and_bytes_repeat() {
        let folder = std::env::temp_dir().join(format!("ebp-files-{}", std::process::id()));
        private_file::create_folder(&folder).unwrap();
        let rows = i64::try_from(GROUP).unwrap() + 1_500;
        for format in [Format::Parquet, Format::Csv(Decimal::Point), Format::Csv(Decimal::Comma)] {
            let (first, second) = (folder.join("first"), folder.join("second"));
            write(&first, format, rows);
            write(&second, format, rows);
            assert_eq!(std::fs::read(&first).unwrap(), std::fs::read(&second).unwrap());
            let mut read = 0;
            read_rows(&first, &SPANS, format, &mut |number, values| {
                read += 1;
                let n = i64::try_from(number).unwrap() - 1;
                assert_eq!(values[2], Value::Instant(n * 900_000_000));
                assert_eq!(values[4], Value::Int(n));
                assert_eq!(values[6], Value::Null);
                match values[5].double() {
                    None => assert_eq!(n % 3, 0),
                    Some(energy) => assert_eq!(energy, 0.0001 * (n % 977) as f64, "{n}"),
                }
                assert_eq!(values[0].text(), Some(if n < 70_000 { "a" } else { "b" }));
            })
            .unwrap();
            assert_eq!(read, rows);
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_row_that_is_none_is_refused() {
        let path = std::env::temp_dir().join(format!("ebp-row-{}", std::process::id()));
        for format in [Format::Parquet, Format::Csv(Decimal::Point)] {
            let mut writer = TableWriter::create(&path, &PV_SYSTEMS, format).unwrap();
            assert!(writer.push(&[Cell::Null]).is_err());
            let right: [Cell<'_>; 7] = [
                "a".into(),
                "b".into(),
                Cell::Null,
                1.5.into(),
                180.0.into(),
                30.0.into(),
                Cell::Date(20_000),
            ];
            let mut no_key = right;
            no_key[0] = Cell::Null;
            let mut no_number = right;
            no_number[3] = f64::NAN.into();
            assert!(writer.push(&no_key).is_err());
            assert!(writer.push(&no_number).is_err());
            assert!(writer.push(&right).is_ok());
        }
        std::fs::remove_file(&path).unwrap();
    }
}
