//! Hours, days and months of a time zone, in quarter hours of UTC.

use ebp_core::contract::{EnergyStep, TimeBound};
use jiff::{
    Span, Timestamp, ToSpan, Unit,
    civil::{Date, DateTime, Time, date},
    tz::TimeZone,
};

use crate::rules::QUARTER;

/// Why there are no periods.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The time zone's name is not known.
    #[error("there is no time zone {0:?}: name one as Europe/Berlin")]
    UnknownZone(String),
    /// The zone's days do not begin on a quarter hour of UTC then.
    #[error("the time zone's offset at {0} µs is no multiple of a quarter hour")]
    NotAligned(i64),
    /// The instant is not representable.
    #[error("the instant {0} µs lies outside of what calendars cover")]
    OutOfRange(i64),
}

/// A day of a zone, and the place of a quarter hour in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalQuarter {
    /// The day.
    pub date: Date,
    /// Counts from 1 through the day in the order of time: to 92, 96 or 100.
    pub number: u8,
}

/// The days of a time zone.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: TimeZone,
}

impl Calendar {
    /// Of the zone with that IANA name.
    ///
    /// # Errors
    /// [`CalendarError::UnknownZone`].
    pub fn new(zone: &str) -> Result<Self, CalendarError> {
        let unknown = |_| CalendarError::UnknownZone(zone.to_owned());
        TimeZone::get(zone).map(|zone| Self { zone }).map_err(unknown)
    }

    /// Of the zone with that IANA name, by the rules that the program was built with: the same on
    /// every machine.
    ///
    /// # Errors
    /// [`CalendarError::UnknownZone`].
    #[cfg(feature = "files")]
    pub fn bundled(zone: &str) -> Result<Self, CalendarError> {
        let unknown = |_| CalendarError::UnknownZone(zone.to_owned());
        jiff::tz::TimeZoneDatabase::bundled().get(zone).map(|zone| Self { zone }).map_err(unknown)
    }

    fn local(&self, at: i64) -> Result<DateTime, CalendarError> {
        Ok(self.zone.to_datetime(timestamp(at)?))
    }

    /// The first instant of a day: midnight, the first of two, or what comes after one left out.
    fn start_of(&self, date: Date) -> Result<i64, jiff::Error> {
        let midnight = date.to_datetime(Time::midnight());
        self.zone.to_timestamp(midnight).map(Timestamp::as_microsecond)
    }

    /// The first instant of a day, microseconds since the Unix epoch.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn midnight(&self, date: Date) -> Result<i64, CalendarError> {
        let start = self.start_of(date).map_err(|_| CalendarError::OutOfRange(i64::MAX))?;
        aligned(start)
    }

    /// Where the beginning or the end of a stretch is, microseconds since the Unix epoch.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn place(&self, bound: TimeBound) -> Result<i64, CalendarError> {
        match bound {
            TimeBound::At(at) => Ok(at.as_microsecond()),
            TimeBound::Midnight(day) => self.midnight(day),
        }
    }

    /// When the period begins that an instant lies in, microseconds since the Unix epoch.
    ///
    /// # Errors
    /// [`CalendarError::NotAligned`], [`CalendarError::OutOfRange`].
    pub fn start(&self, step: EnergyStep, at: i64) -> Result<i64, CalendarError> {
        if step == EnergyStep::Quarter {
            return Ok(at.div_euclid(QUARTER).saturating_mul(QUARTER));
        }
        let out = |_| CalendarError::OutOfRange(at);
        let start = match step {
            EnergyStep::Quarter | EnergyStep::Hour => {
                let offset = self.zone.to_offset(timestamp(at)?);
                let offset = i64::from(offset.seconds()) * 1_000_000;
                let local = at.saturating_add(offset);
                let hour = local.div_euclid(4 * QUARTER).saturating_mul(4 * QUARTER);
                hour.saturating_sub(offset)
            }
            EnergyStep::Day => self.start_of(self.local(at)?.date()).map_err(out)?,
            EnergyStep::Month => {
                self.start_of(self.local(at)?.date().first_of_month()).map_err(out)?
            }
        };
        aligned(start)
    }

    /// When the period ends that an instant lies in.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn end(&self, step: EnergyStep, at: i64) -> Result<i64, CalendarError> {
        let out = |_| CalendarError::OutOfRange(at);
        let span = match step {
            EnergyStep::Quarter => return Ok(self.start(step, at)?.saturating_add(QUARTER)),
            EnergyStep::Hour => return Ok(self.start(step, at)?.saturating_add(4 * QUARTER)),
            EnergyStep::Day => 1.day(),
            EnergyStep::Month => 1.month(),
        };
        let date = self.local(at)?.date();
        let date = if step == EnergyStep::Month { date.first_of_month() } else { date };
        let next = date.checked_add(span).and_then(|next| self.start_of(next)).map_err(out)?;
        aligned(next)
    }

    /// When the first period begins that does so at an instant or later, microseconds since the Unix
    /// epoch.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn first_from(&self, step: EnergyStep, at: i64) -> Result<i64, CalendarError> {
        let start = self.start(step, at)?;
        if start == at { Ok(at) } else { self.end(step, at) }
    }

    /// The local day of a quarter hour, and its place there.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn local_quarter(&self, slot: i64) -> Result<LocalQuarter, CalendarError> {
        let start = self.start(EnergyStep::Day, slot)?;
        let number = u8::try_from((slot - start) / QUARTER + 1);
        let number = number.map_err(|_| CalendarError::OutOfRange(slot))?;
        Ok(LocalQuarter { date: self.local(slot)?.date(), number })
    }
}

fn timestamp(at: i64) -> Result<Timestamp, CalendarError> {
    Timestamp::from_microsecond(at).map_err(|_| CalendarError::OutOfRange(at))
}

fn aligned(at: i64) -> Result<i64, CalendarError> {
    if at.rem_euclid(QUARTER) == 0 { Ok(at) } else { Err(CalendarError::NotAligned(at)) }
}

/// Days since 1970-01-01.
#[must_use]
pub fn day_number(day: Date) -> i32 {
    date(1970, 1, 1).until((Unit::Day, day)).map_or(0, |span| span.get_days())
}

/// The day that is so many days after 1970-01-01, if there is one.
#[must_use]
pub fn day_of(number: i64) -> Option<Date> {
    let days = Span::new().try_days(number).ok()?;
    date(1970, 1, 1).checked_add(days).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_microsecond()
    }

    #[test]
    fn days_have_92_96_and_100_quarter_hours() {
        let calendar = Calendar::new("Europe/Berlin").unwrap();
        for (noon, from, to, quarters) in [
            ("2026-03-29T10:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 92),
            ("2026-06-15T10:00:00Z", "2026-06-14T22:00:00Z", "2026-06-15T22:00:00Z", 96),
            ("2026-10-25T10:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 100),
        ] {
            let start = calendar.start(EnergyStep::Day, at(noon)).unwrap();
            let end = calendar.end(EnergyStep::Day, at(noon)).unwrap();
            assert_eq!((start, end), (at(from), at(to)), "{noon}");
            let numbers: Vec<_> = (start..end)
                .step_by(usize::try_from(QUARTER).unwrap())
                .map(|slot| calendar.local_quarter(slot).unwrap().number)
                .collect();
            assert_eq!(numbers, (1..=quarters).collect::<Vec<u8>>(), "{noon}");
        }
    }

    #[test]
    fn the_hour_that_comes_twice_is_two() {
        let calendar = Calendar::new("Europe/Berlin").unwrap();
        let number = |text| calendar.local_quarter(at(text)).unwrap().number;
        // 02:00 of summer time, and of winter time.
        assert_eq!((number("2026-10-25T00:00:00Z"), number("2026-10-25T01:00:00Z")), (9, 13));
        let hour = |text| calendar.start(EnergyStep::Hour, at(text)).unwrap();
        assert_eq!(hour("2026-10-25T00:59:59Z"), at("2026-10-25T00:00:00Z"));
        assert_eq!(hour("2026-10-25T01:59:59Z"), at("2026-10-25T01:00:00Z"));
    }

    #[test]
    fn months_and_odd_zones() {
        let berlin = Calendar::new("Europe/Berlin").unwrap();
        let october = at("2026-10-31T22:59:00Z");
        assert_eq!(berlin.start(EnergyStep::Month, october), Ok(at("2026-09-30T22:00:00Z")));
        assert_eq!(berlin.end(EnergyStep::Month, october), Ok(at("2026-10-31T23:00:00Z")));
        let kathmandu = Calendar::new("Asia/Kathmandu").unwrap();
        let hour = kathmandu.start(EnergyStep::Hour, at("2026-01-01T00:20:00Z"));
        assert_eq!(hour, Ok(at("2026-01-01T00:15:00Z")));
        let unknown = Calendar::new("Europe/Nowhere").unwrap_err();
        assert_eq!(unknown, CalendarError::UnknownZone("Europe/Nowhere".into()));
        // Before there were zones, Berlin's noon was the sun's.
        let early = berlin.start(EnergyStep::Day, at("1880-01-01T00:00:00Z"));
        assert!(matches!(early, Err(CalendarError::NotAligned(_))), "{early:?}");
        assert_eq!(
            berlin.start(EnergyStep::Day, i64::MAX),
            Err(CalendarError::OutOfRange(i64::MAX))
        );
    }
}
