//! Positions: true ones, which are never printed, and released ones, which may be.
//!
//! Enters: degrees. Leaves: [`Position`], [`ReleasedPosition`]. Absent: distances and regions.

use std::fmt;

/// A true position, WGS 84 degrees. `Debug` does not show it.
#[derive(Clone, Copy, PartialEq)]
pub struct Position {
    latitude: f64,
    longitude: f64,
}

/// Numbers that are no position. It does not say which: they may be a household's all but right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPosition {
    /// Not between -90 and 90.
    #[error("the latitude is no number of degrees from -90 to 90")]
    Latitude,
    /// Not between -180 and 180.
    #[error("the longitude is no number of degrees from -180 to 180")]
    Longitude,
}

impl Position {
    /// A position so many degrees north and east.
    ///
    /// # Errors
    /// Returns [`InvalidPosition`] for what is out of range or no number.
    pub fn new(latitude: f64, longitude: f64) -> Result<Self, InvalidPosition> {
        if !(-90.0..=90.0).contains(&latitude) {
            return Err(InvalidPosition::Latitude);
        }
        if !(-180.0..=180.0).contains(&longitude) {
            return Err(InvalidPosition::Longitude);
        }
        Ok(Self { latitude, longitude })
    }

    /// A position as people and tables write it: decimal degrees with a point.
    ///
    /// # Errors
    /// Returns [`InvalidPosition`] for what is out of range or no number.
    pub fn parse(latitude: &str, longitude: &str) -> Result<Self, InvalidPosition> {
        let latitude = latitude.trim().parse().map_err(|_| InvalidPosition::Latitude)?;
        let longitude = longitude.trim().parse().map_err(|_| InvalidPosition::Longitude)?;
        Self::new(latitude, longitude)
    }

    /// Degrees north.
    #[must_use]
    pub const fn latitude(self) -> f64 {
        self.latitude
    }

    /// Degrees east.
    #[must_use]
    pub const fn longitude(self) -> f64 {
        self.longitude
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Position(redacted)")
    }
}

/// A position as it is released: whole millionths of a degree, WGS 84.
///
/// It is what a table with six decimals says, neither more nor less; every promise about a masked
/// position is made for this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReleasedPosition {
    latitude: i32,
    longitude: i32,
}

impl ReleasedPosition {
    /// Rounds to six decimals; a longitude beyond 180° goes on from the other side.
    pub(crate) fn round(latitude: f64, longitude: f64) -> Self {
        let longitude = (longitude * 1e6).round() as i32;
        let longitude = match longitude {
            180_000_001.. => longitude - 360_000_000,
            ..-180_000_000 => longitude + 360_000_000,
            _ => longitude,
        };
        Self { latitude: (latitude * 1e6).round() as i32, longitude }
    }

    /// Degrees north: the number nearest to the six decimals.
    #[must_use]
    pub fn latitude(self) -> f64 {
        f64::from(self.latitude) / 1e6
    }

    /// Degrees east.
    #[must_use]
    pub fn longitude(self) -> f64 {
        f64::from(self.longitude) / 1e6
    }

    /// The released position as a place on the map.
    #[must_use]
    pub fn position(self) -> Position {
        Position { latitude: self.latitude(), longitude: self.longitude() }
    }

    /// Latitude and longitude with six decimals.
    #[must_use]
    pub fn decimals(self) -> [Decimals; 2] {
        [Decimals(self.latitude), Decimals(self.longitude)]
    }
}

/// Millionths, displayed with six decimals without going through a floating-point number.
#[derive(Debug, Clone, Copy)]
pub struct Decimals(i32);

impl Decimals {
    /// Appends the text, several times as fast as `Display`: tables have two of them in each row.
    pub(crate) fn append_to(self, text: &mut Vec<u8>) {
        if self.0 < 0 {
            text.push(b'-');
        }
        let mut rest = self.0.unsigned_abs();
        // Up to 180 million: nine digits and the point before the last six.
        let mut digits = [b'0'; 10];
        let mut first = 10;
        while rest > 0 || first > 2 {
            first -= 1;
            if first == 3 {
                digits[first] = b'.';
                continue;
            }
            digits[first] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        text.extend_from_slice(&digits[first..]);
    }
}

impl fmt::Display for Decimals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, size) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        write!(f, "{sign}{}.{:06}", size / 1_000_000, size % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_true_position_is_not_shown() {
        let position = Position::new(50.078_217, 8.239_761).unwrap();
        assert_eq!(format!("{position:?} {position:#?}").matches("redacted").count(), 2);
        assert!(!format!("{position:?}").contains("50"));
        for (latitude, longitude) in
            [("fifty", "8"), ("91", "8"), ("50,1", "8"), ("NaN", "8"), ("50", "inf"), ("50", "")]
        {
            let error = Position::parse(latitude, longitude).unwrap_err().to_string();
            assert!(!error.contains("fifty") && !error.contains("50"), "{error}");
        }
    }

    #[test]
    fn six_decimals_are_exact() {
        for (latitude, longitude, text) in [
            (50.078_217_4, 8.239_760_6, ["50.078217", "8.239761"]),
            (-0.000_000_6, -0.5, ["-0.000001", "-0.500000"]),
            (1.0, 180.000_002, ["1.000000", "-179.999998"]),
            (-89.999_999, 0.0, ["-89.999999", "0.000000"]),
            (10.05, 100.0, ["10.050000", "100.000000"]),
        ] {
            let released = ReleasedPosition::round(latitude, longitude);
            assert_eq!(released.decimals().map(|part| part.to_string()), text);
            let mut appended = [Vec::new(), Vec::new()];
            for (part, text) in released.decimals().into_iter().zip(&mut appended) {
                part.append_to(text);
            }
            assert_eq!(appended.map(|part| String::from_utf8(part).unwrap()), text);
            assert_eq!(released.latitude().to_bits(), text[0].parse::<f64>().unwrap().to_bits());
            assert_eq!(released.longitude().to_bits(), text[1].parse::<f64>().unwrap().to_bits());
        }
    }
}
