//! Distances on WGS 84: Karney's exact geodesic, and a chord that is accurate enough for short
//! distances.
//!
//! Enters: positions. Leaves: metres. Absent: regions, randomness.
//!
//! A geodesic of length s and curvature κ has a chord c with c² = s²(1 − κ²s²/12 + …), so s ≈ c(1 +
//! c²/24R²). The curvature of any normal section of the ellipsoid lies between that of the meridian
//! at the equator and that at the pole, 1/6,335.4 km and 1/6,399.6 km; with R = 6,371 km for all of
//! them the estimate is wrong by at most c³/24 · (1/6335.4² − 1/6371²) km⁻² = 1.2e-17 m⁻² · c³,
//! which is 0.1 mm at 20 km. Terms of fifth order (3c⁵/640R⁴) add 0.01 µm there, rounding some
//! nanometres. [`Chord::doubt`] takes twice that and a millimetre on top; to decide on which side
//! of a limit a distance lies, the geodesic is computed if the limit is within the doubt.

use geo::{Distance, Geodesic, Point};

use crate::Position;

/// Semi-major axis of WGS 84, metres.
const A: f64 = 6_378_137.0;
/// Flattening of WGS 84.
const F: f64 = 1.0 / 298.257_223_563;
/// First eccentricity, squared.
const E2: f64 = F * (2.0 - F);
/// The Earth's mean radius, metres.
const R: f64 = 6_371_000.0;

/// The geodesic distance on WGS 84 (Karney 2013), metres; accurate to some nanometres.
#[must_use]
pub fn geodesic_m(from: Position, to: Position) -> f64 {
    Geodesic.distance(
        Point::new(from.longitude(), from.latitude()),
        Point::new(to.longitude(), to.latitude()),
    )
}

/// The ellipsoid as seen from one position.
pub struct Local {
    latitude: f64,
    longitude: f64,
    sin: f64,
    cos: f64,
    /// Distance from the axis, and height above the equator's plane, metres.
    axis: f64,
    height: f64,
    /// Radius of curvature along the meridian and across it, metres.
    meridian: f64,
    transverse: f64,
}

/// A distance through the Earth turned into one along its surface.
#[derive(Debug, Clone, Copy)]
pub struct Chord {
    /// Estimated geodesic distance, metres.
    pub metres: f64,
}

impl Chord {
    /// By how much the estimate may be wrong at most, metres.
    pub fn doubt(self) -> f64 {
        1e-3 + 2.4e-17 * self.metres * self.metres * self.metres
    }
}

impl Local {
    pub fn at(origin: Position) -> Self {
        let latitude = origin.latitude().to_radians();
        let (sin, cos) = latitude.sin_cos();
        let bend = 1.0 - E2 * sin * sin;
        let transverse = A / bend.sqrt();
        Self {
            latitude,
            longitude: origin.longitude().to_radians(),
            sin,
            cos,
            axis: transverse * cos,
            height: transverse * (1.0 - E2) * sin,
            meridian: transverse * (1.0 - E2) / bend,
            transverse,
        }
    }

    /// Half the sides, radians of latitude and of longitude, of a box around the geodesic circle
    /// of that radius (metres, 60 km at most, within 85° of the equator).
    ///
    /// The meridian's curvature changes by less than 1e-4 within 60 km; the longitudes that a
    /// circle reaches are a sphere's of radius N to 1e-4. The box is 2e-4 and 1e-3 larger.
    pub fn box_around(&self, radius: f64) -> (f64, f64) {
        let north = radius / self.meridian * 1.000_2;
        let east = ((radius / self.transverse).sin() / self.cos).asin() * 1.001;
        (north, east)
    }

    /// Degrees of the position so many radians north and east.
    pub fn degrees(&self, north: f64, east: f64) -> (f64, f64) {
        ((self.latitude + north).to_degrees(), (self.longitude + east).to_degrees())
    }

    /// How far it is to another position, at most some ten kilometres away.
    pub fn chord(&self, latitude: f64, longitude: f64) -> Chord {
        let (sin_north, cos_north) = sin_cos(latitude.to_radians() - self.latitude);
        let (sin_east, cos_east) = sin_cos(longitude.to_radians() - self.longitude);
        let sin = self.sin * cos_north + self.cos * sin_north;
        let cos = self.cos * cos_north - self.sin * sin_north;
        let transverse = A / (1.0 - E2 * sin * sin).sqrt();
        let x = transverse * cos * cos_east - self.axis;
        let y = transverse * cos * sin_east;
        let z = transverse * (1.0 - E2) * sin - self.height;
        let square = x * x + y * y + z * z;
        Chord { metres: square.sqrt() * (1.0 + square / (24.0 * R * R)) }
    }

    /// Area of the ellipsoid per radian of latitude and of longitude at a place so far north of
    /// here, in an arbitrary unit. Falls towards the poles.
    pub fn area_weight(&self, north: f64) -> f64 {
        let (sin_north, cos_north) = sin_cos(north);
        let sin = self.sin * cos_north + self.cos * sin_north;
        let cos = self.cos * cos_north - self.sin * sin_north;
        let bend = 1.0 - E2 * sin * sin;
        cos / (bend * bend)
    }

    /// The greatest [`area_weight`](Self::area_weight) up to so far north and south of here.
    pub fn greatest_area_weight(&self, north: f64) -> f64 {
        let towards_equator = north.min(self.latitude.abs());
        self.area_weight(-towards_equator.copysign(self.latitude))
    }
}

/// Sine and cosine. Up to 0.01 radians by series, whose first term left out is below 4e-18.
fn sin_cos(angle: f64) -> (f64, f64) {
    if angle.abs() > 0.01 {
        return angle.sin_cos();
    }
    let square = angle * angle;
    (
        angle * (1.0 - square / 6.0 * (1.0 - square / 20.0)),
        1.0 - square / 2.0 * (1.0 - square / 12.0 * (1.0 - square / 30.0)),
    )
}

#[cfg(test)]
mod tests {
    use geo::Destination;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn a_chord_is_the_geodesic_within_its_doubt(
            latitude in -84.0_f64..84.0, longitude in -180.0_f64..180.0,
            azimuth in 0.0_f64..360.0, metres in 1.0_f64..60_000.0,
        ) {
            let from = Point::new(longitude, latitude);
            let to = Geodesic.destination(from, azimuth, metres);
            let local = Local::at(Position::new(latitude, longitude).unwrap());
            let chord = local.chord(to.y(), to.x());
            // The derivation proves half the doubt without the millimetre.
            let proven = (chord.doubt() - 1e-3) / 2.0 + 2e-6;
            prop_assert!((chord.metres - metres).abs() <= proven, "{} {metres}", chord.metres);
        }

        #[test]
        fn the_box_holds_the_circle(
            latitude in -84.0_f64..84.0, azimuth in 0.0_f64..360.0, metres in 300.0_f64..60_000.0,
        ) {
            let to = Geodesic.destination(Point::new(9.0, latitude), azimuth, metres);
            let (north, east) = Local::at(Position::new(latitude, 9.0).unwrap()).box_around(metres);
            prop_assert!((to.y() - latitude).abs().to_radians() < north);
            prop_assert!((to.x() - 9.0).abs().to_radians() < east);
        }

        #[test]
        fn the_greatest_weight_is_the_greatest(
            latitude in -85.0_f64..85.0, north in 1e-5_f64..0.01, part in -1.0_f64..1.0,
        ) {
            let local = Local::at(Position::new(latitude, 0.0).unwrap());
            prop_assert!(local.area_weight(part * north) <= local.greatest_area_weight(north) + 1e-15);
        }
    }
}
