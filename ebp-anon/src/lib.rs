//! Anonymization of a household that has revoked its consent.
//!
//! The measurements stay; what could tell whose they are goes or is coarsened (thesis 3.1.4): the
//! contact details are removed, the location is replaced by a random one at a distance that depends
//! on the region's population density ([`DistanceBounds`]), and the specifications of photovoltaic
//! systems lose their detail ([`pv`]).
//!
//! Enters: a population density, a photovoltaic system's specifications. Leaves: the bounds of the
//! distance, coarsened specifications. Deliberately absent: people, HTTP, databases, and (until
//! geodata can be loaded) the masking of a location itself: a household whose location cannot be
//! masked is withheld instead.
//!
//! ```
//! use ebp_anon::DistanceBounds;
//! // Wiesbaden: 1,365 persons per km² (Destatis, 2018).
//! let wiesbaden = DistanceBounds::of_density(1365.0).unwrap();
//! assert_eq!((wiesbaden.min_m().round(), wiesbaden.max_m().round()), (2461.0, 6380.0));
//! ```

mod bounds;
pub mod pv;

pub use bounds::{DistanceBounds, InvalidDensity};
