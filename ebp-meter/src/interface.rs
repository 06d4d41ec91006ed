//! One meter of a known model, whatever the model: the thesis' `MeterInterface` (figure 4.12).
//!
//! Enters: a model's name and a meter that can be heard. Leaves: [`MeterInterface`]. Absent: which
//! meters a household has, and when they are read.
//!
//! Models differ by their profiles and not by code, so that there is one implementation; the trait
//! is there for tests and for meters that will be read in other ways. Everything here blocks: a
//! press of light needs exact pauses on one thread, and the program gives it one.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::{path::Path, sync::Arc, time::Duration};
//! use ebp_core::clock::SystemClock;
//! use ebp_meter::{
//!     interface::{self, Surroundings}, pace::RealPace, port, profile::Profiles,
//!     unlock::{Pin, Tries},
//! };
//! let profiles = Profiles::embedded();
//! let line = profiles.get("MT175")?.line.settings();
//! let port = port::open(&"/dev/ttyUSB0".parse()?, line)?;
//! let around = Surroundings {
//!     clock: Arc::new(SystemClock),
//!     pace: Arc::new(RealPace::default()),
//!     tries: Tries::in_folder(Path::new("/var/lib/ebp")),
//!     stop: Arc::default(),
//! };
//! let mut meter = interface::open(&profiles, "MT175", port, around)?;
//! let readout = meter.read(Duration::from_secs(10))?;
//! if !meter.is_detailed(&readout) {
//!     let pin = Pin::from_file(Path::new("/etc/ebp/pin"))?;
//!     meter.enable_detailed_readout(&pin, &mut |progress| eprintln!("{progress:?}"))?;
//! }
//! # Ok(()) }
//! ```

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ebp_core::clock::Clock;

use crate::{
    pace::Pace,
    port::{Port, PortError},
    profile::{Profile, Profiles, UnknownModel},
    readout::Readout,
    session::{AnswerSpeed, ReadOptions, Session},
    unlock::{self, Attempt, Link, Pin, Progress, Tries, UnlockError, UnlockOptions, Unlocked},
};

/// The longest single wait for a telegram before the stop flag is looked at.
const SLICE: Duration = Duration::from_millis(250);

/// A meter that can be read, and unlocked if its model has a lock.
pub trait MeterInterface: Send {
    /// What is known of its model.
    fn model(&self) -> &Profile;

    /// The next telegram.
    ///
    /// # Errors
    /// [`ReadError::Nothing`] when none came within `wait`, those of the port otherwise.
    fn read(&mut self, wait: Duration) -> Result<Readout, ReadError>;

    /// Enters the PIN and makes the detail last, as the model's profile says. `progress` hears how
    /// it goes on; it must not take long, for presses wait for it.
    ///
    /// # Errors
    /// [`UnlockError`]; nothing is tried beyond what the profile allows.
    fn enable_detailed_readout(
        &mut self,
        pin: &Pin,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Unlocked, UnlockError>;

    /// Whether a telegram has what the survey wants in detail.
    fn is_detailed(&self, readout: &Readout) -> bool {
        unlock::is_detailed(self.model(), readout)
    }
}

/// Why a meter was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Nothing came.
    #[error("no telegram within {} s", .0.as_secs())]
    Nothing(Duration),
    /// The stop flag was raised.
    #[error("stopped while waiting for a telegram")]
    Stopped,
    /// The port failed.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// What a meter needs from its surroundings to be unlocked.
#[derive(Clone)]
pub struct Surroundings {
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// The monotonic time.
    pub pace: Arc<dyn Pace + Send + Sync>,
    /// What was tried before.
    pub tries: Tries,
    /// Raised to stop whatever goes on.
    pub stop: Arc<AtomicBool>,
}

/// A meter driven by its model's profile.
pub struct ProfiledMeter {
    profile: Profile,
    link: Box<dyn Link>,
    around: Surroundings,
    options: UnlockOptions,
}

impl ProfiledMeter {
    /// A meter of that model at that link, unlocked with everything that helps.
    #[must_use]
    pub fn new(profile: Profile, link: Box<dyn Link>, around: Surroundings) -> Self {
        let options = UnlockOptions::for_model(&profile);
        Self { profile, link, around, options }
    }

    /// The same, unlocked in another way.
    #[must_use]
    pub fn with_options(mut self, options: UnlockOptions) -> Self {
        self.options = options;
        self
    }
}

impl MeterInterface for ProfiledMeter {
    fn model(&self) -> &Profile {
        &self.profile
    }

    fn read(&mut self, wait: Duration) -> Result<Readout, ReadError> {
        let until = self.around.pace.now() + wait;
        loop {
            if self.around.stop.load(Ordering::Relaxed) {
                return Err(ReadError::Stopped);
            }
            let left = until.saturating_sub(self.around.pace.now());
            if let Some(readout) = self.link.next(left.min(SLICE))? {
                return Ok(readout);
            }
            if left.is_zero() {
                return Err(ReadError::Nothing(wait));
            }
        }
    }

    fn enable_detailed_readout(
        &mut self,
        pin: &Pin,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Unlocked, UnlockError> {
        let attempt = Attempt {
            profile: &self.profile,
            tries: &self.around.tries,
            clock: &*self.around.clock,
            pace: &*self.around.pace,
            options: &self.options,
            stop: &self.around.stop,
        };
        attempt.run(&mut *self.link, pin, progress)
    }
}

/// The factory: a meter by its model's name, at a port that is open.
///
/// # Errors
/// [`UnknownModel`] with names that are near.
pub fn open(
    profiles: &Profiles,
    model: &str,
    port: Box<dyn Port>,
    around: Surroundings,
) -> Result<Box<dyn MeterInterface>, UnknownModel> {
    let profile = profiles.get(model)?.clone();
    let session = Session::from_port(port, read_options(&profile));
    Ok(Box::new(ProfiledMeter::new(profile, Box::new(session), around)))
}

/// What a session need not find out where the model is known.
#[must_use]
pub const fn read_options(profile: &Profile) -> ReadOptions {
    ReadOptions {
        protocol: Some(profile.line.protocol.protocol()),
        baud: Some(profile.line.baud),
        address: profile.line.address,
        speed: AnswerSpeed::Offered,
    }
}
