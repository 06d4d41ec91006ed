//! One clock for all servers of a database: the machine's, set right by the database's.
//!
//! Enters: the machine's clock, what the database says the time is, and whether its schema is still one
//! that this program can use. Leaves: the time, and whether nothing should be answered: the clocks are
//! too far apart, or a newer program has changed the schema. Absent: a separate clock; where the
//! database has none (SQLite) the machine's is used as it is.
//!
//! A server whose clock is wrong would stamp consent wrongly and refuse true measurements for good.
//! Small differences are corrected. Beyond [`MOST`] the machine is not to be trusted with the
//! validity of certificates either: every request is answered "again later" until it is set.

use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use ebp_core::clock::Clock;
use jiff::{SignedDuration, Timestamp};

use crate::problem::ApiError;
use ebp_store::{Store, StoreError};

/// From here on a warning is logged.
const NOTABLE: SignedDuration = SignedDuration::from_secs(30);

/// Up to here requests are answered.
const MOST: SignedDuration = SignedDuration::from_mins(2);

/// Between two looks at the database's clock and schema.
const EVERY: Duration = Duration::from_secs(10);

/// The time on which the servers of a database agree.
pub struct DatabaseClock {
    machine: Arc<dyn Clock>,
    /// Microseconds by which the database is ahead of the machine.
    ahead: AtomicI64,
    /// What a newer program did to the schema, if this one cannot use it any more.
    outdated: Mutex<Option<String>>,
}

impl Clock for DatabaseClock {
    fn now(&self) -> Timestamp {
        let machine = self.machine.now();
        machine.checked_add(self.ahead()).unwrap_or(machine)
    }
}

impl DatabaseClock {
    /// The machine's clock, until it is compared.
    pub fn new(machine: Arc<dyn Clock>) -> Self {
        Self { machine, ahead: AtomicI64::new(0), outdated: Mutex::default() }
    }

    /// Compares the two clocks now.
    ///
    /// # Errors
    /// Returns an error if the database cannot be reached; the last comparison then stays valid.
    pub async fn compare(&self, store: &dyn Store) -> Result<(), StoreError> {
        let asked = self.machine.now();
        let Some(there) = store.now().await? else { return Ok(()) };
        let waited = self.machine.now().duration_since(asked);
        let ahead = there.duration_since(asked) - waited / 2;
        let before = self.ahead.swap(micros(ahead), Ordering::Relaxed);
        if ahead.abs() >= NOTABLE && SignedDuration::from_micros(before).abs() < NOTABLE {
            tracing::warn!(
                seconds = ahead.as_secs(),
                "the database's clock is ahead of this machine's by so much; set this machine's"
            );
        }
        Ok(())
    }

    /// Looks whether a newer program has changed the schema in a way that this one cannot use.
    ///
    /// # Errors
    /// Returns an error if the database cannot be asked; what was found last then stays valid.
    pub async fn check_schema(&self, store: &dyn Store) -> Result<(), StoreError> {
        let outdated = match store.check_schema().await {
            Ok(()) => None,
            Err(error) if error.is_newer() => Some(error.to_string()),
            Err(error) => return Err(error),
        };
        if let Some(why) = &outdated
            && !self.is_outdated()
        {
            tracing::error!(
                "{why}: nothing is served any more; start the version of ebp that changed it"
            );
        }
        *self.outdated.lock().unwrap_or_else(PoisonError::into_inner) = outdated;
        Ok(())
    }

    /// Looks at the database's schema, and at its clock if that is to be `compared`, from time to
    /// time, until this clock is dropped.
    pub fn keep_looking(self: &Arc<Self>, store: Weak<dyn Store>, compared: bool) {
        let this = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(EVERY).await;
                let (Some(this), Some(store)) = (this.upgrade(), store.upgrade()) else { return };
                if let Err(error) = this.check_schema(&*store).await {
                    tracing::debug!(%error, "the database's schema cannot be asked for");
                }
                if compared && let Err(error) = this.compare(&*store).await {
                    tracing::debug!(%error, "the database's clock cannot be asked");
                }
            }
        });
    }

    /// Whether requests can be answered: this program can use the database's schema, and the clocks
    /// agree well enough.
    ///
    /// # Errors
    /// [`ApiError::Outdated`], [`ApiError::Unavailable`].
    pub fn require(&self) -> Result<(), ApiError> {
        if let Some(why) = &*self.outdated.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err(ApiError::Outdated(why.clone()));
        }
        let ahead = self.ahead();
        if ahead.abs() <= MOST {
            return Ok(());
        }
        let (seconds, direction) =
            (ahead.abs().as_secs(), if ahead.is_positive() { "behind" } else { "ahead of" });
        Err(ApiError::Unavailable(format!(
            "this server's clock is {seconds} s {direction} the database's"
        )))
    }

    /// Whether a newer program has changed the schema in a way that this one cannot use.
    pub fn is_outdated(&self) -> bool {
        self.outdated.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn ahead(&self) -> SignedDuration {
        SignedDuration::from_micros(self.ahead.load(Ordering::Relaxed))
    }
}

fn micros(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(if duration.is_negative() {
        i64::MIN
    } else {
        i64::MAX
    })
}

#[cfg(test)]
mod tests {
    use ebp_core::clock::FixedClock;

    use super::*;

    fn ahead(seconds: i64) -> DatabaseClock {
        let machine = "2026-01-01T00:00:00Z".parse().unwrap();
        let clock = DatabaseClock::new(Arc::new(FixedClock(machine)));
        clock.ahead.store(seconds * 1_000_000, Ordering::Relaxed);
        clock
    }

    #[test]
    fn small_differences_are_corrected_and_large_ones_refused() {
        assert_eq!(ahead(90).now(), "2026-01-01T00:01:30Z".parse().unwrap());
        for seconds in [-120, -30, 0, 120] {
            assert!(ahead(seconds).require().is_ok(), "{seconds}");
        }
        for (seconds, words) in [(121, "121 s behind"), (-600, "600 s ahead of")] {
            let error = ahead(seconds).require().unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
