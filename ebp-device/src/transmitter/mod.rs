//! Sends the spool's measurements to the Data API in each report cycle, and removes a measurement
//! from the spool when the server has confirmed it.
//!
//! Enters: a spool, the Data API, the device's clocks, random numbers. Leaves: a [`Report`] of what
//! was sent; from the [`ReportEngine`] also the status and incidents that were reported, and the
//! instant of the next call. Absent: waiting.
//!
//! A measurement's UUID follows from its meter and slot, and the server stores each UUID once. If
//! the server has stored a measurement and its answer was lost, the measurement is sent again and
//! answered `duplicate`. So no measurement is lost or stored twice, wherever either side ends.

mod api;
mod engine;
mod progress;
mod schedule;
mod status;
mod upload;

pub use api::DataApi;
pub use engine::{ReportEngine, ReportOutcome, Reported, TRANSMITTER};
pub use progress::{Acknowledged, acknowledged};
pub use schedule::{Schedule, patience};
pub use upload::{Report, TransmitError, Upload, transmit};

#[cfg(test)]
mod tests;
