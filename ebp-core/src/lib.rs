//! Domain model, Data API contract, spool and transmitter of the `ebp` measurement system.
//!
//! A household's meters are read once per measurement cycle; each reading becomes a
//! [`model::Measurement`], is kept in the device's [`spool`] and sent to the Data API by the
//! [`transmitter`] until the server has confirmed it. Nothing is measured or sent without the
//! household's consent ([`consent`]).
//!
//! Enters: readings as OBIS codes with exact decimals, configuration values, the clock.
//! Leaves: rows of the spool, requests to the Data API, the contract's bodies.
//! Deliberately absent: serial ports, geometry, HTTP servers.
//!
//! ```
//! use ebp_core::cycle::Cycle;
//! let cycle: Cycle = "15m".parse().unwrap();
//! let at = "2026-01-31T12:07:30Z".parse().unwrap();
//! assert_eq!(cycle.slot(at).start().to_string(), "2026-01-31T12:00:00Z");
//! ```
//!
//! The features `client` (the API's client, the consent gate and the transmitter) and `spool`
//! (SQLite) are off by default, so that the model stays pure.

pub mod clock;
pub mod contract;
pub mod cycle;
pub mod evaluation;
pub mod model;
pub mod obis;
pub mod phrase;
pub mod private_file;
pub mod quantity;
pub mod scope;

#[cfg(feature = "client")]
pub mod client;
#[cfg(all(feature = "client", feature = "spool"))]
pub mod consent;
#[cfg(feature = "client")]
pub mod identity;
#[cfg(feature = "spool")]
pub mod spool;
#[cfg(all(feature = "client", feature = "spool"))]
pub mod transmitter;
