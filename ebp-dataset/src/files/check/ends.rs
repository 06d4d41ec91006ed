//! Whether series begin and end where they have to: `meters` says when each meter was first and last
//! read, and `EXPORT.json` which stretch was asked for.
//!
//! Enters: the series that were found, the meters, the stretch. Leaves: findings. Absent: rows.

use std::{cmp::Ordering, collections::BTreeSet};

use ebp_core::contract::EnergyStep;

use super::{listing::Listing, names::Names, slots::Slots, verdict::Verdict};
use crate::{
    calendar::{CalendarError, day_number},
    files::{
        column::Table,
        table::{BALANCE, DAILY, ENERGY, HOUSEHOLDS, METERS, READINGS},
        text,
    },
    rules::QUARTER,
    slot::slot_of,
};

/// Compares all series of an internal set with the meters, but for tables in `broken`, of which not
/// all rows could be read.
pub(super) fn compare(
    slots: &Slots,
    names: &Names,
    listing: &Listing,
    broken: &BTreeSet<&str>,
    verdict: &mut Verdict,
) {
    if broken.contains(METERS.name) || broken.contains(HOUSEHOLDS.name) {
        return;
    }
    let mut ends = Ends { slots, listing, broken, verdict };
    for (household, of) in names.households() {
        for meter in &of.meters {
            let read = names.meter(meter).and_then(|meter| meter.read);
            ends.compare(&READINGS, meter, read);
            ends.compare(&ENERGY, meter, read);
        }
        let read = names.read_of(of);
        ends.compare(&BALANCE, household, read);
        ends.compare(&DAILY, household, read);
    }
}

struct Ends<'a> {
    slots: &'a Slots,
    listing: &'a Listing,
    broken: &'a BTreeSet<&'a str>,
    verdict: &'a mut Verdict,
}

/// Where a series has to begin and to end.
struct Wanted {
    /// As series count: at least and at most.
    first: (i64, i64),
    next: (i64, i64),
    /// When its first and last rows begin, microseconds since the Unix epoch.
    rows: (i64, i64),
    /// Whether it surely has a row.
    is_needed: bool,
}

impl Ends<'_> {
    fn compare(&mut self, table: &'static Table, name: &str, read: Option<(i64, i64)>) {
        if self.broken.contains(table.name) {
            return;
        }
        let found = self.slots.series.get(&(table.name, name.to_owned())).copied();
        // What no calendar covers is found elsewhere.
        let Ok(wanted) = read.map_or(Ok(None), |read| self.wanted(table, read)) else { return };
        let (wanted, found) = match (wanted, found) {
            (Some(wanted), Some(found)) => (wanted, found),
            (Some(wanted), None) if wanted.is_needed => {
                return self.add(table, wanted.rows.0, name, "was read, but has no rows");
            }
            (_, None) => return,
            (None, Some(found)) => {
                let what = "has rows, but was never read in the stretch of the set";
                return self.add(table, found.first, name, what);
            }
        };
        match apart(found.first, wanted.first) {
            Ordering::Less => self.add(table, wanted.rows.0, name, "begins before it was read"),
            Ordering::Equal => {}
            Ordering::Greater => self.add(table, wanted.rows.0, name, "lacks its first rows"),
        }
        match apart(found.next, wanted.next) {
            Ordering::Less => self.add(table, wanted.rows.1, name, "lacks its last rows"),
            Ordering::Equal => {}
            Ordering::Greater => self.add(table, wanted.rows.1, name, "ends after it was read"),
        }
    }

    fn add(&mut self, table: &Table, at: i64, name: &str, what: &str) {
        let ending = self.listing.format.extension();
        let file = if table.by_month && self.listing.is_quarterly {
            let month: String = text::instant(at).chars().take(7).collect();
            format!("{}/{month}.{ending}", table.name)
        } else {
            format!("{}.{ending}", table.name)
        };
        self.verdict.add(&file, None, format!("{name} {what}, as meters has it"));
    }

    /// Of a meter or household that was first and last read then; nothing where it has no row in
    /// the stretch.
    fn wanted(&self, table: &Table, read: (i64, i64)) -> Result<Option<Wanted>, CalendarError> {
        if *table == READINGS {
            return self.readings(read).map(Some);
        }
        let Slots { calendar, step, .. } = self.slots;
        let step = if *table == DAILY { EnergyStep::Day } else { *step };
        let Some((first, end)) = kept(self.slots, self.listing, step, read)? else {
            return Ok(None);
        };
        let last = calendar.start(step, end.saturating_sub(1))?;
        let rows = (calendar.start(step, first)?, last);
        let (first, next) = if *table == DAILY {
            let day =
                |at| calendar.local_quarter(at).map(|quarter| i64::from(day_number(quarter.date)));
            (day(rows.0)?, day(last)?.saturating_add(1))
        } else {
            (rows.0, calendar.end(step, last)?)
        };
        Ok(Some(Wanted { first: (first, first), next: (next, next), rows, is_needed: true }))
    }

    /// Readings outside of the stretch are not in the set: when the first and the last one within
    /// were is known only where it is the meter's own.
    fn readings(&self, read: (i64, i64)) -> Result<Wanted, CalendarError> {
        let (from, to) = self.listing.stretch;
        let edge = |at: i64, open: i64| {
            let is_open = at == open;
            if is_open { Ok(at) } else { self.slots.calendar.first_from(EnergyStep::Quarter, at) }
        };
        let (from, to) = (edge(from, i64::MIN)?, edge(to, i64::MAX)?);
        let ends = (from.max(read.0), read.1.min(to.saturating_sub(1)));
        let (first, last) = (ends.0 == read.0, ends.1 == read.1);
        Ok(Wanted {
            first: if first { (read.0, read.0) } else { ends },
            next: if last { (read.1, read.1) } else { ends },
            rows: ends,
            is_needed: ends.0 <= ends.1 && (first || last),
        })
    }
}

/// The quarter hours of a meter or household, first and last read then, that whole intervals of the
/// stretch are made of: the first one and where the last one ends.
pub(super) fn kept(
    slots: &Slots,
    listing: &Listing,
    step: EnergyStep,
    read: (i64, i64),
) -> Result<Option<(i64, i64)>, CalendarError> {
    let (from, to) = listing.stretch;
    let (mut first, mut end) = (slot_of(read.0), slot_of(read.1).saturating_add(QUARTER));
    if from > first {
        first = slots.calendar.first_from(step, from)?;
    }
    if to < end {
        end = end.min(slots.calendar.first_from(step, to)?);
    }
    Ok((first < end).then_some((first, end)))
}

/// Whether it is earlier or later than it may be.
const fn apart(found: i64, (least, most): (i64, i64)) -> Ordering {
    if found < least {
        Ordering::Less
    } else if found > most {
        Ordering::Greater
    } else {
        Ordering::Equal
    }
}
