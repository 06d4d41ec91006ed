//! A measurement device of the `ebp` measurement system, as a library.
//!
//! [`Device::open`](device::Device::open) takes a configuration; [`daemon::Measuring`] keeps one
//! measurement of every meter and slot in the device's [`spool`], [`daemon::Reporting`] sends them to
//! the Data API until the server has confirmed them. Nothing is measured or sent without the
//! household's consent ([`consent`]). Both daemons are engines that are stepped: `ebp read --every`,
//! `ebp transmit --every` and the field test in simulated time drive the same ones.
//!
//! Enters: a configuration, what the meters show, the Data API's answers. Leaves: rows of the spool,
//! requests to the Data API, events. Absent: the command line, words for people, an HTTP server.

pub mod clock;
pub mod config;
pub mod connection;
pub mod consent;
pub mod daemon;
pub mod device;
pub mod keeper;
pub mod meters;
pub mod socket;
pub mod spool;
pub mod transmitter;
