//! What of a household's energy is asked for, and why it is not answered.

use ebp_core::contract::{EnergyStep, TimeBound};
use ebp_dataset::{Calendar, CalendarError};
use jiff::Timestamp;

/// A day in microseconds.
pub(super) const DAY: i64 = 86_400_000_000;

/// A change of time makes a stretch of days longer by this, microseconds.
const CHANGE_OF_TIME: i64 = 3 * 3_600_000_000;

/// Days of a series by quarter hours, at most.
const QUARTER_DAYS: i64 = 31;

/// Days of a series by hours, or of another time zone than the survey's, at most.
const HOUR_DAYS: i64 = 93;

/// Days of a series by days or months, at most.
const LONGEST_DAYS: i64 = 3_660;

/// Rows by days of all meters of a household together, at most: they are in memory.
const METER_DAYS: i64 = 40_000;

/// Which part of a household's energy is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesQuery {
    /// Its beginning.
    pub from: TimeBound,
    /// Its end.
    pub to: TimeBound,
    /// The IANA name of the time zone whose days these are; the survey's if absent.
    pub zone: Option<String>,
}

/// What a series has besides the household's energies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeriesParts {
    /// Each meter's energies.
    pub meters: bool,
    /// The bounds of the energies.
    pub bounds: bool,
}

/// What has to be changed of a query. No text repeats what was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SeriesFault {
    /// No such time zone is known.
    #[error("`zone` must be the name of a time zone in the IANA database, such as Europe/Berlin")]
    Zone,
    /// The days of the zone don't begin on a quarter hour of UTC.
    #[error(
        "the time zone's days did not begin on a quarter hour of UTC then: ask for later ones, or \
         for another `zone`"
    )]
    UnevenZone,
    /// The stretch is not within what calendars cover.
    #[error("`from` and `to` must lie between the years 1 and 9999")]
    OutOfRange,
    /// The stretch has no length.
    #[error("`to` must be later than `from`")]
    Empty,
    /// A bound is not where a row begins.
    #[error("`{name}` must be where {what} of the time zone begins, such as {nearest}")]
    BetweenRows {
        /// `from` or `to`.
        name: &'static str,
        /// A row.
        what: &'static str,
        /// The last such instant before it.
        nearest: Timestamp,
    },
    /// The stretch is too long.
    #[error("{what} are given for {days} days at most: bring `from` and `to` closer together{or}")]
    TooLong {
        /// Of what.
        what: &'static str,
        /// How long it may be.
        days: i64,
        /// What else helps.
        or: &'static str,
    },
}

impl From<CalendarError> for SeriesFault {
    fn from(error: CalendarError) -> Self {
        match error {
            CalendarError::UnknownZone(_) => Self::Zone,
            CalendarError::NotAligned(_) => Self::UnevenZone,
            CalendarError::OutOfRange(_) => Self::OutOfRange,
        }
    }
}

/// A stretch that can be answered.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub zone: String,
    pub calendar: Calendar,
    /// From when, microseconds since the Unix epoch.
    pub from: i64,
    /// To when.
    pub to: i64,
    /// Whether the zone's days are those that are kept.
    pub is_kept: bool,
}

impl Asked {
    /// Of a query for rows of that length, where the survey's zone is this one.
    pub fn new(
        query: &SeriesQuery,
        step: EnergyStep,
        kept_zone: &str,
    ) -> Result<Self, SeriesFault> {
        let zone = query.zone.as_deref().unwrap_or(kept_zone);
        // No zone's name is so long.
        if zone.len() > 64 {
            return Err(SeriesFault::Zone);
        }
        let calendar = Calendar::new(zone)?;
        let (from, to) = (calendar.place(query.from)?, calendar.place(query.to)?);
        for (name, at) in [("from", from), ("to", to)] {
            let start = calendar.start(step, at)?;
            if start != at {
                let nearest = Timestamp::from_microsecond(start);
                let nearest = nearest.map_err(|_| SeriesFault::OutOfRange)?;
                return Err(SeriesFault::BetweenRows { name, what: row_of(step), nearest });
            }
        }
        if to <= from {
            return Err(SeriesFault::Empty);
        }
        let is_kept = zone == kept_zone;
        let asked = Self { zone: zone.to_owned(), calendar, from, to, is_kept };
        asked.require_bounded(step)?;
        Ok(asked)
    }

    fn require_bounded(&self, step: EnergyStep) -> Result<(), SeriesFault> {
        let (what, days, or) = match step {
            EnergyStep::Quarter => ("quarter hours", QUARTER_DAYS, ", or take a longer `step`"),
            EnergyStep::Hour => ("hours", HOUR_DAYS, ", or take a longer `step`"),
            _ if !self.is_kept => {
                ("days of another time zone than the survey's", HOUR_DAYS, ", or leave out `zone`")
            }
            EnergyStep::Day | EnergyStep::Month => ("days and months", LONGEST_DAYS, ""),
        };
        let is_long = self.to.saturating_sub(self.from) > days * DAY + CHANGE_OF_TIME;
        if is_long { Err(SeriesFault::TooLong { what, days, or }) } else { Ok(()) }
    }

    /// Checks that days of so many meters are few enough for the memory.
    pub fn require_few(&self, meters: usize) -> Result<(), SeriesFault> {
        let meters = i64::try_from(meters).unwrap_or(i64::MAX).max(1);
        let days = METER_DAYS / meters;
        if (self.to - self.from) / DAY <= days {
            return Ok(());
        }
        Err(SeriesFault::TooLong { what: "days of so many meters", days, or: "" })
    }

    /// When each row begins, and the end of the last.
    pub fn edges(&self, step: EnergyStep) -> Result<Vec<i64>, SeriesFault> {
        let mut edges = vec![self.from];
        let mut at = self.from;
        while at < self.to {
            at = self.calendar.end(step, at)?;
            edges.push(at);
        }
        Ok(edges)
    }
}

const fn row_of(step: EnergyStep) -> &'static str {
    match step {
        EnergyStep::Quarter => "a quarter hour",
        EnergyStep::Hour => "an hour",
        EnergyStep::Day => "a day",
        EnergyStep::Month => "a month",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> TimeBound {
        text.parse().unwrap()
    }

    fn asked(from: &str, to: &str, zone: Option<&str>, step: EnergyStep) -> Result<Asked, String> {
        let query = SeriesQuery { from: at(from), to: at(to), zone: zone.map(str::to_owned) };
        Asked::new(&query, step, "Europe/Berlin").map_err(|fault| fault.to_string())
    }

    #[test]
    fn rows_of_days_that_are_shorter_and_longer() {
        let of = |from, to, step| {
            let asked = asked(from, to, None, step).unwrap();
            asked.edges(step).unwrap().len() - 1
        };
        assert_eq!(of("2026-03-29", "2026-03-30", EnergyStep::Quarter), 92);
        assert_eq!(of("2026-10-25", "2026-10-26", EnergyStep::Quarter), 100);
        assert_eq!(of("2026-10-01", "2026-11-01", EnergyStep::Quarter), 2_980);
        assert_eq!(of("2026-01-01", "2027-01-01", EnergyStep::Day), 365);
        assert_eq!(of("2025-12-31T23:00:00Z", "2026-12-31T23:00:00Z", EnergyStep::Month), 12);
    }

    #[test]
    fn what_is_wrong_says_what_to_change() {
        let fault = |from, to, zone, step| asked(from, to, zone, step).unwrap_err();
        assert_eq!(
            fault("2026-03-29T10:00:00Z", "2026-03-30", None, EnergyStep::Day),
            "`from` must be where a day of the time zone begins, such as 2026-03-28T23:00:00Z"
        );
        let long = "are given for 31 days at most: bring `from` and `to` closer together, or take";
        assert!(fault("2026-01-01", "2026-02-02", None, EnergyStep::Quarter).contains(long));
        let other = fault("2026-01-01", "2027-01-01", Some("UTC"), EnergyStep::Day);
        assert!(other.contains("93 days") && other.contains("leave out `zone`"), "{other}");
        assert!(asked("2026-01-01", "2026-04-04", Some("UTC"), EnergyStep::Day).is_ok());
        let long = "x".repeat(4_096);
        for zone in ["Europe/Nowhere", "", "../../etc/passwd", &long] {
            let fault = fault("2026-01-01", "2026-01-02", Some(zone), EnergyStep::Day);
            assert!(fault.starts_with("`zone` must be the name"), "{fault}");
        }
        let empty = "`to` must be later than `from`";
        assert_eq!(fault("2026-01-02", "2026-01-02", None, EnergyStep::Day), empty);
        let early = fault("1880-01-01", "1880-01-02", None, EnergyStep::Day);
        assert!(early.contains("ask for later ones"), "{early}");
        assert!(fault("1900-01-01", "2026-01-01", None, EnergyStep::Day).contains("3660 days"));
        let year = asked("2026-01-01", "2027-01-01", None, EnergyStep::Day).unwrap();
        assert!(year.require_few(100).is_ok() && year.require_few(200).is_err());
    }
}
