//! Doing a job at a meter, on whatever ports and in whatever time there are.
//!
//! Enters: a meter, a job, an environment. Leaves: what came of it. Absent: threads, slots.

use std::{path::Path, time::Duration};

use ebp_core::clock::DeviceClock;

use super::{ConfiguredMeter, Done, Job, NotUnlocked};
use crate::{
    interface::{Environment, Heard, ReadError, Reading, Telegram, measure},
    port::usb,
    session::ReadOptions,
    unlock::{Pin, PlanError, UnlockError, UnlockOptions, Unlocked},
};

/// How long the first telegram may take.
const FIRST_TELEGRAM: Duration = Duration::from_secs(15);

/// Does jobs at meters; it returns when they are done.
pub struct JobRunner<'a> {
    /// What the meters' interfaces work with.
    pub environment: &'a Environment,
    /// The device's clocks.
    pub clock: &'a dyn DeviceClock,
    /// Hears until when a reading goes on beyond its time, because its meter is answering.
    pub goes_on: &'a dyn Fn(Duration),
}

impl JobRunner<'_> {
    /// Does the job.
    #[must_use]
    pub fn run(&self, meter: &ConfiguredMeter, job: Job) -> Done {
        match job {
            Job::Read(reading) => {
                let mut heard = Heard::default();
                let telegram = self.read(meter, reading, &mut heard);
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

    /// Reads the meter once: opens its port, takes the wanted telegram, and closes the port again.
    fn read(
        &self,
        meter: &ConfiguredMeter,
        reading: Reading,
        heard: &mut Heard,
    ) -> Result<Box<Telegram>, ReadError> {
        let address = meter.options.address;
        let detecting = ReadOptions { address, ..ReadOptions::default() };
        let options = if reading.detect { detecting } else { meter.options };
        let mut interface = meter.open(options, self.environment)?;
        let stop = &self.environment.stop;
        measure(&mut *interface, reading, self.clock, stop, self.goes_on, heard)
    }

    fn unlock(
        &self,
        meter: &ConfiguredMeter,
        until: Duration,
        inf: bool,
    ) -> Result<Unlocked, NotUnlocked> {
        let (read, pin) = secrets(meter)?;
        let mut interface = meter.open(read, self.environment).map_err(UnlockError::from)?;
        let takes = meter.unlocking().unwrap_or_default();
        let rest = meter.stays_open().unwrap_or_default();
        let left = until.saturating_sub(self.clock.since_boot());
        // A slower try needs the meter's rest before it, and the PIN once more.
        let thorough = left > takes * 3 + rest;
        let options = UnlockOptions {
            first_telegram: FIRST_TELEGRAM,
            slower: thorough,
            inf,
            inf_presses: meter.inf_presses,
            wait_for_rest: thorough,
            // The next reading shows whether the detail lasts.
            confirm: false,
            ..UnlockOptions::default()
        };
        let progress = &mut |progress| tracing::debug!(meter = %meter.uuid, %progress, "unlocking");
        Ok(interface.enable_detailed_readout(&pin, &options, progress)?)
    }

    fn press(&self, meter: &ConfiguredMeter) -> Result<(), NotUnlocked> {
        let (read, _) = secrets(meter)?;
        let mut interface = meter.open(read, self.environment).map_err(UnlockError::from)?;
        Ok(interface.keep_open()?)
    }
}

/// How the model speaks, and the meter's PIN.
fn secrets(meter: &ConfiguredMeter) -> Result<(ReadOptions, Pin), NotUnlocked> {
    let path = meter.pin_file.as_ref().ok_or(NotUnlocked::NoPin)?;
    let model = meter
        .model()
        .ok_or_else(|| UnlockError::from(PlanError::NoLock { model: "this meter".to_owned() }))?;
    Ok((model.read, Pin::from_file(path)?))
}
