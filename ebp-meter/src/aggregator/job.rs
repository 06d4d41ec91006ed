//! Doing a job at a meter, on whatever ports and in whatever time there are.
//!
//! Enters: a meter, a job, a bench. Leaves: what came of it. Absent: threads, slots.

use std::{path::Path, time::Duration};

use super::{ConfiguredMeter, Done, Job, NotUnlocked, bench::Bench, read::read_meter};
use crate::{
    interface::read_options,
    port::usb,
    profile::Profile,
    unlock::{
        Attempt, Head, OnPort, Pin, Plan, PlanError, UnlockError, UnlockOptions, Unlocked, Variant,
        execute,
    },
};

/// How long the first telegram may take.
const FIRST_TELEGRAM: Duration = Duration::from_secs(15);

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
