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
