//! Local days as they are kept: what answers for days, months and coverage without a reading.
//!
//! Boundaries and a bit for each quarter hour, so that any number of days in a row are one period
//! with the very digits of all their readings, and meters beside one another have the coverage that
//! they have together.

use ebp_core::contract::EnergyStep;
use serde::{Deserialize, Serialize};

use crate::{
    boundary::{Boundary, interval},
    calendar::{Calendar, CalendarError},
    flag::{Flags, Quality},
    period::Period,
    quarter::{Quarter, RegisterQuarter},
    rules::QUARTER,
};

/// A register over a local day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterDay {
    /// The register at the day's first midnight.
    pub start: Option<Boundary>,
    /// The register at the next one.
    pub end: Option<Boundary>,
    /// A bit for each quarter hour, in the order of time, whose energy is measured.
    pub measured: u128,
}

impl RegisterDay {
    fn add(&mut self, (from, to): (i64, i64), quarter: &RegisterQuarter, number: u32) {
        self.start = self.start.or(quarter.start.filter(|start| start.at == from));
        self.end = quarter.end.filter(|end| end.at == to);
        let is_measured = quarter.interval().quality == Quality::Measured;
        self.measured |= u128::from(is_measured).checked_shl(number).unwrap_or(0);
    }
}

/// A meter's local day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// Its first midnight, microseconds since the Unix epoch.
    pub from: i64,
    /// The next one.
    pub to: i64,
    /// 1.8.0.
    pub import: RegisterDay,
    /// 2.8.0.
    pub export: RegisterDay,
    /// Those of all its quarter hours.
    pub flags: Flags,
}

impl Day {
    /// How many quarter hours it has.
    #[must_use]
    pub const fn quarters(&self) -> i64 {
        (self.to - self.from) / QUARTER
    }

    /// Days in a row, the first of them first, as one period; nothing without a day, and where one
    /// is left out.
    #[must_use]
    pub fn period(days: &[Self]) -> Option<Period> {
        let (first, last) = (days.first()?, days.last()?);
        if days.windows(2).any(|pair| pair[0].to != pair[1].from) {
            return None;
        }
        let count = |measured: fn(&Self) -> u128| {
            days.iter().map(|day| i64::from(measured(day).count_ones())).sum()
        };
        Some(Period {
            from: first.from,
            to: last.to,
            import: interval(first.import.start.as_ref(), last.import.end.as_ref()),
            export: interval(first.export.start.as_ref(), last.export.end.as_ref()),
            flags: days.iter().fold(Flags::NONE, |flags, day| flags | day.flags),
            quarters: (last.to - first.from) / QUARTER,
            import_measured: count(|day| day.import.measured),
            export_measured: count(|day| day.export.measured),
        })
    }
}

/// Makes a meter's local days out of its quarter hours.
#[derive(Debug, Clone)]
pub struct Days {
    calendar: Calendar,
    open: Option<Day>,
}

impl Days {
    /// Of that zone.
    #[must_use]
    pub const fn new(calendar: Calendar) -> Self {
        Self { calendar, open: None }
    }

    /// Takes in the next quarter hour; gives the day that ends with it, or that ended before it.
    ///
    /// # Errors
    /// Those of the [`Calendar`].
    pub fn push(&mut self, quarter: &Quarter) -> Result<Option<Day>, CalendarError> {
        let before = self.open.take_if(|day| quarter.slot >= day.to);
        let day = match self.open {
            Some(day) => day,
            None => Day {
                from: self.calendar.start(EnergyStep::Day, quarter.slot)?,
                to: self.calendar.end(EnergyStep::Day, quarter.slot)?,
                import: RegisterDay::default(),
                export: RegisterDay::default(),
                flags: Flags::NONE,
            },
        };
        let day = self.open.insert(day);
        let number = u32::try_from((quarter.slot - day.from) / QUARTER).unwrap_or(u32::MAX);
        let ends = (day.from, day.to);
        day.import.add(ends, &quarter.import, number);
        day.export.add(ends, &quarter.export, number);
        day.flags |= quarter.flags;
        if before.is_some() {
            return Ok(before);
        }
        Ok(self.open.take_if(|day| quarter.end() == day.to))
    }

    /// The last day, of which there may be more.
    #[must_use]
    pub fn finish(self) -> Option<Day> {
        self.open
    }
}
