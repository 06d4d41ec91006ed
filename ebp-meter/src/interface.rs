//! One interface to meters of every model: the thesis' `MeterInterface` (figure 4.12).
//!
//! Enters: a [`Registry`] of models, a [`Site`] (the port of a reading head and what is known of
//! it), an [`Environment`] (how ports are opened, clocks, earlier tries of PINs). Leaves:
//! [`MeterInterface`]s. Absent: which meters a household has and when they are read
//! ([`crate::aggregator`]); which meter sent a telegram ([`crate::identify`]).
//!
//! A [`Driver`] opens the meters of one model. Each profile is a driver; a driver written in code
//! is added with [`Registry::register`]. A meter whose model is not known has an interface, too,
//! which detects the meter's protocol ([`open`] without a driver).
//!
//! All functions here block: light pulses need exact pauses on one thread, and the program provides
//! one. The measurement cycle does not wait: its [`Heads`](crate::aggregator::Heads) do this work.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::{path::Path, sync::Arc, time::Duration};
//! use ebp_meter::{
//!     interface::{self, Environment, Registry, Site},
//!     unlock::{Pin, Tries, UnlockOptions},
//! };
//! let registry = Registry::embedded();
//! let driver = registry.driver("MT175")?;
//! let around = Environment::for_machine(Tries::in_folder(Path::new("/var/lib/ebp")), Arc::default());
//! let site = Site::new("/dev/ttyUSB0".parse()?, driver.model().read);
//! let mut meter = driver.open(&site, &around)?;
//! let readout = interface::read(&mut *meter, Duration::from_secs(10), &around)?;
//! if !meter.is_detailed(&readout) {
//!     let pin = Pin::from_file(Path::new("/etc/ebp/pin"))?;
//!     let progress = &mut |progress| eprintln!("{progress}");
//!     meter.enable_detailed_readout(&pin, &UnlockOptions::default(), progress)?;
//! }
//! # Ok(()) }
//! ```

mod driver;
mod environment;
mod meter;
mod model;
mod profile_driver;
#[cfg(feature = "promises")]
pub mod promises;
mod read_error;
mod reading;
mod registry;
mod session_meter;

pub use driver::{Driver, open};
pub use environment::{Environment, OpenPort, Site};
pub use meter::MeterInterface;
pub use model::{Model, PinEntry};
pub use profile_driver::ProfileDriver;
pub use read_error::ReadError;
pub use reading::{Choice, Heard, Reading, Telegram, measure, read};
pub use registry::{NameTaken, Registry};
pub use session_meter::SessionMeter;
