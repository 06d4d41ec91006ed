//! Periods of local days: a day, a week, a month, a year.

use std::str::FromStr;

use ebp_core::contract::EnergyStep;
use jiff::{ToSpan, civil::Date};

use super::cloud::EnergyRequest;
use crate::kit::{language::Language, moment::Moments};

/// How long a period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodKind {
    /// A day.
    Day,
    /// From Monday to Sunday.
    Week,
    /// A month.
    Month,
    /// A year.
    Year,
}

/// A name of no period.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown period: there are day, week, month and year")]
pub struct UnknownPeriod;

impl PeriodKind {
    /// All, the shortest first.
    pub const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Year];

    /// Its name in addresses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

impl FromStr for PeriodKind {
    type Err = UnknownPeriod;
    fn from_str(name: &str) -> Result<Self, UnknownPeriod> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or(UnknownPeriod)
    }
}

/// A period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// How long it is.
    pub kind: PeriodKind,
    /// Its first day.
    pub from: Date,
    /// The day after its last.
    pub to: Date,
}

impl Period {
    /// The period that contains a day. `None` at the edge of the calendar.
    #[must_use]
    pub fn from_day(kind: PeriodKind, day: Date) -> Option<Self> {
        let (from, to) = match kind {
            PeriodKind::Day => (day, day.checked_add(1.day()).ok()?),
            PeriodKind::Week => {
                let back = i64::from(day.weekday().to_monday_zero_offset());
                let monday = day.checked_sub(back.days()).ok()?;
                (monday, monday.checked_add(7.days()).ok()?)
            }
            PeriodKind::Month => {
                let first = day.first_of_month();
                (first, first.checked_add(1.month()).ok()?)
            }
            PeriodKind::Year => {
                let first = day.first_of_year();
                (first, first.checked_add(1.year()).ok()?)
            }
        };
        Some(Self { kind, from, to })
    }

    /// The one before.
    #[must_use]
    pub fn previous(&self) -> Option<Self> {
        Self::from_day(self.kind, self.from.yesterday().ok()?)
    }

    /// The one after.
    #[must_use]
    pub fn next(&self) -> Option<Self> {
        Self::from_day(self.kind, self.to)
    }

    /// Its last day.
    #[must_use]
    pub fn last(&self) -> Date {
        self.to.yesterday().unwrap_or(self.to)
    }

    /// What is asked of the server: quarter hours of a day, days of a week or month, months of a year.
    #[must_use]
    pub const fn request(&self) -> EnergyRequest {
        let step = match self.kind {
            PeriodKind::Day => EnergyStep::Quarter,
            PeriodKind::Week | PeriodKind::Month => EnergyStep::Day,
            PeriodKind::Year => EnergyStep::Month,
        };
        EnergyRequest { from: self.from, to: self.to, step }
    }

    /// The address of its page.
    #[must_use]
    pub fn address(&self) -> String {
        format!("/measurements?period={}&date={}", self.kind.name(), self.from)
    }

    /// Its name: `Montag, 30. November 2026`.
    #[must_use]
    pub fn title(&self, moments: &Moments) -> String {
        match self.kind {
            PeriodKind::Day => {
                format!("{}, {}", moments.weekday(self.from), moments.day(self.from))
            }
            PeriodKind::Week => {
                let dash = match moments.language {
                    Language::De => "bis",
                    Language::En => "to",
                };
                format!("{} {dash} {}", moments.short_day(self.from), moments.day(self.last()))
            }
            PeriodKind::Month => moments.month(self.from),
            PeriodKind::Year => self.from.year().to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::moment::time_zone;

    fn period(kind: PeriodKind, day: &str) -> Period {
        Period::from_day(kind, day.parse().unwrap()).unwrap()
    }

    #[test]
    fn periods_follow_each_other() {
        for kind in PeriodKind::ALL {
            for day in ["2026-01-01", "2026-03-29", "2024-02-29", "2026-12-31"] {
                let period = period(kind, day);
                assert!(period.from <= day.parse().unwrap() && period.to > day.parse().unwrap());
                assert_eq!(period.next().unwrap().previous(), Some(period));
                assert_eq!(period.previous().unwrap().to, period.from);
                assert_eq!(kind.name().parse(), Ok(kind));
            }
        }
        assert_eq!(Period::from_day(PeriodKind::Day, Date::MAX), None);
        assert_eq!(period(PeriodKind::Week, "2026-11-29").from.to_string(), "2026-11-23");
    }

    #[test]
    fn titles() {
        let title = |language, kind| {
            let moments = Moments { zone: time_zone("Europe/Berlin").unwrap(), language };
            period(kind, "2026-11-30").title(&moments)
        };
        assert_eq!(title(Language::De, PeriodKind::Day), "Montag, 30. November 2026");
        assert_eq!(title(Language::En, PeriodKind::Week), "30 Nov to 6 December 2026");
        assert_eq!(title(Language::De, PeriodKind::Month), "November 2026");
        assert_eq!(title(Language::De, PeriodKind::Year), "2026");
    }
}
