//! How messages are tried to be sent, and when again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::rule::job::JobPolicy;

/// How deliveries are tried again: after 10 s, and after twice as long each time up to an hour, for
/// about three days.
fn delivery_policy() -> JobPolicy {
    JobPolicy {
        first_delay: Duration::from_secs(10),
        longest_delay: Duration::from_secs(3600),
        failures: 80,
        ..JobPolicy::default()
    }
}

/// The longest pause that a receiver can ask for.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(6 * 3600);

/// How an attempt to deliver a message ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempted {
    /// The receiver has accepted it.
    Accepted,
    /// It failed; another attempt may succeed.
    Failed {
        /// Why, without addresses.
        error: String,
        /// How long the receiver asks to wait.
        pause: Option<Duration>,
    },
    /// The receiver wants no such messages any more.
    Refused {
        /// Why, without addresses.
        error: String,
    },
    /// Nothing is left to send.
    Empty,
}

/// When a delivery is tried again that failed for the `attempts`th time; none if it is given up.
#[must_use]
pub fn next_attempt(attempts: u32, pause: Option<Duration>, now: Timestamp) -> Option<Timestamp> {
    let wait = delivery_policy().after_failure(attempts)?;
    let wait = wait.max(pause.unwrap_or_default().min(LONGEST_PAUSE));
    Some(now.checked_add(wait).unwrap_or(Timestamp::MAX))
}

/// Whether a delivery is due that was put off until then. One that waits for longer than any may was
/// put off before the clock was set back.
#[must_use]
pub fn is_due(next_at: Timestamp, now: Timestamp) -> bool {
    let wait = next_at.duration_since(now);
    wait <= SignedDuration::ZERO || wait.unsigned_abs() > LONGEST_PAUSE
}
