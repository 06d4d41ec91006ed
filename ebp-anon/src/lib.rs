//! Anonymization of a household that has revoked its consent, and of tables of households.
//!
//! The measurements stay; what could identify the household is deleted or coarsened (thesis 3.1.4):
//! the contact details are removed, the location is replaced by a random one at a distance that
//! depends on the region's population density, and the specifications of photovoltaic systems lose
//! their detail ([`pv`]). This reduces a risk; it does not end it: the book's chapter on
//! anonymization says what is left.
//!
//! Enters: official geodata (once, through feature `import`, into one compact file; Germany's is carried
//! by feature `germany`), true positions, randomness. Leaves: [`Release`]s, estimates of their risk. Deliberately absent: people, HTTP,
//! databases; and seeds, but in tests.
//!
//! ```
//! use ebp_anon::{DistanceBounds, OsRandomness, Position, Regions, geodata::Geodata, mask};
//!
//! // Wiesbaden: 1,365 persons per km² (Destatis, 2018).
//! let wiesbaden = DistanceBounds::of_density(1365.0).unwrap();
//! assert_eq!((wiesbaden.min_m().round(), wiesbaden.max_m().round()), (2461.0, 6380.0));
//!
//! fn publish(regions: &[u8], latitude: &str, longitude: &str) -> Result<(), Box<dyn std::error::Error>> {
//!     let regions = Regions::new(Geodata::from_compact(regions)?)?;
//!     let origin = Position::parse(latitude, longitude)?;
//!     let release = mask(&regions, origin, &mut OsRandomness::new())?;
//!     let [latitude, longitude] = release.position().decimals();
//!     println!("{latitude} {longitude}");
//!     Ok(())
//! }
//! ```

pub mod batch;
mod bounds;
pub mod coverage;
mod ellipsoid;
mod embedded;
pub mod geocode;
pub mod geodata;
pub mod map;
mod mask;
pub mod outline;
mod position;
pub mod pv;
pub mod quotes;
mod randomness;
mod region;
pub mod region_svg;
mod release;
pub mod risk;

pub use bounds::{DistanceBounds, InvalidDensity};
pub use ellipsoid::geodesic_m;
pub use embedded::embedded;
pub use mask::{MaskError, Release, mask};
pub use position::{Decimals, InvalidPosition, Position, ReleasedPosition};
#[cfg(any(test, feature = "seeded"))]
pub use randomness::SeededRandomness;
pub use randomness::{
    InvalidReleaseKey, NoRandomness, OsRandomness, PlaceRandomness, Randomness, ReleaseKey,
};
pub use region::{InvalidRegionCode, Region, RegionCode, Regions, UnusableGeodata};
pub use release::{LeastPersons, Masker, Otherwise, ReleaseError, ReleaseStore, release_once};
pub use risk::{Risk, RiskSummary};
