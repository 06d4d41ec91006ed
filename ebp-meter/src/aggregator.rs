//! The Data Aggregator's measurement cycle: every configured meter once in each slot, all at the
//! same time (thesis 4.2.1, 4.3.2, figure 4.9).
//!
//! Enters: the configured meters, their heads, the device's clocks, consent. Leaves: measurements,
//! incidents, unlocked meters. Absent: the Data API, databases, waiting: the [`Aggregator`] is a
//! machine that is stepped, so that weeks of it pass in a test in seconds.
//!
//! A slot's measurement is the first telegram that is complete in it. The port is opened two seconds
//! before the slot begins, so that the telegram under way then is not cut. Meters send every one to
//! four seconds by a clock of their own, so that this instant lies anywhere in the first interval of
//! the slot, and no choice of the telegram makes that narrower: the first that begins in the slot is
//! as widely spread, and later by its own length. A port that is opened with the slot itself loses
//! the telegram under way: sometimes the first and sometimes the second would count, which spreads
//! two consecutive measurements further by a telegram's length.
//!
//! A measurement belongs to the slot in which its telegram was complete. A reading that begins
//! before the end of a slot and ends after it is the next slot's measurement.
//!
//! Both incidents of thesis 4.6.3 are known of each meter. SERIAL-PORT-UNAVAILABLE: no telegram
//! came in two slots in a row, be it that the port is gone, is held by somebody else, hangs, is
//! silent or gives bytes without sense; for the thesis counts all of these, "small alterations in
//! the alignment" and a probe that is "faulty or unresponsive", and an administrator has the same to
//! do about them. OBIS-CODES-UNAVAILABLE: the meter speaks, but neither of power nor of fractions of
//! a kilowatt hour, and no PIN is known or it was of no use. Each ends with the first telegram that
//! shows the contrary.

mod damage;
mod engine;
mod event;
mod heads;
mod job;
mod keeper;
mod memory;
mod meter;
mod options;
pub mod plausible;
mod slots;
mod take;
mod threads;
mod watch;

pub use engine::{Aggregator, Permission};
pub use event::{Event, MeasureError, Step};
pub use heads::{Done, Heads, Job, NotUnlocked};
pub use job::JobRunner;
pub use keeper::{Keeper, LastReading, Placed, Unplaced};
pub use memory::{Failing, Memory};
pub use meter::ConfiguredMeter;
pub use options::Options;
pub use threads::Threads;

pub use crate::interface::{Choice, Heard, ReadError, Reading, Telegram};

#[cfg(test)]
mod tests;
