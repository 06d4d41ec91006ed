//! A reading head's port in simulated time.
//!
//! Enters: a meter on the wall. Leaves: a [`Port`] that keeps its promises, and the time that passes
//! at it. Absent: what is read for what.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ebp_core::clock::{BootId, Clock, DeviceClock, Moment};
use ebp_meter::{
    interface::Environment,
    pace::Pace,
    port::{LineSettings, Port, PortError, PortName, Received},
    unlock::Tries,
};
use jiff::Timestamp;

use crate::{
    chance::{after, until},
    faults::Head,
    meter::WallMeter,
};

/// A meter that a device and the account at the end both look at.
pub type Shared = Arc<Mutex<WallMeter>>;

/// The meter itself.
pub fn locked(meter: &Shared) -> MutexGuard<'_, WallMeter> {
    meter.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The time of one job: it runs ahead of the field test, which waits for its end.
#[derive(Debug)]
pub struct JobTime {
    passed: Mutex<Duration>,
    began: Timestamp,
    moment: Moment,
    synchronised: bool,
}

impl JobTime {
    /// From now on, by the device's clocks.
    #[must_use]
    pub fn new(truth: Timestamp, clock: &dyn DeviceClock) -> Self {
        Self {
            passed: Mutex::default(),
            began: truth,
            moment: clock.moment(),
            synchronised: clock.synchronised(),
        }
    }

    /// The true time.
    #[must_use]
    pub fn truth(&self) -> Timestamp {
        after(self.began, self.passed())
    }

    /// How long it has taken so far.
    #[must_use]
    pub fn passed(&self) -> Duration {
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn go(&self, to: Duration) {
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        *passed = to.max(*passed);
    }
}

impl Pace for JobTime {
    fn now(&self) -> Duration {
        self.passed()
    }

    fn sleep_until(&self, at: Duration) {
        self.go(at);
    }
}

impl Clock for JobTime {
    fn now(&self) -> Timestamp {
        after(self.moment.at, self.passed())
    }
}

impl DeviceClock for JobTime {
    fn boot(&self) -> BootId {
        self.moment.boot
    }

    fn since_boot(&self) -> Duration {
        self.moment.since_boot + self.passed()
    }

    fn synchronised(&self) -> bool {
        self.synchronised
    }
}

/// The port.
pub struct WallPort {
    name: PortName,
    meter: Shared,
    time: Arc<JobTime>,
    /// What came before this was read, or came before the port was opened.
    read: Timestamp,
    /// The device or the process ends then.
    end: Timestamp,
}

impl WallPort {
    /// Opens it; nothing works after `end`.
    ///
    /// # Errors
    /// When the head is gone.
    pub fn open(
        name: &PortName,
        meter: &Shared,
        time: &Arc<JobTime>,
        end: Timestamp,
    ) -> Result<Box<dyn Port>, PortError> {
        let read = time.truth();
        if let Some((Head::Gone, _)) = locked(meter).head(read) {
            return Err(PortError::NotFound { port: name.clone() });
        }
        let (meter, time) = (Arc::clone(meter), Arc::clone(time));
        Ok(Box::new(Self { name: name.clone(), meter, time, read, end }))
    }

    fn go(&self, to: Timestamp) {
        self.time.go(self.time.passed() + until(self.time.truth(), to));
    }

    fn vanished(&self) -> PortError {
        PortError::Vanished { port: self.name.clone() }
    }

    /// When the head begins to fail within that time, and how; or `None`.
    fn fails(&self, from: Timestamp, to: Timestamp) -> Option<(Timestamp, Head, Timestamp)> {
        let meter = locked(&self.meter);
        meter.failing(from, to)
    }
}

/// What an interface to a meter on the wall works with, in the time of a job; nothing works after
/// `end`.
#[must_use]
pub fn environment(
    wall: &Shared,
    time: &Arc<JobTime>,
    tries: &Tries,
    end: Timestamp,
) -> Environment {
    let (wall, at) = (Arc::clone(wall), Arc::clone(time));
    Environment {
        open: Arc::new(move |name, _| WallPort::open(name, &wall, &at, end)),
        time: Some(time.clone()),
        clock: time.clone(),
        tries: tries.clone(),
        stop: Arc::default(),
    }
}

impl Port for WallPort {
    fn name(&self) -> &PortName {
        &self.name
    }

    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<Received, PortError> {
        let now = self.time.truth();
        let mut deadline = after(now, wait);
        if now >= self.end {
            return Err(self.vanished());
        }
        deadline = deadline.min(self.end);
        let failing = self.fails(now, deadline);
        if let Some((from, head, to)) = failing {
            if from <= now {
                match head {
                    Head::Gone => return Err(self.vanished()),
                    Head::Hangs => {
                        self.go(to.min(self.end));
                        let source = io::Error::other("input/output error");
                        return Err(PortError::Io { port: self.name.clone(), source });
                    }
                    _ => {
                        self.go(deadline.min(to));
                        self.read = self.time.truth();
                        return Ok(Received::Nothing);
                    }
                }
            }
            deadline = deadline.min(from);
        }
        let mut meter = locked(&self.meter);
        let fault = |error: anyhow::Error| PortError::Io {
            port: self.name.clone(),
            source: io::Error::other(error.to_string()),
        };
        let (next, mut bytes) = meter.bytes(self.read, now).map_err(fault)?;
        let mut at = now;
        if bytes.is_empty() {
            if next > deadline {
                drop(meter);
                self.read = deadline.max(self.read);
                self.go(deadline);
                return Ok(Received::Nothing);
            }
            at = next.max(now);
            (_, bytes) = meter.bytes(self.read, at).map_err(fault)?;
        }
        drop(meter);
        bytes.truncate(buffer.len());
        buffer[..bytes.len()].copy_from_slice(&bytes);
        self.read = at;
        self.go(at);
        Ok(if bytes.is_empty() { Received::Nothing } else { Received::Bytes(bytes.len()) })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        let now = self.time.truth();
        if now >= self.end {
            return Err(self.vanished());
        }
        match self.fails(now, after(now, Duration::from_millis(1))) {
            Some((_, Head::Gone, _)) => Err(self.vanished()),
            Some((_, Head::Hangs, to)) => {
                self.go(to.min(self.end));
                let source = io::Error::other("input/output error");
                Err(PortError::Io { port: self.name.clone(), source })
            }
            // Light that falls beside the meter.
            Some((_, Head::Silent, _)) => Ok(()),
            _ => {
                locked(&self.meter).light(now, bytes);
                Ok(())
            }
        }
    }

    fn set_line(&mut self, _: LineSettings) -> Result<bool, PortError> {
        Ok(true)
    }

    /// Light is made of zero bytes here.
    fn set_light(&mut self, _: bool) -> Result<bool, PortError> {
        Ok(false)
    }

    fn is_live(&self) -> bool {
        true
    }
}
