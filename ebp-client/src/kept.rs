//! Whether the connection of before is still there for the next question.
//!
//! Enters: requests. Leaves: their answers; a question that was lost with the connection of before is
//! asked once more, over a new one. Absent: the connections themselves, which the HTTP client has.
//!
//! A device asks for consent once in a quarter of an hour. Over a connection that is kept a question
//! costs a quarter of one that begins with a handshake. Many home routers forget a connection that rests
//! and tell nobody: a question is lost then, and it is asked again over a new connection. Where that
//! happens twice in succession nothing is kept for a day.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use reqwest::{
    Method,
    blocking::{Client, Request, Response},
    header::{CONNECTION, HeaderValue},
};

/// How long an answer over a connection that has rested may take. What is asked so is small.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection has rested if nothing was asked for so long.
const RESTED: Duration = Duration::from_secs(10);

/// After so many lost questions in succession no connection is kept.
const LOST: u32 = 2;

/// When it is tried again.
const PAUSE: Duration = Duration::from_secs(24 * 3600);

/// What is known of the path's connections.
#[derive(Debug)]
pub(crate) struct KeptConnection {
    longest: Option<Duration>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    answered: Option<Instant>,
    lost: u32,
    lost_at: Option<Instant>,
}

impl KeptConnection {
    /// For a client that keeps a connection from question to question, for `longest`.
    pub(crate) fn new(longest: Option<Duration>) -> Self {
        Self { longest, seen: Mutex::default() }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request, and returns its answer's head.
    pub(crate) fn ask(&self, http: &Client, mut request: Request) -> reqwest::Result<Response> {
        let now = Instant::now();
        self.mark(&mut request, now);
        // What changes something is not sent twice.
        let patience = self.patience(now).filter(|_| *request.method() == Method::GET);
        let again = patience.and_then(|_| request.try_clone());
        if let Some(mut again) = again {
            *request.timeout_mut() = patience;
            match http.execute(request) {
                // A new connection that failed is not one that was lost.
                Err(error) if !error.is_connect() => self.lose(Instant::now()),
                answer => return self.heard(answer, true),
            }
            self.mark(&mut again, Instant::now());
            return self.heard(http.execute(again), false);
        }
        self.heard(http.execute(request), true)
    }

    /// Asks the server to end the connection with the answer, if it is not worth keeping.
    fn mark(&self, request: &mut Request, now: Instant) {
        if !self.is_worth_keeping(now) {
            request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }

    fn heard(&self, answer: reqwest::Result<Response>, first: bool) -> reqwest::Result<Response> {
        if answer.is_ok() {
            self.hear(Instant::now(), first);
        }
        answer
    }

    /// How long to wait for the answer to a question asked now, if it may go over a connection that has
    /// rested; absent if not.
    fn patience(&self, now: Instant) -> Option<Duration> {
        let rested = now.saturating_duration_since(self.seen().answered?);
        (RESTED..=self.longest?).contains(&rested).then_some(PATIENCE)
    }

    /// Whether a connection is worth keeping for the next question.
    fn is_worth_keeping(&self, now: Instant) -> bool {
        let mut seen = self.seen();
        if seen.lost_at.is_some_and(|at| now.saturating_duration_since(at) >= PAUSE) {
            (seen.lost, seen.lost_at) = (0, None);
        }
        seen.lost < LOST
    }

    /// An answer came, to a question that was asked once (`first`) or again.
    fn hear(&self, now: Instant, first: bool) {
        let mut seen = self.seen();
        let rested = seen.answered.map(|at| now.saturating_duration_since(at));
        if first && seen.lost < LOST && rested.is_some_and(|rested| rested >= RESTED) {
            seen.lost = 0;
        }
        seen.answered = Some(now);
    }

    /// A question over a connection that had rested was lost.
    fn lose(&self, now: Instant) {
        let mut seen = self.seen();
        // What comes next has a new connection.
        seen.answered = None;
        seen.lost += 1;
        seen.lost_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUARTER: Duration = Duration::from_secs(900);

    fn kept() -> KeptConnection {
        KeptConnection::new(Some(Duration::from_secs(1140)))
    }

    #[test]
    fn only_a_connection_that_has_rested_has_little_patience() {
        let (kept, now) = (kept(), Instant::now());
        assert_eq!(kept.patience(now), None, "nothing was asked before");
        kept.hear(now, true);
        assert_eq!(kept.patience(now + Duration::from_secs(9)), None);
        assert_eq!(kept.patience(now + QUARTER), Some(PATIENCE));
        assert_eq!(kept.patience(now + Duration::from_secs(1141)), None, "it is closed by then");
        kept.lose(now + QUARTER);
        assert_eq!(kept.patience(now + QUARTER), None, "there is none left");
        let short = KeptConnection::new(None);
        short.hear(now, true);
        assert_eq!(short.patience(now + Duration::from_secs(20)), None);
    }

    #[test]
    fn two_lost_in_succession_end_it_for_a_day() {
        let (kept, mut now) = (kept(), Instant::now());
        for lost in [true, false, true, true] {
            assert!(kept.is_worth_keeping(now));
            kept.hear(now, true);
            now += QUARTER;
            if lost {
                kept.lose(now);
            }
            kept.hear(now, !lost);
            // Nothing else is asked in between.
            assert_eq!(kept.seen().answered, Some(now));
        }
        assert!(!kept.is_worth_keeping(now));
        let later = now + PAUSE - Duration::from_secs(1);
        kept.hear(later, true);
        assert!(!kept.is_worth_keeping(later), "an answer over a new connection tells nothing");
        assert!(kept.is_worth_keeping(now + PAUSE));
    }
}
