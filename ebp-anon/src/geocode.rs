//! The location of an address: entered by hand, or the centre of its postal code area.
//!
//! Enters: a table of postal codes, coordinates as text. Leaves: [`Located`], with how well it is
//! known. Absent: services on the network. A postal code that is not found is `None`, not an error.

use std::{collections::HashMap, io};

use crate::Position;

/// How well a position is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Coordinates that were entered by hand.
    Entered,
    /// The centre of the postal code area: off by kilometres in rural areas. A household located by
    /// it is masked from that point, not from its true location.
    PostalCode,
}

/// A position, and how well it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Located {
    /// Where.
    pub position: Position,
    /// How well that is known.
    pub precision: Precision,
}

/// Postal codes with a point for each.
#[derive(Clone, Default)]
pub struct PostalCodes(HashMap<String, Position>);

/// Why a table of postal codes cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PostalCodesError {
    /// It cannot be read.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// A column is missing.
    #[error("no column {0}")]
    NoColumn(&'static str),
    /// A row's coordinates are invalid.
    #[error("line {line}, postal code {code}: no coordinates")]
    Coordinates {
        /// Where, from 1.
        line: u64,
        /// Which code.
        code: String,
    },
}

impl PostalCodes {
    /// Reads a CSV with columns `plz` (or `postal_code`), `lat` and `lon` (or `latitude` and
    /// `longitude`), degrees.
    ///
    /// # Errors
    /// Returns [`PostalCodesError`], which names the line.
    pub fn read(table: impl io::Read) -> Result<Self, PostalCodesError> {
        let mut reader = csv::Reader::from_reader(table);
        let header = reader.headers()?.clone();
        let column = |names: [&'static str; 2]| {
            header
                .iter()
                .position(|heading| names.contains(&heading.trim_start_matches('\u{feff}').trim()))
                .ok_or(PostalCodesError::NoColumn(names[0]))
        };
        let code = column(["plz", "postal_code"])?;
        let (latitude, longitude) = (column(["lat", "latitude"])?, column(["lon", "longitude"])?);
        let mut codes = HashMap::new();
        for row in reader.records() {
            let row = row?;
            let part = |column: usize| row.get(column).unwrap_or_default();
            let position = Position::parse(part(latitude), part(longitude)).map_err(|_| {
                let line = row.position().map_or(0, csv::Position::line);
                PostalCodesError::Coordinates { line, code: part(code).to_owned() }
            })?;
            codes.insert(part(code).trim().to_owned(), position);
        }
        Ok(Self(codes))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The approximate location of an address with this postal code; `None` if the code is not in
    /// the table.
    #[must_use]
    pub fn find(&self, postal_code: &str) -> Option<Located> {
        let position = *self.0.get(postal_code.trim())?;
        Some(Located { position, precision: Precision::PostalCode })
    }

    /// Every code and its point.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Position)> {
        self.0.iter().map(|(code, position)| (code.as_str(), *position))
    }
}

impl std::fmt::Debug for PostalCodes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PostalCodes({})", self.len())
    }
}

/// Parses coordinates that were entered by hand.
///
/// # Errors
/// Returns [`InvalidPosition`](crate::InvalidPosition) for what is out of range or no number.
pub fn entered(latitude: &str, longitude: &str) -> Result<Located, crate::InvalidPosition> {
    let position = Position::parse(latitude, longitude)?;
    Ok(Located { position, precision: Precision::Entered })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_postal_code_is_found_and_marked_as_rough() {
        let codes =
            PostalCodes::read(&b"plz,place,lat,lon\n65183,Wiesbaden,50.08,8.24\n"[..]).unwrap();
        let found = codes.find(" 65183").unwrap();
        assert_eq!(found.precision, Precision::PostalCode);
        assert_eq!(found.position, Position::new(50.08, 8.24).unwrap());
        assert_eq!(codes.find("00000"), None);
        assert_eq!(entered("50.08", " 8.24").unwrap().precision, Precision::Entered);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, named) in [
            ("plz,lat\n", "no column lon"),
            ("lat,lon\n", "no column plz"),
            ("plz,lat,lon\n65183,50,here\n", "line 2, postal code 65183"),
        ] {
            let error = PostalCodes::read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
