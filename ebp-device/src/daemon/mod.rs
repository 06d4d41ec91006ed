//! A device's two daemons, as engines that are stepped.
//!
//! Enters: an open [`Device`](crate::device::Device), reading heads. Leaves: events, and when to step
//! again. Absent: waiting, signals, words for people. Whoever drives them waits: the program on the
//! machine's clock, a field test on a simulated one.

mod ask;
mod measuring;
mod reporting;

pub use ask::{Answer, AskConsent, ConsentThread};
pub use measuring::{Measuring, MeasuringEvent, MeasuringStep, OneCycle};
pub use reporting::{Reporting, ReportingStep};
