//! The report cycle's work: what the spool holds goes to the Data API, and leaves the spool when the
//! server has confirmed that very measurement.
//!
//! Enters: a spool, the Data API, the device's clocks, random numbers. Leaves: a [`Report`] of what
//! was sent, and from the [`ReportEngine`] also what was told besides, and when it wants to be called
//! next. Absent: waiting.
//!
//! A measurement's uuid follows from its meter and slot and the server stores each uuid once, so
//! what was stored while the answer got lost is sent again and answered `duplicate`: nothing is
//! lost and nothing doubled, wherever either side dies.

mod api;
mod engine;
mod schedule;
mod status;
mod upload;

pub use api::DataApi;
pub use engine::{ReportEngine, ReportOutcome, Reported};
pub use schedule::{Schedule, patience};
pub use upload::{Report, TransmitError, Upload, transmit};

#[cfg(test)]
mod tests;
