//! A measurement device of the `ebp` measurement system, as a library.
//!
//! [`Device::open`](device::Device::open) takes a configuration; [`daemon::Measuring`] stores one
//! measurement of every meter and slot in the device's [`spool`], and [`daemon::Reporting`] sends
//! them to the Data API until the server has confirmed them. Nothing is measured or sent without
//! the household's consent ([`consent`]). Both daemons are state machines: `ebp read --every`, `ebp
//! transmit --every` and the field test in simulated time step the same ones.
//!
//! Enters: a configuration, meters' telegrams, the Data API's responses. Leaves: rows of the spool,
//! requests to the Data API, events. Absent: the command line, texts for people, an HTTP server.

pub mod clock;
pub mod config;
pub mod connection;
pub mod consent;
pub mod daemon;
pub mod device;
pub mod frontend;
pub mod host_keys;
pub mod keeper;
pub mod meters;
pub mod socket;
pub mod spool;
pub mod transmitter;
