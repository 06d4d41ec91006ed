//! More uploads than can be stored in time: those without a free slot are rejected with the time to
//! try again.
//!
//! Enters: an upload. Leaves: its place, or a 429 with `Retry-After`. Absent: how often a single
//! client may ask.
//!
//! A place is taken when the body is in, and belongs to the work: neither who trickles a body nor
//! who disconnects behind it keeps others out, and no client has more than a quarter of all. Where
//! there is no place already when the request comes it is told so before anybody is looked up.
//!
//! Whoever is sent away gets an appointment behind those who were sent away before, at the pace at
//! which uploads were answered lately: a fleet that comes back all at once after an outage is spread
//! over the time that it takes to serve it, and does not come back at once again.

pub(crate) mod gate;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    limit::{ClientId, Full, Share, Shares},
    problem::ApiError,
};

/// Octets of a body per additional slot.
const PLACE: usize = 16 << 10;

/// The shortest wait.
const SOONEST: Duration = Duration::from_secs(2);

/// The longest wait.
const LATEST: Duration = Duration::from_secs(900);

/// Uploads a second before any were counted, and at the slowest.
const PACE: (f64, f64) = (200.0, 20.0);

/// The share of the pace that appointments take; the rest is for those who come for the first time.
const SHARE: f64 = 0.5;

/// Over how long the pace is taken.
const WINDOW: Duration = Duration::from_secs(1);

/// The places of uploads, and the appointments of those who found none.
pub struct Overload {
    places: Arc<Shares>,
    appointments: Mutex<Appointments>,
}

impl Overload {
    /// So many uploads at the same time, and fewer if they are large.
    pub fn new(places: usize) -> Self {
        Self {
            places: Shares::new(places),
            appointments: Mutex::new(Appointments::new(Instant::now())),
        }
    }

    /// A place for an upload of so many octets.
    pub fn take(&self, client: ClientId, octets: usize) -> Result<Share, ApiError> {
        self.places.take(client, self.weight(octets)).map_err(|full| self.full(full))
    }

    /// As many more places as it takes when it turns out to have so many octets.
    pub fn weigh(&self, place: &mut Share, octets: usize) -> Result<(), ApiError> {
        place.grow_to(self.weight(octets)).map_err(|full| self.full(full))
    }

    /// An upload was answered.
    pub fn answered(&self) {
        self.appointments(|appointments| appointments.answered(Instant::now()));
    }

    /// The answer to an upload that cannot be accepted now.
    pub fn put_off(&self) -> ApiError {
        let wait = self.appointments(|appointments| appointments.next(Instant::now()));
        ApiError::Overloaded(wait.as_secs())
    }

    fn full(&self, full: Full) -> ApiError {
        match full {
            // Its own uploads are in its way.
            Full::Client => ApiError::TooManyRequests(SOONEST.as_secs()),
            Full::All => self.put_off(),
        }
    }

    fn appointments<T>(&self, act: impl FnOnce(&mut Appointments) -> T) -> T {
        act(&mut self.appointments.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many places it takes: no more than a client may have.
    fn weight(&self, octets: usize) -> usize {
        (1 + octets / PLACE).min(self.places.most())
    }
}

/// When those who were sent away are to come back.
struct Appointments {
    /// The latest one.
    last: Instant,
    /// Uploads a second.
    pace: f64,
    since: Instant,
    answered: u32,
    /// Whether anybody was sent away since; otherwise it is the demand that is counted.
    crowded: bool,
}

impl Appointments {
    fn new(now: Instant) -> Self {
        Self { last: now, pace: PACE.0, since: now, answered: 0, crowded: false }
    }

    /// An upload was answered.
    fn answered(&mut self, now: Instant) {
        self.answered = self.answered.saturating_add(1);
        let took = now.saturating_duration_since(self.since);
        if took < WINDOW {
            return;
        }
        let pace = f64::from(self.answered) / took.as_secs_f64();
        if pace > self.pace {
            self.pace = pace;
        } else if self.crowded {
            self.pace = f64::midpoint(self.pace, pace).max(PACE.1);
        }
        (self.since, self.answered, self.crowded) = (now, 0, false);
    }

    /// How long the next one is to wait.
    fn next(&mut self, now: Instant) -> Duration {
        self.crowded = true;
        let between = Duration::from_secs_f64(1.0 / (self.pace * SHARE));
        self.last = self.last.max(now + SOONEST) + between;
        let wait = self.last.saturating_duration_since(now);
        if wait > LATEST {
            // From there on they share what is left.
            self.last = now + LATEST;
        }
        wait.min(LATEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appointments_are_spread_at_half_the_pace() {
        let start = Instant::now();
        let mut appointments = Appointments::new(start);
        for i in 1..=2000 {
            appointments.answered(start + Duration::from_millis(i));
        }
        assert!((900.0..1100.0).contains(&appointments.pace), "{}", appointments.pace);
        let now = start + Duration::from_secs(2);
        let mut in_second = std::collections::BTreeMap::new();
        for _ in 0..10_000 {
            *in_second.entry(appointments.next(now).as_secs()).or_insert(0) += 1;
        }
        assert!(in_second.values().all(|count| (1..=550).contains(count)), "{in_second:?}");
        assert_eq!(in_second.keys().next(), Some(&2));
        // Who comes later waits no shorter.
        let later = now + Duration::from_secs(5);
        assert!(appointments.next(later) > Duration::from_secs(10));
    }

    #[test]
    fn the_pace_follows_what_is_answered() {
        let start = Instant::now();
        let mut appointments = Appointments::new(start);
        // Few come: that says nothing of what could be answered.
        appointments.answered(start + Duration::from_secs(10));
        assert!((appointments.pace - PACE.0).abs() < 1e-9);
        // Few are answered while others are sent away: that does.
        for i in 2..30 {
            appointments.next(start + Duration::from_secs(10 * i));
            appointments.answered(start + Duration::from_secs(10 * i));
        }
        assert!((appointments.pace - PACE.1).abs() < 1e-9);
        for _ in 0..1_000_000 {
            assert!(appointments.next(start) <= LATEST);
        }
    }

    #[test]
    fn large_uploads_take_more_places() {
        let overload = Overload::new(400);
        let of = |octets| overload.weight(octets);
        assert_eq!([of(1000), of(280_000), of(99_999_999)], [1, 18, 100]);
        assert_eq!(Overload::new(1).weight(99_999_999), 1);
    }
}
