//! Population densities from official tables.
//!
//! Enters: the path of Destatis' `04-kreise.xlsx`, of Eurostat's `demo_r_d3dens` (TSV or SDMX-CSV),
//! or of a plain CSV. Leaves: [`Densities`]. Absent: borders.
//!
//! Destatis divides by a region's whole area, Eurostat by its land: they differ by more than 5 % in
//! 21 German regions. Equation 3.1 does not say which it means; the project's own figures are
//! Destatis'.

mod densities;
mod destatis;
mod table;

use std::{
    fs,
    path::{Path, PathBuf},
};

pub use densities::{Densities, TableError};

/// Why a table cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {what}", path = path.display())]
pub struct DensityError {
    path: PathBuf,
    #[source]
    what: TableError,
}

/// Reads a table of any of the three kinds; if it has several years, the latest, or `year`.
///
/// # Errors
/// Returns [`DensityError`], which names the file, and line and region where one is at fault.
pub fn read(path: &Path, year: Option<i16>) -> Result<Densities, DensityError> {
    let read = || {
        let bytes = fs::read(path)?;
        let densities = if bytes.starts_with(b"PK\x03\x04") {
            destatis::read(bytes)?
        } else {
            table::read(&bytes, year)?
        };
        if densities.by_region.is_empty() {
            return Err(TableError::Empty);
        }
        Ok(densities)
    };
    read().map_err(|what| DensityError { path: path.to_owned(), what })
}

#[cfg(test)]
mod tests;
