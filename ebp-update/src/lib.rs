//! A device's updates, which cannot leave it without a program that runs.
//!
//! The program that the package installed is the floor: it is never changed. [`Updater`] fetches the
//! desired release beside it, tries it out, and keeps it only if everything that worked before works
//! after it ([`Watch`]); otherwise it goes back. Services start by the [`launcher`], which takes the
//! floor where the current release cannot run. The power may fail at any instant.
//!
//! | trait | what differs |
//! |---|---|
//! | [`Disk`] | this machine's disk, or one of a test that loses writes |
//! | [`Supply`] | where releases come from |
//! | [`Programs`] | how a program that was fetched is tried before services run it |
//! | [`Services`] | how services are restarted, and how often they were |
//! | [`Witness`] | what of the device works |
//!
//! Where no release was fetched yet, services run what the package installed:
//!
//! ```
//! use std::path::Path;
//! use ebp_update::launcher;
//!
//! let updates = tempfile::tempdir()?;
//! let floor = Path::new("/usr/bin/ebp");
//! let choice = launcher::for_service(updates.path(), floor);
//! assert_eq!((choice.program.as_path(), choice.instead), (floor, None));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! There are no features.
//!
//! Enters: a desired release, its bytes, what the device is seen to do. Leaves: the folder
//! `/var/lib/ebp-update` with versions, `current` and `state.json`; events. Absent: how signatures are
//! verified, which is `ebp-release`'s, HTTP, the spool, texts for people.

pub mod config;
mod disk;
mod engine;
mod error;
mod event;
pub mod folder;
pub mod launcher;
pub mod layout;
mod limits;
mod machine_disk;
mod machine_programs;
mod moment;
mod programs;
mod proof;
mod release;
mod services;
mod signed;
mod state;
mod systemd;
mod version;
mod wish;

pub use config::{Manager, Pin, UpdateConfig};
pub use disk::{Disk, DiskError};
pub use engine::{Parts, Updater};
pub use error::UpdateError;
pub use event::{Event, Next};
pub use limits::Limits;
pub use machine_disk::{Lock, MachineDisk};
pub use machine_programs::MachinePrograms;
pub use moment::is_between_readings;
pub use programs::{ProgramError, Programs};
pub use proof::{Demand, Observation, Watch, Witness};
pub use release::{Digest, Release, Supply, SupplyError};
pub use services::{ServiceState, Services, ServicesError};
pub use signed::{Files, SignedSupply};
pub use state::{CommittedOn, Ended, Phase, RevertReason, Reverted, State, Trial, retry};
pub use systemd::Systemd;
pub use version::{InvalidVersion, Version};
pub use wish::{Wish, shorten};
