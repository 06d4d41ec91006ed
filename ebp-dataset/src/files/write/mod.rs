//! Writes the rows of a table to a file.
//!
//! The bytes depend on the rows alone: row groups have a fixed number of rows, and values go to the
//! encoders in pieces of a fixed number of rows, however the rows came in.
//!
//! Enters: rows of a table's columns. Leaves: a file. Absent: whether the rows are sorted, and keys.

mod batch;
mod csv;
mod format;
mod parquet;

use std::path::Path;

use super::{cell::Cell, column::Table, error::FileError};

pub use format::{Decimal, Format, GROUP};

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

#[cfg(test)]
mod tests {
    use ebp_core::private_file;

    use super::*;
    use crate::files::{PV_SYSTEMS, SPANS, Value, read_rows};

    /// More rows than a group has, some of them without values.
    fn write(path: &Path, format: Format, rows: i64) {
        let mut writer = TableWriter::create(path, &SPANS, format).unwrap();
        for number in 0..rows {
            let energy = (number % 3 != 0).then_some(0.0001 * (number % 977) as f64);
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
            Cell::from_option(energy),
            Cell::Null,
            Cell::from_option(energy),
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
