//! A device's two daemons, as state machines.
//!
//! Enters: an open [`Device`](crate::device::Device), reading heads. Leaves: events, and when to
//! step again. Absent: signals, texts for people. The caller waits between steps: [`measure`] and
//! [`report`] on this machine's clock, a field test on a simulated one.

mod ask;
mod drive;
mod measuring;
mod quiet;
mod reporting;

pub use ask::{Answer, AskConsent, ConsentThread};
pub use drive::{End, heads, measure, random, report};
pub use measuring::{Measuring, MeasuringEvent, MeasuringStep, OneCycle};
pub use reporting::{Reporting, ReportingStep};
