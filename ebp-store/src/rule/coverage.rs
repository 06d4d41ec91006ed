//! In which slots a meter was measured, from the instants of its measurements.

use ebp_core::model::Flag;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use super::fleet::SurveyCycles;

/// What is stored of a measurement without its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covered {
    /// When its slot began, or when it was measured.
    pub slot: Timestamp,
    /// When it was measured.
    pub measured_at: Timestamp,
    /// When it was received.
    pub received_at: Timestamp,
    /// Its flags.
    pub flags: Vec<Flag>,
}

/// A stretch of days and what is known about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoveredDays {
    /// The first day, UTC.
    pub from: Date,
    /// How many days, at least one.
    pub days: usize,
    /// When consent was granted.
    pub granted_at: Option<Timestamp>,
    /// The present.
    pub at: Timestamp,
    /// The survey's cycles.
    pub cycles: SurveyCycles,
}

const DAY: i64 = 86_400;

impl CoveredDays {
    /// The first and the last instant, the latter not included.
    #[must_use]
    pub fn bounds(&self) -> (Timestamp, Timestamp) {
        let start = TimeZone::UTC.to_timestamp(self.from.into()).unwrap_or(Timestamp::UNIX_EPOCH);
        let length = DAY.saturating_mul(i64::try_from(self.days).unwrap_or(1));
        (start, start.checked_add(SignedDuration::from_secs(length)).unwrap_or(Timestamp::MAX))
    }

    /// A text for each day with a letter for each slot, as
    /// [`MeterCoverage`](ebp_core::contract::MeterCoverage) has it.
    #[must_use]
    pub fn draw(&self, measurements: impl IntoIterator<Item = Covered>) -> Vec<String> {
        let cycle = i64::try_from(self.cycles.measurement.duration().as_secs()).unwrap_or(900);
        let report = i64::try_from(self.cycles.report.duration().as_secs()).unwrap_or(3_600);
        let (start, _) = self.bounds();
        let per_day = usize::try_from(DAY / cycle).unwrap_or(96);
        let first = start.as_second();
        let mut letters: Vec<u8> = (0..per_day.saturating_mul(self.days))
            .map(|place| {
                let begins = first + cycle * i64::try_from(place).unwrap_or(0);
                let ends = begins + cycle;
                // The slot in which consent was granted may be measured, or not.
                let expected = self.granted_at.is_some_and(|at| begins >= at.as_second())
                    && ends <= self.at.as_second();
                if expected { b'-' } else { b' ' }
            })
            .collect();
        let late = SignedDuration::from_secs(2 * report);
        for Covered { slot, measured_at, received_at, flags } in measurements {
            let place = (slot.as_second() - first).div_euclid(cycle);
            let Some(letter) = usize::try_from(place).ok().and_then(|it| letters.get_mut(it))
            else {
                continue;
            };
            let doubtful = |flag: &Flag| {
                matches!(
                    flag,
                    Flag::RegisterRanBackwards
                        | Flag::PowerOutOfRange
                        | Flag::ClockCorrected
                        | Flag::AnotherMeter
                )
            };
            let found = if flags.iter().any(doubtful) {
                b'f'
            } else if received_at.duration_since(measured_at) > late {
                b'l'
            } else {
                b'm'
            };
            // Of several in one slot the best counts.
            if matches!((*letter, found), (b' ' | b'-', _) | (b'f', b'l' | b'm') | (b'l', b'm')) {
                *letter = found;
            }
        }
        letters
            .chunks(per_day)
            .map(|day| day.iter().map(|letter| char::from(*letter)).collect())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use ebp_core::cycle::Cycle;
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_letter_for_each_slot() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let cycles =
            SurveyCycles { measurement: "6h".parse::<Cycle>().unwrap(), ..SurveyCycles::default() };
        let days = CoveredDays {
            from: date(2026, 1, 1),
            days: 3,
            granted_at: Some(at("2026-01-01T06:00:00Z")),
            at: at("2026-01-03T11:00:00Z"),
            cycles,
        };
        assert_eq!(days.bounds(), (at("2026-01-01T00:00:00Z"), at("2026-01-04T00:00:00Z")));
        let one = |slot: &str, received: &str, flags: &[Flag]| Covered {
            slot: at(slot),
            measured_at: at(slot),
            received_at: at(received),
            flags: flags.to_vec(),
        };
        let rows = [
            one("2026-01-01T06:00:00Z", "2026-01-01T08:00:00Z", &[]),
            one("2026-01-01T12:00:00Z", "2026-01-01T14:00:01Z", &[Flag::TimeWithin2s]),
            one("2026-01-02T00:00:00Z", "2026-01-02T00:00:01Z", &[Flag::AnotherMeter]),
            // Of another source, in a slot that has one.
            one("2026-01-02T01:00:00Z", "2026-01-02T09:00:01Z", &[]),
            one("2026-01-03T06:00:00Z", "2026-01-03T06:00:02Z", &[]),
            one("2026-01-04T00:00:00Z", "2026-01-04T00:00:02Z", &[]),
            one("2025-12-31T18:00:00Z", "2025-12-31T18:00:02Z", &[]),
        ];
        assert_eq!(days.draw(rows), [" ml-", "l---", "-m  "]);
        let none = CoveredDays { granted_at: None, ..days };
        assert_eq!(none.draw([]), ["    "; 3]);
    }
}
