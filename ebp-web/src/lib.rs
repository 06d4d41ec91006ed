//! Web pages of the `ebp` measurement system.
//!
//! Enters: requests of browsers; data through traits that the caller implements. Leaves: HTML, CSS
//! and SVG made on the server, which work without script. Absent: SQL, the spool, meters, private
//! keys.
//!
//! [`kit`] has what every frontend needs and knows nothing of meters; [`device`] (feature `device`)
//! is the page that a household opens in its own network. [`cloud`] has what the pages of researchers
//! (feature `registration`) and administrators (feature `status`) share; feature `report` makes the page
//! of `ebp report --html`.
//!
//! ```
//! use ebp_web::kit::{language::Language, number::quantity};
//!
//! let energy = "1234.5".parse().unwrap();
//! assert!(quantity(Language::De, energy, 1, "kWh").ends_with("234,5\u{a0}kWh"));
//! ```

#[cfg(feature = "cloud")]
pub mod cloud;
#[cfg(feature = "device")]
pub mod device;
pub mod kit;
#[cfg(any(feature = "device", feature = "registration"))]
mod outlines;
#[cfg(feature = "registration")]
mod registration;
#[cfg(feature = "report")]
pub mod report;
#[cfg(feature = "status")]
mod status;
