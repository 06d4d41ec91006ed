//! Whether series have a row for each interval, also from one month's file to the next.

use std::collections::HashMap;

use ebp_core::contract::EnergyStep;

use crate::{
    calendar::{Calendar, CalendarError},
    files::{
        column::Table,
        read::Value,
        table::{BALANCE, DAILY, ENERGY},
    },
};

/// Where each series goes on: of a meter's energy, a household's balance and its days.
#[derive(Debug)]
pub(super) struct Slots {
    calendar: Calendar,
    step: EnergyStep,
    next: HashMap<(&'static str, String), i64>,
}

impl Slots {
    pub fn new(calendar: Calendar, step: EnergyStep) -> Self {
        Self { calendar, step, next: HashMap::new() }
    }

    /// What is wrong with the next row of a table.
    pub fn check(&mut self, table: &Table, values: &[Value]) -> Option<&'static str> {
        let (series, start) = match *table {
            ENERGY => ("meter", "slot_start"),
            BALANCE => ("household", "slot_start"),
            DAILY => ("household", "local_date"),
            _ => return None,
        };
        let value = |name: &str| table.place(name).and_then(|place| values.get(place));
        let name = value(series).and_then(Value::text)?;
        let start = value(start).and_then(Value::int)?;
        let (begins, ends) = if *table == DAILY {
            (Ok(start), start.saturating_add(1))
        } else {
            (self.calendar.start(self.step, start), self.end(start).unwrap_or(i64::MAX))
        };
        let before = self.next.insert((table.name, name.to_owned()), ends);
        if begins != Ok(start) {
            return Some("it does not begin where an interval does");
        }
        let is_gap = before.is_some_and(|expected| expected < start);
        is_gap.then_some("rows are left out before it")
    }

    fn end(&self, start: i64) -> Result<i64, CalendarError> {
        self.calendar.end(self.step, start)
    }
}
