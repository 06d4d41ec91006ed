//! The report cycle as a state machine: it never waits and reads no clock, and all that it knows is
//! in the spool, so that a daemon and a command under a timer do the same.
//!
//! One report: consent is asked for, the measurements are sent, the server's incidents are learnt
//! once in each run of the machine, trouble is told, and then how the device is, if that has changed
//! or a day has passed. What fails is tried again after a while that grows; what was done before it
//! stays done.

use std::{path::PathBuf, time::Duration};

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    api::DataApi,
    progress::{Failed, Progress},
    schedule::{Schedule, patience},
    status,
    upload::{self, Report, TransmitError, transmit_in_batches},
};
use crate::{
    consent::{Decision, Gate},
    error_source::ErrorSource,
    spool::{IncidentChange, Spool, SpoolError},
};
use ebp_client::ClientError;
use ebp_core::{
    clock::{DeviceClock, Moment},
    contract::DeviceStatus,
};

/// The component that reports, in a device's status.
pub const TRANSMITTER: &str = "transmitter";

/// A device's report cycle.
#[derive(Debug, Clone)]
pub struct ReportEngine {
    schedule: Schedule,
    meters: Vec<Uuid>,
    /// The folder with the public keys of the sshd, if they are told.
    host_folder: Option<PathBuf>,
    /// Where groups of errors are found, if they are told.
    errors: Option<ErrorSource>,
    batch: usize,
    /// The version of the program that reports, if it is known.
    version: Option<String>,
    progress: Progress,
}

/// What a complete report did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reported {
    /// The result for the measurements.
    pub measurements: Report,
    /// Incidents that were reported or resolved.
    pub incidents: u64,
    /// Whether the device's status was reported.
    pub status: bool,
}

/// The outcome of a step.
#[derive(Debug)]
pub enum ReportOutcome {
    /// Nothing was due.
    NotDue,
    /// The report is complete.
    Reported(Reported),
    /// Consent is not granted (yet): nothing was sent.
    NotGranted,
    /// It failed, or is incomplete; what could be done is done.
    Failed {
        /// The cause.
        source: Box<ClientError>,
        /// What was reported before that.
        done: Reported,
    },
    /// The server's answer covers none of the measurements that were sent.
    Unanswered {
        /// How many measurements were sent.
        sent: usize,
        /// What was reported before that.
        done: Reported,
    },
    /// Consent is revoked for good: the spool is purged, and nothing will be due again.
    Over,
}

impl ReportEngine {
    /// A device's report cycle, going on from where the spool says it was. Its `meters` are those
    /// that it reads.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn new(schedule: Schedule, meters: Vec<Uuid>, spool: &Spool) -> Result<Self, SpoolError> {
        let progress = Progress::recall(spool)?;
        let version = spool.components()?.remove(TRANSMITTER);
        Ok(Self {
            schedule,
            meters,
            host_folder: None,
            errors: None,
            batch: upload::BATCH,
            version,
            progress,
        })
    }

    /// Tells the public keys of the sshd that are in that folder, if any, with the device's status.
    #[must_use]
    pub fn with_host_keys(self, folder: Option<PathBuf>) -> Self {
        Self { host_folder: folder, ..self }
    }

    /// Tells the groups of errors that are found there, with the device's status.
    #[must_use]
    pub fn with_errors(self, errors: ErrorSource) -> Self {
        Self { errors: Some(errors), ..self }
    }

    /// How long until a report is due, as far as is known; a daemon looks again now and then, since
    /// the time of day may be set meanwhile.
    #[must_use]
    pub fn due_in(&self, clock: &dyn DeviceClock) -> Duration {
        let Progress { reported_at, failed, wait, .. } = self.progress;
        let now = clock.moment();
        if let Some(failed) = failed {
            // By a clock that was set back, nothing has failed yet.
            return failed.ago(&now).map_or(Duration::ZERO, |ago| wait.saturating_sub(ago));
        }
        match reported_at {
            // Whoever watches an update waits for it.
            _ if self.version.is_some() && self.version != self.progress.version => Duration::ZERO,
            Some(at) if self.schedule.is_same_cycle(at, now.at) => self.schedule.until_next(now.at),
            _ => Duration::ZERO,
        }
    }

    /// How long the server has asked to wait, from now on.
    #[must_use]
    pub fn asked_to_wait(&self, clock: &dyn DeviceClock) -> Option<Duration> {
        let wait = self.due_in(clock);
        (self.progress.asked_for && !wait.is_zero()).then_some(wait)
    }

    /// Reports if that is due. `random` is a fresh random number.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process). No row that the server did not confirm has been
    /// deleted.
    pub fn step(
        &mut self,
        spool: &Spool,
        api: &(impl DataApi + ?Sized),
        clock: &dyn DeviceClock,
        random: u32,
    ) -> Result<ReportOutcome, SpoolError> {
        // Another process may have reported meanwhile.
        self.progress = Progress::recall(spool)?;
        self.wait_on_in_this_boot(spool, &clock.moment())?;
        if self.due_in(clock).is_zero() {
            self.report(spool, api, clock, random)
        } else {
            Ok(ReportOutcome::NotDue)
        }
    }

    /// A wait that began before the machine was started goes on by the clock that cannot be set:
    /// the time of day may be set right at any time from now on.
    fn wait_on_in_this_boot(&mut self, spool: &Spool, now: &Moment) -> Result<(), SpoolError> {
        let Some(failed) = self.progress.failed.filter(|failed| failed.boot != now.boot.0) else {
            return Ok(());
        };
        let ago = failed.ago(now).unwrap_or(self.progress.wait);
        self.progress.wait = self.progress.wait.saturating_sub(ago);
        self.progress.failed =
            Some(Failed { at: now.at, boot: now.boot.0, since_boot: now.since_boot });
        self.remember(spool)
    }

    /// Reports now, be it due or not. `random` is a fresh random number.
    ///
    /// # Errors
    /// Returns the same errors as [`ReportEngine::step`].
    pub fn report(
        &mut self,
        spool: &Spool,
        api: &(impl DataApi + ?Sized),
        clock: &dyn DeviceClock,
        random: u32,
    ) -> Result<ReportOutcome, SpoolError> {
        self.progress = Progress::recall(spool)?;
        let before = self.progress.clone();
        let outcome = self.work(spool, api, clock)?;
        let now = clock.now();
        match &outcome {
            ReportOutcome::Over | ReportOutcome::NotDue => return Ok(outcome),
            ReportOutcome::Reported(_) | ReportOutcome::NotGranted => {
                self.progress.reported_at = Some(now);
                self.progress.version.clone_from(&self.version);
                if matches!(outcome, ReportOutcome::Reported(_)) {
                    self.progress.acknowledged_at =
                        self.progress.status_version.as_ref().map(|_| now);
                }
                self.progress.failures = 0;
                self.progress.failed = None;
                self.progress.asked_for = false;
            }
            ReportOutcome::Failed { .. } | ReportOutcome::Unanswered { .. } => {
                let asked_for = match &outcome {
                    ReportOutcome::Failed { source, .. } => source.retry_after(),
                    _ => None,
                };
                let failures = self.progress.failures.saturating_add(1);
                self.progress.failures = failures;
                let Moment { at, boot, since_boot } = clock.moment();
                self.progress.failed = Some(Failed { at, boot: boot.0, since_boot });
                self.progress.wait = patience(failures, asked_for, random);
                self.progress.asked_for = asked_for.is_some();
            }
        }
        if let Err(error) = self.remember(spool) {
            // A report that is not remembered is due still: the spool may be another one, with
            // measurements of its own. One that failed waits as the server asked.
            if matches!(outcome, ReportOutcome::Reported(_) | ReportOutcome::NotGranted) {
                self.progress = before;
            }
            return Err(error);
        }
        Ok(outcome)
    }

    fn work(
        &mut self,
        spool: &Spool,
        api: &(impl DataApi + ?Sized),
        clock: &dyn DeviceClock,
    ) -> Result<ReportOutcome, SpoolError> {
        let mut done = Reported::default();
        let failed = |source, done| ReportOutcome::Failed { source, done };
        match Gate::decide(spool, || api.consent(), &At(clock))? {
            Decision::Granted { unasked: None, .. } => {}
            Decision::Granted { unasked: Some(source), .. } => return Ok(failed(source, done)),
            Decision::Unknown(source) => return Ok(failed(source.into(), done)),
            Decision::NotGranted => return Ok(ReportOutcome::NotGranted),
            Decision::Revoked => return Ok(ReportOutcome::Over),
        }
        match transmit_in_batches(spool, api, &At(clock), self.batch) {
            Ok(report) => done.measurements = report,
            Err(TransmitError::NotGranted) => return Ok(ReportOutcome::NotGranted),
            Err(TransmitError::Revoked) => return Ok(ReportOutcome::Over),
            Err(TransmitError::Upload { source, before }) => {
                done.measurements = before;
                return Ok(failed(source, done));
            }
            Err(TransmitError::Unanswered { sent, before }) => {
                done.measurements = before;
                return Ok(ReportOutcome::Unanswered { sent, done });
            }
            Err(TransmitError::Spool(error)) => return Err(error),
        }
        let rest = self
            .learn_incidents(spool, api, clock)
            .and_then(|()| tell_incidents(spool, api, &mut done))
            .and_then(|()| self.tell_status(spool, api, clock, &mut done));
        match rest {
            Ok(()) => Ok(ReportOutcome::Reported(done)),
            Err(TransmitError::Spool(error)) => Err(error),
            Err(TransmitError::Upload { source, .. }) if source.consent_revoked() => {
                spool.purge(clock.now())?;
                Ok(ReportOutcome::Over)
            }
            Err(TransmitError::Upload { source, .. }) => Ok(failed(source, done)),
            Err(_) => Ok(ReportOutcome::Reported(done)),
        }
    }

    /// Reads the server's incidents, once in each run of the machine: an earlier spool may have
    /// reported some.
    fn learn_incidents(
        &mut self,
        spool: &Spool,
        api: &(impl DataApi + ?Sized),
        clock: &dyn DeviceClock,
    ) -> Result<(), TransmitError> {
        let boot = clock.boot().0;
        if self.progress.learnt_in == Some(boot) {
            return Ok(());
        }
        for meter in &self.meters {
            match api.incidents(*meter) {
                Ok(held) => spool.learn_incidents(*meter, &held, clock.now())?,
                Err(error) if is_final(&error) => {
                    tracing::warn!(%meter, %error, "the meter's incidents cannot be reported");
                }
                Err(error) => return Err(failure(error)),
            }
        }
        self.progress.learnt_in = Some(boot);
        Ok(())
    }

    fn tell_status(
        &mut self,
        spool: &Spool,
        api: &(impl DataApi + ?Sized),
        clock: &dyn DeviceClock,
        done: &mut Reported,
    ) -> Result<(), TransmitError> {
        let (keys, errors) = (self.host_folder.as_deref(), self.errors.as_ref());
        let mut status = status::collect(spool, clock, &self.meters, keys, errors)?;
        let told = status::ReportedStatus { at: clock.now(), essence: status::essence(&status) };
        let collected = status.clone();
        // A cycle in which no measurement was sent is a report nevertheless.
        let sent = done.measurements.accepted + done.measurements.duplicate > 0;
        if sent && self.progress.status.as_ref().is_some_and(|before| !before.is_outdated_by(&told))
        {
            return Ok(());
        }
        let mut answer = api.report_status(&status);
        if !status.errors.is_empty() && answer.as_ref().is_err_and(is_final) {
            // A server of a release before knows no groups of errors, and takes the rest.
            status.errors.clear();
            answer = api.report_status(&status);
        }
        match answer {
            Ok(()) => {
                done.status = true;
                self.progress.status_version = status.components.get(TRANSMITTER).cloned();
            }
            // Telling the same in every cycle would not help.
            Err(error) if is_final(&error) => tracing::warn!(%error, "the status is not taken"),
            Err(error) => return Err(failure(error)),
        }
        status::mark_told(spool, &status)?;
        // A notice that was reported is removed; that is no change to report.
        let essence = status::essence(&DeviceStatus { notices: Vec::new(), ..collected });
        self.progress.status = Some(status::ReportedStatus { essence, ..told });
        Ok(())
    }

    fn remember(&self, spool: &Spool) -> Result<(), SpoolError> {
        self.progress.remember(spool)
    }
}

fn tell_incidents(
    spool: &Spool,
    api: &(impl DataApi + ?Sized),
    done: &mut Reported,
) -> Result<(), TransmitError> {
    for news in spool.incidents_to_tell()? {
        spool.incident_telling(&news)?;
        let answer = match news.change {
            IncidentChange::Reported => api.report_incident(news.meter, news.kind, news.at),
            IncidentChange::Resolved => api.resolve_incident(news.meter, news.kind, news.at),
        };
        match answer {
            Ok(()) => done.incidents += 1,
            // No such meter, or the incident was never reported: repeating it would not help.
            Err(error) if is_final(&error) => {
                tracing::warn!(meter = %news.meter, kind = %news.kind, %error, "not taken");
            }
            Err(error) => return Err(failure(error)),
        }
        spool.incident_told(&news)?;
    }
    Ok(())
}

/// Whether the server has understood the request, and will never accept it.
fn is_final(error: &ClientError) -> bool {
    matches!(error, ClientError::Problem { status: 400 | 404 | 405 | 409 | 422, .. })
        && !error.consent_not_granted()
}

fn failure(source: ClientError) -> TransmitError {
    TransmitError::Upload { source: source.into(), before: Report::default() }
}

/// The device's time of day.
struct At<'a>(&'a dyn DeviceClock);

impl ebp_core::clock::Clock for At<'_> {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}
