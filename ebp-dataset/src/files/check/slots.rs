//! Whether series have a row for each interval, also from one month's file to the next, and from
//! where to where they go.

use std::collections::HashMap;

use ebp_core::contract::EnergyStep;

use super::cells::Cells;
use crate::{
    calendar::{Calendar, CalendarError},
    files::{
        column::Table,
        read::Value,
        table::{BALANCE, DAILY, ENERGY, READINGS},
    },
};

/// The series of a set: a meter's energy and readings, a household's balance and its days.
#[derive(Debug)]
pub(super) struct Slots {
    pub calendar: Calendar,
    pub step: EnergyStep,
    /// By table and meter or household.
    pub series: HashMap<(&'static str, String), Series>,
}

/// From where to where a series goes: instants or days.
#[derive(Debug, Clone, Copy)]
pub(super) struct Series {
    pub first: i64,
    /// Where the next row begins. Of readings the last one.
    pub next: i64,
}

impl Slots {
    pub fn new(calendar: Calendar, step: EnergyStep) -> Self {
        Self { calendar, step, series: HashMap::new() }
    }

    /// What is wrong with the next row of a table.
    pub fn check(&mut self, table: &Table, values: &[Value]) -> Option<&'static str> {
        let (series, start) = match *table {
            ENERGY => ("meter", "slot_start"),
            READINGS => ("meter", "measured_at"),
            BALANCE => ("household", "slot_start"),
            DAILY => ("household", "local_date"),
            _ => return None,
        };
        let row = Cells { table, values };
        let name = row.text(series)?;
        let start = row.int(start)?;
        let (begins, next) = match *table {
            READINGS => (Ok(start), start),
            DAILY => (Ok(start), start.saturating_add(1)),
            _ => (self.calendar.start(self.step, start), self.end(start).unwrap_or(i64::MAX)),
        };
        let new = Series { first: start, next: start };
        let series = self.series.entry((table.name, name.to_owned())).or_insert(new);
        let before = std::mem::replace(&mut series.next, next);
        if begins != Ok(start) {
            return Some("it does not begin where an interval does");
        }
        (*table != READINGS && before < start).then_some("rows are left out before it")
    }

    fn end(&self, start: i64) -> Result<i64, CalendarError> {
        self.calendar.end(self.step, start)
    }
}
