//! Why a file of the data set cannot be written or read.

use std::{io, path::PathBuf};

/// Why a file cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system refuses.
    #[error("{}: {source}", path.display())]
    System {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no Parquet file, or cannot be written as one.
    #[error("{}: {message}", path.display())]
    Parquet {
        /// Which.
        path: PathBuf,
        /// What the library says.
        message: String,
    },
    /// It is no CSV of that table.
    #[error("{}, row {row}: {message}", path.display())]
    Csv {
        /// Which.
        path: PathBuf,
        /// The row, from 1 without the header.
        row: u64,
        /// What is wrong.
        message: String,
    },
    /// A row does not have the columns that its table declares.
    #[error("{table}: {message}")]
    Row {
        /// The table.
        table: &'static str,
        /// What is wrong.
        message: String,
    },
}

impl FileError {
    /// Of the operating system.
    pub(crate) fn system(path: &std::path::Path, source: io::Error) -> Self {
        Self::System { path: path.to_owned(), source }
    }

    /// Of Parquet.
    pub(crate) fn parquet(path: &std::path::Path, error: impl std::fmt::Display) -> Self {
        Self::Parquet { path: path.to_owned(), message: error.to_string() }
    }
}
