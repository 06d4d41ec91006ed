//! Simulated meters: for demonstrations, tests and users without a meter.
//!
//! Enters: a [`crate::profile::Profile`], or a recording of a real meter. Leaves: telegrams on a
//! pty, paced like light from a reading head. Absent: decoding; the network.
//!
//! The energy registers of a [`VirtualMeter`] are the exact integral of its power, which a seeded
//! [`household`] makes up; so what a chain of programs makes of it can be checked to the last digit.

mod ascii;
mod battery;
pub mod button;
mod content;
mod energies;
pub mod household;
pub mod light;
pub mod lock;
mod memory;
pub mod menu;
mod meter;
mod moment;
pub mod noise;
pub mod pty;
mod random;
pub mod replay;
mod request;
mod run;
mod state;
mod telegram;
mod unit;

pub use button::Button;
pub use energies::Energies;
pub use household::{Household, HouseholdOptions, Power};
pub use lock::{Display, Lock};
pub use memory::{Memory, MemoryError};
pub use menu::{Harm, MenuItem, MenuList};
pub use meter::{MeterOptions, VirtualMeter, VirtualMeterError};
pub use noise::{Noise, NoiseOptions, NoiseOptionsError};
pub use pty::{Pty, PtyError};
pub use replay::{Replay, ReplayError, Rhythm};
pub use run::{SimulateError, Source, Tempo, run};
pub use state::MeterState;
pub use unit::{LockMemory, LockOptions};
