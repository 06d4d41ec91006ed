//! Doing a job at a meter, on whatever ports and in whatever time there are.
//!
//! Enters: a meter, a job, how ports are opened, clocks. Leaves: what came of it. Absent: threads,
//! slots.

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use ebp_core::clock::DeviceClock;

use super::{ConfiguredMeter, Done, Job, NotUnlocked, read::read_meter};
use crate::{
    interface::read_options,
    port::{LineSettings, Port, PortError, PortName, usb},
    profile::Profile,
    session::{ReadOptions, Session},
    unlock::{
        Attempt, Head, OnPort, Pace, Pin, Plan, PlanError, RealPace, Tries, UnlockError,
        UnlockOptions, Unlocked, Variant, execute,
    },
};

/// How long the first telegram may take.
const FIRST_TELEGRAM: Duration = Duration::from_secs(15);

/// Opens a port by its name, with those line settings.
pub type OpenPort<'a> = dyn Fn(&PortName, LineSettings) -> Result<Box<dyn Port>, PortError> + 'a;

/// What work at meters needs; a simulation brings ports and a time of its own, and all else is the
/// same.
pub struct Bench<'a> {
    /// Opens a port.
    pub open: &'a OpenPort<'a>,
    /// A simulation's time; the machine's where there is none.
    pub time: Option<Arc<dyn Pace + Send + Sync>>,
    /// The device's clocks.
    pub clock: &'a dyn DeviceClock,
    /// What was tried before at the meters' locks.
    pub tries: &'a Tries,
    /// Raised to end whatever goes on: a head that shines goes dark.
    pub stop: &'a AtomicBool,
    /// Told until when a reading goes on beyond its time, because its meter is answering.
    pub goes_on: &'a dyn Fn(Duration),
}

impl Bench<'_> {
    /// Does the job, and returns when it is done.
    #[must_use]
    pub fn work(&self, meter: &ConfiguredMeter, job: Job) -> Done {
        match job {
            Job::Read(reading) => {
                let (telegram, heard) = read_meter(meter, reading, self);
                Done::Read { telegram, heard }
            }
            Job::Unlock { until, inf } => {
                Done::Unlock(self.unlock(meter, until, inf).map(Box::new))
            }
            Job::Press => Done::Press(self.press(meter)),
            Job::Reset => Done::Reset(
                usb::reset(&meter.port, Path::new("/sys")).map_err(|error| error.to_string()),
            ),
        }
    }

    pub(super) fn session(
        &self,
        name: &PortName,
        line: LineSettings,
        options: ReadOptions,
    ) -> Result<Session, PortError> {
        let port = (self.open)(name, line)?;
        Ok(match &self.time {
            None => Session::from_port(port, options),
            Some(time) => Session::in_time(port, options, Arc::clone(time)),
        })
    }

    fn pace(&self) -> Arc<dyn Pace + Send + Sync> {
        self.time.clone().unwrap_or_else(|| Arc::new(RealPace::default()))
    }

    fn unlock(
        &self,
        meter: &ConfiguredMeter,
        until: Duration,
        inf: bool,
    ) -> Result<Unlocked, NotUnlocked> {
        let (profile, pin) = secrets(meter)?;
        let mut session = self
            .session(&meter.port, profile.line.settings(), read_options(profile))
            .map_err(UnlockError::from)?;
        let takes = meter.unlocking().unwrap_or_default();
        let rest = meter.stays_open().unwrap_or_default();
        let left = until.saturating_sub(self.clock.since_boot());
        // A slower try needs the meter's rest before it, and the PIN once more.
        let thorough = left > takes * 3 + rest;
        let options = UnlockOptions {
            head: head(meter, profile),
            first_telegram: FIRST_TELEGRAM,
            slower: thorough,
            inf,
            inf_presses: meter.inf_presses,
            wait_for_rest: thorough,
            // The next reading shows whether the detail lasts.
            confirm: false,
            ..UnlockOptions::for_model(profile)
        };
        let attempt = Attempt {
            profile,
            tries: self.tries,
            clock: self.clock,
            pace: &*self.pace(),
            options: &options,
            stop: self.stop,
        };
        let told = |progress| tracing::debug!(meter = %meter.uuid, %progress, "unlocking");
        Ok(attempt.run(&mut session, &pin, &mut { told })?)
    }

    fn press(&self, meter: &ConfiguredMeter) -> Result<(), NotUnlocked> {
        let (profile, _) = secrets(meter)?;
        let mut port =
            (self.open)(&meter.port, profile.line.settings()).map_err(UnlockError::from)?;
        let plan = Plan::keep_alive(profile, Variant::Normal).map_err(UnlockError::from)?;
        execute(&plan, &mut OnPort(&mut *port), &head(meter, profile), &*self.pace())
            .map_err(UnlockError::from)?;
        Ok(())
    }
}

/// The model's profile and the meter's PIN.
fn secrets(meter: &ConfiguredMeter) -> Result<(&Profile, Pin), NotUnlocked> {
    let path = meter.pin_file.as_ref().ok_or(NotUnlocked::NoPin)?;
    let profile = meter
        .profile
        .as_deref()
        .ok_or_else(|| UnlockError::from(PlanError::NoLock { model: "this meter".to_owned() }))?;
    Ok((profile, Pin::from_file(path)?))
}

fn head(meter: &ConfiguredMeter, profile: &Profile) -> Head {
    let usual = Head::on(profile.line.settings());
    Head { method: meter.method, inverted: meter.inverted, ..usual }
}
