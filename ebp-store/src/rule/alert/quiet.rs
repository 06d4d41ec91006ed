//! Quiet hours: times of day of a zone, in which nothing is sent.

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};

/// The times of day in which nothing is sent, and when what changed in them is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuietHours {
    from: Time,
    to: Time,
    digest: Time,
    zone: TimeZone,
}

/// Why quiet hours cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuietHours {
    /// They have no length.
    #[error("they begin and end at the same time")]
    Empty,
    /// The digest would be sent in them.
    #[error("the digest would be sent in quiet hours")]
    DigestInside,
}

impl QuietHours {
    /// From a time of day until another one, which may be on the next day.
    ///
    /// # Errors
    /// [`InvalidQuietHours`] if they are empty or the digest lies in them.
    pub fn new(
        from: Time,
        to: Time,
        digest: Option<Time>,
        zone: TimeZone,
    ) -> Result<Self, InvalidQuietHours> {
        let hours = Self { from, to, digest: digest.unwrap_or(to), zone };
        if from == to {
            return Err(InvalidQuietHours::Empty);
        }
        if hours.contain(hours.digest) {
            return Err(InvalidQuietHours::DigestInside);
        }
        Ok(hours)
    }

    /// From when.
    #[must_use]
    pub const fn from(&self) -> Time {
        self.from
    }

    /// Until when.
    #[must_use]
    pub const fn to(&self) -> Time {
        self.to
    }

    /// When what changed in them is told.
    #[must_use]
    pub const fn digest(&self) -> Time {
        self.digest
    }

    /// The zone of these times.
    #[must_use]
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Whether an instant lies in them.
    #[must_use]
    pub fn is_quiet(&self, at: Timestamp) -> bool {
        self.contain(self.zone.to_datetime(at).time())
    }

    fn contain(&self, time: Time) -> bool {
        if self.from < self.to {
            (self.from..self.to).contains(&time)
        } else {
            time >= self.from || time < self.to
        }
    }

    /// The first digest from `at` on.
    fn next_digest(&self, at: Timestamp) -> Timestamp {
        let today = self.zone.to_datetime(at).date();
        let on = |day: Date| self.zone.to_timestamp(day.to_datetime(self.digest)).ok();
        let next =
            on(today).filter(|digest| *digest >= at).or_else(|| on(today.tomorrow().ok()?));
        next.unwrap_or(at)
    }

    /// When a change is due that was noted then: at once, or with the digest.
    pub(super) fn due(&self, noted_at: Timestamp) -> Timestamp {
        if self.is_quiet(noted_at) { self.next_digest(noted_at) } else { noted_at }
    }
}
