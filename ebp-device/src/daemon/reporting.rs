//! The reporting daemon: sends the spool's measurements to the Data API, once in each report cycle.

use std::time::Duration;

use ebp_client::identity;
use jiff::Timestamp;

use crate::{
    device::{Certificate, Device, DeviceError},
    error_source::ErrorSource,
    spool::SpoolError,
    transmitter::{ReportEngine, ReportOutcome, Schedule},
};

/// How long the daemon waits after the spool failed, in which case the failure cannot be stored: at
/// first, and at most. Each attempt sends a request to the server.
const FIRST_SPOOL_WAIT: Duration = Duration::from_secs(5);
const LONGEST_SPOOL_WAIT: Duration = Duration::from_secs(600);

/// The result of a step of the reporting daemon.
#[derive(Debug)]
pub struct ReportingStep {
    /// The outcome of the report; `None` if none was due.
    pub outcome: Option<Result<ReportOutcome, SpoolError>>,
    /// The result of renewing the certificate; `None` if that was not due.
    pub certificate: Option<Result<Certificate, DeviceError>>,
    /// The result of renewing the certificate of the device's page: until when a new one is valid;
    /// `None` if that was not due.
    pub frontend: Option<Result<Option<Timestamp>, DeviceError>>,
    /// Step again after that time at the latest. A caller should read the clock more often, since
    /// it may be set meanwhile.
    pub next: Duration,
    /// Consent is revoked for good: nothing is sent any more.
    pub is_over: bool,
}

/// The reporting daemon.
pub struct Reporting {
    engine: ReportEngine,
    spool_wait: Duration,
    /// The spool failed: don't report before this time since the machine's start.
    not_before: Duration,
}

impl Reporting {
    /// A daemon that reports at the device's minute of the cycle.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read.
    pub fn new(device: &Device) -> Result<Self, SpoolError> {
        // A device without an identifier in its certificate uses that of its first meter.
        let first = device.config.meters.first().map(|meter| meter.uuid);
        let own = identity::device_of(&device.config.api.certificate).or(first);
        let schedule = Schedule::for_device(own.unwrap_or_default(), device.config.cycle.report);
        Self::with_schedule(device, schedule)
    }

    /// A daemon that reports by that schedule.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read.
    pub fn with_schedule(device: &Device, schedule: Schedule) -> Result<Self, SpoolError> {
        let meters = device.config.meters.iter().map(|meter| meter.uuid).collect();
        let tunnel = device.config.tunnel.as_ref().filter(|tunnel| tunnel.enabled);
        let engine = ReportEngine::new(schedule, meters, &device.spool)?
            .with_host_keys(tunnel.map(|tunnel| tunnel.host_keys.clone()));
        Ok(Self { engine, spool_wait: FIRST_SPOOL_WAIT, not_before: Duration::ZERO })
    }

    /// Tells groups of errors with the device's status, too.
    #[must_use]
    pub fn with_errors(self, errors: ErrorSource) -> Self {
        Self { engine: self.engine.with_errors(errors), ..self }
    }

    /// How long until a report is due.
    #[must_use]
    pub fn due_in(&self, device: &Device) -> Duration {
        let not_yet = self.not_before.saturating_sub(device.clock.since_boot());
        self.engine.due_in(&*device.clock).max(not_yet)
    }

    /// How long the server asked to wait, if it did.
    #[must_use]
    pub fn asked_to_wait(&self, device: &Device) -> Option<Duration> {
        self.engine.asked_to_wait(&*device.clock)
    }

    /// Reports now, whether it is due or not. `random` is a fresh random number.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process). No row that the server did not confirm has been
    /// deleted.
    pub fn report(&mut self, device: &Device, random: u32) -> Result<ReportOutcome, SpoolError> {
        self.engine.report(&device.spool, &**device.api(), &*device.clock, random)
    }

    /// Does what is due now. `random` is a fresh random number.
    pub fn step(&mut self, device: &mut Device, random: u32) -> ReportingStep {
        let wait = self.due_in(device);
        if !wait.is_zero() {
            return ReportingStep {
                outcome: None,
                certificate: None,
                frontend: None,
                next: wait,
                is_over: false,
            };
        }
        let certificate = Some(device.keep_identity());
        let outcome = self.report(device, random);
        // Behind the report, which it must not hold up; whatever became of the device's own.
        let frontend = Some(device.keep_frontend());
        let is_over = match &outcome {
            Ok(ReportOutcome::Over) | Err(SpoolError::Revoked { .. }) => true,
            Err(_) => false,
            Ok(_) => {
                self.spool_wait = FIRST_SPOOL_WAIT;
                false
            }
        };
        let is_due = self.engine.due_in(&*device.clock).is_zero();
        if outcome.as_ref().is_err_and(|error| is_due || error.wants_reopening()) {
            device.reopen_spool();
        }
        if outcome.is_err() && is_due {
            // Not even the failure could be stored.
            self.not_before = device.clock.since_boot().saturating_add(self.spool_wait);
            self.spool_wait = LONGEST_SPOOL_WAIT.min(self.spool_wait * 2);
        }
        let next = self.due_in(device);
        ReportingStep { outcome: Some(outcome), certificate, frontend, next, is_over }
    }
}
