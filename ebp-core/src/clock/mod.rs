//! The clocks. They are read only here and passed on as arguments.
//!
//! Enters: nothing but the machine's clocks. Leaves: instants in UTC, and on a device the time since
//! its start and whether its clock can be trusted. Absent: time zones, sleeping.

mod device;
mod simulated;
mod wall;

pub use device::{BootId, DeviceClock, Moment};
pub use simulated::SimulatedClock;
pub use wall::{Clock, FixedClock, SystemClock};
