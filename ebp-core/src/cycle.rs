//! Measurement cycles: which slot an instant belongs to.
//!
//! Enters: a cycle's length and instants. Leaves: slots, aligned to the Unix epoch and so, for
//! lengths that divide an hour, to the hour. Absent: waiting and clocks.

use std::{fmt, ops::Range, str::FromStr, time::Duration};

use jiff::{SignedDuration, Timestamp};

/// The length of a measurement or report cycle, in whole seconds from 1 s to 24 h. A day has a
/// whole number of them, so that slots begin at the same times every day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cycle(i64);

/// A text that names no cycle.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidCycle {
    /// It is no length from 1 s to 24 h.
    #[error("`{0}` is no cycle: write a whole number with s, m or h, from 1s to 24h, such as 15m")]
    Form(String),
    /// A day has no whole number of them.
    #[error("`{text}` does not divide the day: the nearest cycles that do are {below} and {above}")]
    Uneven {
        /// The text.
        text: String,
        /// The longest cycle below it that divides the day, in the text's unit.
        below: Cycle,
        /// The shortest one above it.
        above: Cycle,
    },
}

impl Cycle {
    /// The survey's measurement cycle: 15 minutes (thesis 3.1.1).
    pub const QUARTER_HOUR: Self = Self(900);
    /// The survey's report cycle: 60 minutes (thesis 3.1.1).
    pub const HOUR: Self = Self(3600);

    /// The longest one: 24 hours.
    pub const LONGEST: Self = Self(86_400);

    /// The slot that `at` lies in.
    #[must_use]
    pub fn slot(self, at: Timestamp) -> Slot {
        Slot { start: at.as_second().div_euclid(self.0) * self.0, length: self.0 }
    }

    /// How long one cycle lasts.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0.unsigned_abs())
    }

    /// How long from `at` to the start of the next slot: more than nothing, at most a cycle.
    #[must_use]
    pub fn until_next(self, at: Timestamp) -> Duration {
        let next = self.slot(at).start() + SignedDuration::from_secs(self.0);
        at.duration_until(next).unsigned_abs()
    }
}

impl FromStr for Cycle {
    type Err = InvalidCycle;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidCycle::Form(s.to_owned());
        let split = s.find(|c: char| !c.is_ascii_digit()).ok_or_else(invalid)?;
        let count: i64 = s[..split].parse().map_err(|_| invalid())?;
        let unit = match &s[split..] {
            "s" => 1,
            "m" | "min" => 60,
            "h" => 3600,
            _ => return Err(invalid()),
        };
        let day = Self::LONGEST.0 / unit;
        if !(1..=day).contains(&count) {
            return Err(invalid());
        }
        if day % count == 0 {
            return Ok(Self(count * unit));
        }
        // One and the day itself divide it, so that there is one on either side.
        let divides = |other: &i64| day % other == 0;
        let below = Self((1..count).rev().find(divides).unwrap_or(1) * unit);
        let above = Self((count..=day).find(divides).unwrap_or(day) * unit);
        Err(InvalidCycle::Uneven { text: s.to_owned(), below, above })
    }
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            s if s % 3600 == 0 => write!(f, "{}h", s / 3600),
            s if s % 60 == 0 => write!(f, "{}m", s / 60),
            s => write!(f, "{s}s"),
        }
    }
}

/// One slot of a measurement cycle: each meter is measured once in it, never twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    start: i64,
    length: i64,
}

impl Slot {
    /// When the slot begins.
    #[must_use]
    pub fn start(self) -> Timestamp {
        Timestamp::from_second(self.start).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The first instant after the slot: when the next one begins.
    #[must_use]
    pub fn end(self) -> Timestamp {
        Timestamp::from_second(self.start + self.length).unwrap_or(Timestamp::MAX)
    }

    /// The slot's key in the spool: its start in seconds since the Unix epoch.
    #[must_use]
    pub const fn key(self) -> i64 {
        self.start
    }

    /// The time it covers: seconds since the Unix epoch, the end excluded.
    #[must_use]
    pub const fn seconds(self) -> Range<i64> {
        self.start..self.start + self.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_align_to_the_hour() {
        let slot = |s: &str| Cycle::QUARTER_HOUR.slot(s.parse().unwrap()).start().to_string();
        assert_eq!(slot("2026-03-29T00:59:59.999Z"), "2026-03-29T00:45:00Z");
        assert_eq!(slot("2026-03-29T01:00:00Z"), "2026-03-29T01:00:00Z");
        assert_eq!(slot("1969-12-31T23:59:59Z"), "1969-12-31T23:45:00Z");
        assert_eq!(Cycle::HOUR.slot(Timestamp::UNIX_EPOCH).seconds(), 0..3600);
    }

    #[test]
    fn the_next_slot_is_ahead() {
        let at = "2026-01-31T12:00:00Z".parse().unwrap();
        assert_eq!(Cycle::QUARTER_HOUR.until_next(at), Duration::from_secs(900));
        let at = "2026-01-31T12:14:59.5Z".parse().unwrap();
        assert_eq!(Cycle::QUARTER_HOUR.until_next(at), Duration::from_millis(500));
    }

    #[test]
    fn texts() {
        for text in ["1s", "15m", "1h", "24h"] {
            assert_eq!(text.parse::<Cycle>().unwrap().to_string(), text);
        }
        for text in ["", "15", "0m", "25h", "-1m", "m", "99999999999999999999h"] {
            let invalid = InvalidCycle::Form(text.to_owned());
            assert_eq!(text.parse::<Cycle>(), Err(invalid), "{text}");
        }
    }

    #[test]
    fn a_cycle_that_does_not_divide_the_day_is_told_its_neighbours() {
        for (text, below, above) in
            [("7m", "6m", "8m"), ("50m", "48m", "1h"), ("13h", "12h", "24h"), ("7s", "6s", "8s")]
        {
            let error = text.parse::<Cycle>().unwrap_err().to_string();
            let nearest = format!("the nearest cycles that do are {below} and {above}");
            assert_eq!(error, format!("`{text}` does not divide the day: {nearest}"));
            assert!(below.parse::<Cycle>().is_ok() && above.parse::<Cycle>().is_ok());
        }
    }
}
