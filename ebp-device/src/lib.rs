//! A measurement device of the `ebp` measurement system, as a library.
//!
//! [`Device::open`](device::Device::open) takes a configuration; [`daemon::Measuring`] stores one
//! measurement of every meter and slot in the device's [`spool`], and [`daemon::Reporting`] sends
//! them to the Data API until the server has confirmed them. Nothing is measured or sent without
//! the household's consent ([`consent`]). Both daemons are state machines: `ebp read --every`, `ebp
//! transmit --every` and the field test in simulated time step the same ones.
//!
//! There are no features; the participant's page, the tunnel and updates are other crates.
//!
//! ```
//! use ebp_device::config::{DeviceConfig, EXAMPLE};
//!
//! let folder = tempfile::tempdir().unwrap();
//! let path = folder.path().join("device.toml");
//! std::fs::write(&path, EXAMPLE).unwrap();
//! let config = DeviceConfig::load(&path).unwrap();
//! assert_eq!(config.cycle.measurement.to_string(), "15m");
//! assert!(config.publish().is_empty());
//! // `Device::open_for_measuring(&path)` opens spool and identity; `daemon::measure` goes on from there.
//! ```
//!
//! Enters: a configuration, meters' telegrams, the Data API's responses. Leaves: rows of the spool,
//! requests to the Data API, events. Absent: the command line, texts for people, an HTTP server.

pub mod clock;
pub mod config;
pub mod connection;
pub mod consent;
pub mod daemon;
pub mod device;
pub mod error_source;
pub mod frontend;
pub mod holdings;
pub mod host_keys;
pub mod keeper;
pub mod meters;
pub mod metrics_file;
pub mod self_test;
pub mod socket;
pub mod spool;
pub mod transmitter;
pub mod wipe;
