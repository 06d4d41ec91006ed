//! Densities by region, and what is wrong with a table of them.

use std::{collections::BTreeMap, io};

use crate::RegionCode;

/// Persons per km², by region.
#[derive(Debug, Clone, PartialEq)]
pub struct Densities {
    /// NUTS-3 regions and their densities.
    pub by_region: BTreeMap<RegionCode, f64>,
    /// The name of the table and the date that it refers to.
    pub description: String,
    /// The notice that must be shown, if it is known for the table's kind.
    pub notice: Option<String>,
}

/// What is wrong with a table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is not a workbook.
    #[error(transparent)]
    Workbook(#[from] calamine::XlsxError),
    /// It is not a table of values.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// A column is missing.
    #[error("no column {0}")]
    NoColumn(&'static str),
    /// A value is not a density.
    #[error("line {line}, region {code}: {value:?} is no density")]
    Value {
        /// Where, from 1.
        line: u64,
        /// Which region.
        code: RegionCode,
        /// The value there.
        value: String,
    },
    /// A region occurs twice with different values.
    #[error("line {line}: region {code} is there twice with different densities")]
    Twice {
        /// Where, from 1.
        line: u64,
        /// Which region.
        code: RegionCode,
    },
    /// It does not contain the year.
    #[error("no densities of the year {0}")]
    NoYear(i16),
    /// It has no NUTS-3 region.
    #[error("no NUTS-3 region in it")]
    Empty,
}

/// A region of level 3, if the text is one's code.
pub(super) fn level_3(text: &str) -> Option<RegionCode> {
    let text = text.trim();
    RegionCode::new(text).ok().filter(|_| text.len() == 5)
}

/// Adds a density; adding the same one again has no effect.
pub(super) fn insert(
    densities: &mut BTreeMap<RegionCode, f64>,
    line: u64,
    code: RegionCode,
    value: &str,
    density: Option<f64>,
) -> Result<(), TableError> {
    let density = density
        .filter(|density| density.is_finite() && *density >= 0.0)
        .ok_or_else(|| TableError::Value { line, code, value: value.chars().take(40).collect() })?;
    match densities.insert(code, density) {
        Some(other) if other != density => Err(TableError::Twice { line, code }),
        _ => Ok(()),
    }
}
