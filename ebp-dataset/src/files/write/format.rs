//! What the files are, and how they are made.

use std::{fs::File, path::Path};

use ebp_core::private_file;

use crate::files::error::FileError;

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

    pub(in crate::files) const fn media_type(self) -> &'static str {
        match self {
            Self::Parquet => "application/x-parquet",
            Self::Csv(_) => "text/csv",
        }
    }
}

/// An empty file that only its owner may read.
pub(super) fn create_private(path: &Path) -> Result<File, FileError> {
    let mut options = private_file::options();
    let options = options.write(true).create(true).truncate(true);
    options.open(path).map_err(|error| FileError::system(path, error))
}
