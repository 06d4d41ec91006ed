//! A bucket of tokens for each client: so many requests at once, so many a second after that.
//!
//! Enters: a client's number, the time since the start. Leaves: whether it may, or how long it has
//! to wait. Absent: who the client is; the clock.
//!
//! A bucket is kept as the one instant at which it will be full again (the generic cell rate
//! algorithm, ITU-T I.371): no timer fills it, and one that is full need not be kept at all. That
//! bounds the memory: full ones are dropped, and where there are still too many, clients that are
//! new are let through without one. Whoever has that many addresses has as many buckets anyway.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How many buckets are kept at most; some eight megabytes of them.
const MOST: usize = 200_000;
/// From how many on the full ones are looked for.
const FEW: usize = 1024;
/// How often all are looked through at most, where that is of no avail.
const SWEEP: u64 = 1_000_000_000;

/// How often a client may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests a second, in the long run; at least 1.
    pub per_second: u32,
    /// Requests at once, after a pause; at least 1.
    pub burst: u32,
}

/// The buckets of all clients.
pub struct Buckets {
    /// Nanoseconds for which a request lasts.
    interval: u64,
    /// Nanoseconds that a bucket may be away from full and still give one.
    tolerance: u64,
    table: Mutex<Table>,
}

struct Table {
    /// For each client when its bucket is full again, in nanoseconds since the start.
    full_at: HashMap<u64, u64>,
    /// At this size full ones are dropped.
    sweep_at: usize,
    /// And not before this.
    sweep_from: u64,
}

impl Buckets {
    /// For clients of that rate.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        let interval = 1_000_000_000 / u64::from(rate.per_second.max(1));
        let tolerance = interval * u64::from(rate.burst.max(1) - 1);
        let table = Table { full_at: HashMap::new(), sweep_at: FEW, sweep_from: 0 };
        Self { interval, tolerance, table: table.into() }
    }

    /// Takes a token from the client's bucket. `now` is the time since the start and never goes
    /// back.
    ///
    /// # Errors
    /// How long to wait until there is one again; nothing is taken.
    pub fn take(&self, client: u64, now: Duration) -> Result<(), Duration> {
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX / 2);
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let known = table.full_at.get(&client).copied();
        let full_at = known.unwrap_or(0).max(now);
        if let Some(wait) = (full_at - now).checked_sub(self.tolerance).filter(|wait| *wait > 0) {
            return Err(Duration::from_nanos(wait));
        }
        if known.is_some() || table.make_room(now) {
            table.full_at.insert(client, full_at + self.interval);
        }
        Ok(())
    }

    /// How many buckets are kept.
    #[cfg(test)]
    fn kept(&self) -> usize {
        self.table.lock().unwrap().full_at.len()
    }
}

impl Table {
    /// Whether there is room for another bucket.
    fn make_room(&mut self, now: u64) -> bool {
        if self.full_at.len() >= self.sweep_at && now >= self.sweep_from {
            self.full_at.retain(|_, full_at| *full_at > now);
            // Looked through again when it has doubled, so that each new one pays a little.
            self.sweep_at = (2 * self.full_at.len()).clamp(FEW, MOST);
            self.sweep_from = if self.full_at.len() < MOST { 0 } else { now + SWEEP };
        }
        self.full_at.len() < MOST
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn a_burst_and_then_one_at_a_time() {
        let buckets = Buckets::new(Rate { per_second: 10, burst: 3 });
        for _ in 0..3 {
            assert_eq!(buckets.take(1, MS(0)), Ok(()));
        }
        assert_eq!(buckets.take(1, MS(0)), Err(MS(100)));
        assert_eq!(buckets.take(2, MS(0)), Ok(()), "another's is another");
        assert_eq!(buckets.take(1, MS(99)), Err(MS(1)));
        assert_eq!(buckets.take(1, MS(100)), Ok(()));
        assert_eq!(buckets.take(1, MS(100)), Err(MS(100)));
    }

    #[test]
    fn buckets_are_bounded_and_full_ones_forgotten() {
        let buckets = Buckets::new(Rate { per_second: 1, burst: 1 });
        for client in 0..(MOST as u64 + 5_000) {
            assert_eq!(buckets.take(client, MS(0)), Ok(()));
        }
        assert_eq!(buckets.kept(), MOST);
        assert_eq!(buckets.take(7, MS(10)), Err(MS(990)), "who is known stays bounded");
        assert_eq!(buckets.take(u64::MAX, MS(1_500)), Ok(()));
        assert_eq!(buckets.kept(), 1);
    }

    /// What it is meant to be, in floating point: tokens that drip in.
    struct Plain {
        tokens: f64,
        at: Duration,
    }

    proptest! {
        #[test]
        fn as_a_plain_bucket_would(
            per_second in 1_u32..500,
            burst in 1_u32..50,
            pauses in prop::collection::vec(0_u64..400, 1..300),
        ) {
            let buckets = Buckets::new(Rate { per_second, burst });
            let mut plain = Plain { tokens: f64::from(burst), at: Duration::ZERO };
            let mut now = Duration::ZERO;
            let mut admitted = 0_u32;
            for pause in pauses {
                now += MS(pause);
                let filled = (now - plain.at).as_secs_f64() * f64::from(per_second);
                plain = Plain { tokens: (plain.tokens + filled).min(f64::from(burst)), at: now };
                let answer = buckets.take(1, now);
                // Where rounding decides, either may be right.
                if (plain.tokens - 1.0).abs() > 1e-3 {
                    prop_assert_eq!(answer.is_ok(), plain.tokens > 1.0);
                }
                match answer {
                    Ok(()) => {
                        admitted += 1;
                        plain.tokens -= 1.0;
                    }
                    // A client that waits for `Retry-After` is let in, and not earlier.
                    Err(wait) => {
                        let nearly = wait.saturating_sub(Duration::from_nanos(1));
                        prop_assert!(buckets.take(1, now + nearly).is_err());
                        now += wait;
                        prop_assert_eq!(buckets.take(1, now), Ok(()));
                        admitted += 1;
                        let filled = (now - plain.at).as_secs_f64() * f64::from(per_second);
                        plain = Plain { tokens: plain.tokens + filled - 1.0, at: now };
                    }
                }
            }
            let most = f64::from(burst) + now.as_secs_f64() * f64::from(per_second);
            prop_assert!(f64::from(admitted) <= most * 1.001 + 1.0);
        }
    }
}
