//! In which slots a device's meters were measured: by local days, and what is missing as a list.
//!
//! The Data API counts days in UTC. People read them in their own zone, where a day may have 92 or
//! 100 quarters of an hour.

use ebp_core::contract::{Coverage, MeterCoverage};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use uuid::Uuid;

/// What is known of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// It was measured and received in time.
    Measured,
    /// It was measured and received late.
    Late,
    /// It was measured, with a flag that puts it in doubt.
    Flagged,
    /// It is not here; the device has not reported since, and may have it.
    Waiting,
    /// It is not here, although the device has reported since.
    Missing,
    /// Nothing is expected: before consent, or in the future.
    Unexpected,
}

impl Slot {
    /// Those that something is shown of, in the order of the legend.
    pub const SHOWN: [Self; 5] =
        [Self::Measured, Self::Late, Self::Flagged, Self::Waiting, Self::Missing];

    /// By the letter of the contract, and whether the device has reported since.
    const fn from_letter(letter: u8, is_reported: bool) -> Self {
        match letter {
            b'm' => Self::Measured,
            b'l' => Self::Late,
            b'f' => Self::Flagged,
            b'-' if is_reported => Self::Missing,
            b'-' => Self::Waiting,
            _ => Self::Unexpected,
        }
    }
}

/// A local day of a meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineDay {
    /// The day.
    pub day: Date,
    /// When it begins.
    pub begins: Timestamp,
    /// Its slots.
    pub slots: Vec<Slot>,
}

impl TimelineDay {
    /// How many slots are so.
    #[must_use]
    pub fn count(&self, of: Slot) -> usize {
        self.slots.iter().filter(|slot| **slot == of).count()
    }
}

/// The days of a meter, the earliest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeterTimeline {
    /// The meter.
    pub meter: Uuid,
    /// Its days.
    pub days: Vec<TimelineDay>,
    /// How long a slot is.
    pub cycle: SignedDuration,
}

/// Slots that follow each other and are not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Its begin.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// How many slots.
    pub slots: usize,
    /// Whether the device may still have them.
    pub is_waiting: bool,
}

/// The first UTC day, and how many, that cover so many local days until now.
#[must_use]
pub fn asked_days(now: Timestamp, zone: &TimeZone, days: usize) -> (Date, usize) {
    let first = first_day(now, zone, days);
    let begins = begin(first, zone).unwrap_or(now);
    let from = TimeZone::UTC.to_datetime(begins).date();
    let today = TimeZone::UTC.to_datetime(now).date();
    let span = from.until((jiff::Unit::Day, today)).map_or(0, |span| span.get_days());
    (from, usize::try_from(span).unwrap_or(0) + 1)
}

/// Every meter's days until now.
#[must_use]
pub fn timelines(
    coverage: &Coverage,
    zone: &TimeZone,
    now: Timestamp,
    last_report: Option<Timestamp>,
    days: usize,
) -> Vec<MeterTimeline> {
    let cycle = SignedDuration::from_secs(i64::from(coverage.cycle.max(1)));
    let Some(begins) = begin(coverage.from, &TimeZone::UTC) else { return Vec::new() };
    let first = first_day(now, zone, days);
    let timeline = |meter: &MeterCoverage| {
        let letters: Vec<u8> = meter.days.iter().flat_map(|day| day.bytes()).collect();
        let slot = |at: Timestamp| {
            let place = at.duration_since(begins).as_secs().checked_div(cycle.as_secs())?;
            let letter = letters.get(usize::try_from(place).ok()?)?;
            // What was measured in a slot is reported at its end at the earliest.
            let is_reported = last_report.is_some_and(|reported| at + cycle <= reported);
            Some(Slot::from_letter(*letter, is_reported))
        };
        let mut rows = Vec::with_capacity(days);
        let mut day = first;
        while rows.len() < days
            && let (Some(from), Ok(tomorrow)) = (begin(day, zone), day.tomorrow())
            && let Some(to) = begin(tomorrow, zone)
            && from <= now
        {
            let mut slots = Vec::new();
            let mut at = from;
            while at < to {
                slots.push(slot(at).unwrap_or(Slot::Unexpected));
                at += cycle;
            }
            rows.push(TimelineDay { day, begins: from, slots });
            day = tomorrow;
        }
        MeterTimeline { meter: meter.uuid, days: rows, cycle }
    };
    coverage.meters.iter().map(timeline).collect()
}

impl MeterTimeline {
    /// What is not here, the latest first.
    #[must_use]
    pub fn gaps(&self) -> Vec<Gap> {
        let mut gaps: Vec<Gap> = Vec::new();
        for day in &self.days {
            let mut at = day.begins;
            for slot in &day.slots {
                let to = at + self.cycle;
                let is_waiting = *slot == Slot::Waiting;
                if is_waiting || *slot == Slot::Missing {
                    match gaps.last_mut() {
                        Some(gap) if gap.to == at && gap.is_waiting == is_waiting => {
                            (gap.to, gap.slots) = (to, gap.slots + 1);
                        }
                        _ => gaps.push(Gap { from: at, to, slots: 1, is_waiting }),
                    }
                }
                at = to;
            }
        }
        gaps.reverse();
        gaps
    }
}

fn first_day(now: Timestamp, zone: &TimeZone, days: usize) -> Date {
    let today = zone.to_datetime(now).date();
    let back = i64::try_from(days.saturating_sub(1)).unwrap_or(0);
    today.checked_sub(jiff::Span::new().days(back)).unwrap_or(today)
}

fn begin(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_timestamp(day.at(0, 0, 0, 0)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::moment::time_zone;

    fn coverage(from: &str, days: &[&str]) -> Coverage {
        let from: Date = from.parse().unwrap();
        let mut to = from;
        for _ in days {
            to = to.tomorrow().unwrap();
        }
        let days = days.iter().map(|day| (*day).to_owned()).collect();
        Coverage { cycle: 900, from, to, meters: vec![MeterCoverage { uuid: Uuid::nil(), days }] }
    }

    #[test]
    fn a_local_day_has_the_slots_between_two_midnights() {
        let zone = time_zone("Europe/Berlin").unwrap();
        // The night in which summer time ends.
        let now: Timestamp = "2026-10-26T12:00:00Z".parse().unwrap();
        let (from, days) = asked_days(now, &zone, 3);
        assert_eq!((from.to_string().as_str(), days), ("2026-10-23", 4));
        let full = "m".repeat(96);
        let asked = coverage("2026-10-23", &[&full, &full, &full, &full]);
        let [meter] = &timelines(&asked, &zone, now, Some(now), 3)[..] else { panic!() };
        let lengths: Vec<_> = meter.days.iter().map(|day| day.slots.len()).collect();
        assert_eq!(lengths, [96, 100, 96]);
        assert_eq!(meter.days[1].begins, "2026-10-24T22:00:00Z".parse().unwrap());
        assert!(meter.gaps().is_empty());
        // And the one in which it begins.
        let now: Timestamp = "2026-03-29T21:59:00Z".parse().unwrap();
        let (from, days) = asked_days(now, &zone, 1);
        let asked = coverage(&from.to_string(), &vec![full.as_str(); days]);
        assert_eq!(timelines(&asked, &zone, now, None, 1)[0].days[0].slots.len(), 92);
    }

    #[test]
    fn what_the_device_may_still_have_waits() {
        let zone = TimeZone::UTC;
        let now: Timestamp = "2026-06-02T01:00:00Z".parse().unwrap();
        let first = format!("{}--lf{}", "m".repeat(90), "--");
        let second = format!("----{}", " ".repeat(92));
        let reported = "2026-06-01T23:45:00Z".parse().ok();
        let asked = coverage("2026-06-01", &[&first, &second]);
        let [meter] = &timelines(&asked, &zone, now, reported, 2)[..] else { panic!() };
        let day = &meter.days[0];
        assert_eq!(
            Slot::SHOWN.map(|slot| day.count(slot)),
            [90, 1, 1, 1, 3],
            "the last quarter of the day is not reported yet"
        );
        assert_eq!(meter.days[1].count(Slot::Unexpected), 92);
        let gaps: Vec<_> = meter.gaps().iter().map(|gap| (gap.slots, gap.is_waiting)).collect();
        assert_eq!(gaps, [(5, true), (1, false), (2, false)], "the latest first, over midnight");
        assert_eq!(meter.gaps()[2].from, "2026-06-01T22:30:00Z".parse().unwrap());
    }

    #[test]
    fn hostile_lengths_end() {
        let zone = time_zone("Europe/Berlin").unwrap();
        let now: Timestamp = "2026-06-02T01:00:00Z".parse().unwrap();
        let mut short = coverage("2026-06-01", &["m", ""]);
        short.cycle = 86_400;
        assert_eq!(timelines(&short, &zone, now, None, 30)[0].days.len(), 30);
    }
}
