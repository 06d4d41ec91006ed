//! Sending what is queued, as a state machine: a step sends one event at most, and says how long its
//! caller may wait for the next. It neither waits nor reads a clock.
//!
//! Events are sent in their order, and leave the queue when the service has them. While it is not
//! reached the wait doubles from half a minute to an hour; what it asks for (`Retry-After`,
//! `X-Sentry-Rate-Limits`) is in the ledger, so that it holds for the next process, too. One process
//! of a folder sends at a time.

use std::{fs::File, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::{
    event::envelope,
    folder::Folder,
    service::{Answer, Service},
};

/// The pause behind each event, so that a backlog is no burst.
const PAUSE: Duration = Duration::from_millis(100);

/// The longest wait: other processes queue events, too, and the clock may be set.
const LOOK: Duration = Duration::from_secs(60);

/// What is waited after the first failure, and at most.
const FIRST_RETRY: Duration = Duration::from_secs(30);
const LONGEST_RETRY: Duration = Duration::from_secs(3600);

/// A limit that ends later than this is of another clock.
const LONGEST_LIMIT: SignedDuration = SignedDuration::from_hours(25);

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// An event was sent.
    Sent,
    /// The service refused an event for good; it is counted.
    Refused {
        /// The status of HTTP.
        status: u16,
    },
    /// Nothing waits.
    Idle,
    /// Another process sends, or the service is not to be called yet.
    Waiting {
        /// For how long.
        wait: Duration,
    },
    /// The service cannot be reached, or the folder cannot be written.
    Failed {
        /// Why.
        reason: String,
        /// When it is tried again.
        wait: Duration,
    },
}

impl Step {
    /// How long the caller may wait for the next step.
    #[must_use]
    pub fn wait(&self) -> Duration {
        match self {
            Self::Sent | Self::Refused { .. } => PAUSE,
            Self::Idle => LOOK,
            Self::Waiting { wait } | Self::Failed { wait, .. } => (*wait).min(LOOK),
        }
    }
}

/// Sends a folder's queue to a service.
#[derive(Debug)]
pub struct Transmission {
    folder: Folder,
    service: Service,
    /// The right to send, while there is something to.
    claim: Option<File>,
    retry: Duration,
    retry_at: Option<Timestamp>,
}

impl Transmission {
    /// Of that folder, to that service.
    #[must_use]
    pub const fn new(folder: Folder, service: Service) -> Self {
        Self { folder, service, claim: None, retry: FIRST_RETRY, retry_at: None }
    }

    /// Sends the oldest event, if there is one and the service may be called.
    pub fn step(&mut self, now: Timestamp) -> Step {
        let Some(oldest) = self.folder.oldest() else {
            self.claim = None;
            return Step::Idle;
        };
        if let Some(wait) = self.retry_at.and_then(|at| until(at, now)) {
            return Step::Waiting { wait: wait.min(LONGEST_RETRY) };
        }
        if self.claim.is_none() {
            self.claim = self.folder.claim_sending();
            if self.claim.is_none() {
                return Step::Waiting { wait: FIRST_RETRY };
            }
            // Another process may have sent it just now.
            return self.step(now);
        }
        let not_before = self.folder.ledger().ok().and_then(|ledger| ledger.not_before);
        if let Some(wait) = not_before.and_then(|at| until(at, now)) {
            return Step::Waiting { wait };
        }
        let Some(event) = oldest.read() else {
            return match self.folder.remove(&oldest) {
                Ok(()) => Step::Refused { status: 0 },
                Err(error) => self.fail(error.to_string(), now),
            };
        };
        match self.service.post(envelope(&oldest.id, &event, now), now) {
            Answer::Taken { limit } => {
                self.retry = FIRST_RETRY;
                self.retry_at = None;
                let done = self.folder.remove(&oldest);
                let told = self.folder.change(|ledger| {
                    ledger.sent += 1;
                    ledger.not_before = limit.and_then(|wait| end_of(wait, now));
                });
                match done.and(told) {
                    Ok(()) => Step::Sent,
                    Err(error) => self.fail(error.to_string(), now),
                }
            }
            Answer::Limited { wait } => {
                let until = end_of(wait, now);
                match self.folder.change(|ledger| ledger.not_before = until) {
                    Ok(()) => Step::Waiting { wait },
                    Err(error) => self.fail(error.to_string(), now),
                }
            }
            Answer::Refused { status } => {
                let done = self.folder.remove(&oldest);
                match done.and(self.folder.change(|ledger| ledger.refused += 1)) {
                    Ok(()) => Step::Refused { status },
                    Err(error) => self.fail(error.to_string(), now),
                }
            }
            Answer::Failed { reason } => self.fail(reason, now),
        }
    }

    fn fail(&mut self, reason: String, now: Timestamp) -> Step {
        let wait = self.retry;
        self.retry = (self.retry * 2).min(LONGEST_RETRY);
        self.retry_at = end_of(wait, now);
        // Another process may have another way to the service.
        self.claim = None;
        Step::Failed { reason, wait }
    }
}

fn end_of(wait: Duration, now: Timestamp) -> Option<Timestamp> {
    now.checked_add(SignedDuration::try_from(wait).ok()?).ok()
}

/// How long it is until then; none if it is over, or so far off that the clock was set back.
fn until(at: Timestamp, now: Timestamp) -> Option<Duration> {
    let wait = at.duration_since(now);
    if wait > LONGEST_LIMIT {
        return None;
    }
    Duration::try_from(wait).ok().filter(|wait| !wait.is_zero())
}
