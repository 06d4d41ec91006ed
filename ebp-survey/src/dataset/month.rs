//! Makes the files of each month: readings, energy, balance.

use std::{collections::BTreeMap, vec::IntoIter};

use ebp_dataset::{
    Calendar, EnergyStep, HouseholdPeriod, HouseholdPeriods, Joined, Quarter,
    files::{BALANCE, Cell, ENERGY, READINGS, TableWriter},
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    ExportError, ExportOrder,
    facts::{HouseholdFacts, MeterFacts},
    folder::Folder,
    lines,
    progress::{Progress, Tell},
    scratch,
};

/// Writes the files that are not finished.
pub(super) fn write(
    order: &ExportOrder,
    calendar: &Calendar,
    folder: &mut Folder,
    tell: &mut Tell<'_>,
) -> Result<(), ExportError> {
    if folder.is_complete() {
        return Ok(());
    }
    let months = months(folder)?;
    let all = months.len() as u64;
    for (done, month) in (0..).zip(months) {
        tell(Progress { part: "months", done, all })?;
        let name = name_of(month.0);
        let (format, fill) = (order.format, order.fill);
        if !folder.has(&format!("readings/{name}.{}", format.extension())) {
            let stem = format!("readings/{name}");
            folder.write_table((&READINGS, &stem), format, |folder, out| {
                folder.each_meter(|household, meter| {
                    readings(folder, (household, meter), month.0, out)
                })
            })?;
        }
        if !folder.has(&format!("energy/{name}.{}", format.extension())) {
            let stem = format!("energy/{name}");
            folder.write_table((&ENERGY, &stem), format, |folder, out| {
                folder.each_meter(|household, meter| {
                    let (household, uuid) = (household.to_string(), meter.uuid.to_string());
                    for row in quarters(folder, meter, month.0)? {
                        out.push(&lines::quarter(&household, &uuid, &row, fill))?;
                    }
                    Ok(())
                })
            })?;
        }
        if !folder.has(&format!("balance/{name}.{}", format.extension())) {
            let stem = format!("balance/{name}");
            folder.write_table((&BALANCE, &stem), format, |folder, out| {
                folder.each_household(|facts| {
                    let mut periods = Balances::new(&facts, calendar, EnergyStep::Quarter);
                    periods.push_month(folder, &facts, month, out)?;
                    periods.finish(out)
                })
            })?;
        }
        folder.save()?;
    }
    Ok(())
}

impl Folder {
    /// Gives each meter, in the order of the files.
    fn each_meter(
        &self,
        mut take: impl FnMut(Uuid, &MeterFacts) -> Result<(), ExportError>,
    ) -> Result<(), ExportError> {
        self.each_household(|facts| {
            facts.meters.iter().try_for_each(|meter| take(facts.household.uuid, meter))
        })
    }
}

/// Months in which a household has a row or a reading; each from its first instant to its end.
pub(super) fn months(folder: &Folder) -> Result<Vec<(i64, i64)>, ExportError> {
    let utc = Calendar::bundled("UTC")?;
    let mut months = BTreeMap::new();
    folder.each_household(|facts| {
        let parts = facts.meters.iter().flat_map(|meter| &meter.parts).map(|part| part.month);
        for month in parts {
            months.insert(month, utc.end(EnergyStep::Month, month)?);
        }
        let Some((first, last)) = facts.rows else { return Ok(()) };
        let mut next = utc.start(EnergyStep::Month, first)?;
        while next < last {
            next = *months.entry(next).or_insert(utc.end(EnergyStep::Month, next)?);
        }
        Ok(())
    })?;
    Ok(months.into_iter().collect())
}

/// A household's quarter hours of a month, of all of its meters: from its first row to its last one.
pub(super) fn joined(
    folder: &Folder,
    facts: &HouseholdFacts,
    (from, to): (i64, i64),
) -> Result<Joined<IntoIter<Quarter>>, ExportError> {
    let meters = facts.meters.iter().map(|meter| quarters(folder, meter, from));
    let meters = meters.collect::<Result<Vec<_>, _>>()?;
    let (first, last) = facts.rows.unwrap_or((from, from));
    let rows = (first.max(from), last.min(to));
    Ok(Joined::new(meters.into_iter().map(Vec::into_iter)).within(rows))
}

/// `2026-01` for the month that begins then.
fn name_of(month: i64) -> String {
    let first = Timestamp::from_microsecond(month).unwrap_or(Timestamp::MIN);
    first.to_string().chars().take(7).collect()
}

/// A meter's quarter hours of a month.
pub(super) fn quarters(
    folder: &Folder,
    meter: &MeterFacts,
    month: i64,
) -> Result<Vec<Quarter>, ExportError> {
    let Some(part) = meter.parts.iter().find(|part| part.month == month) else {
        return Ok(Vec::new());
    };
    let bytes = folder.kept("quarters", month, part.quarters)?;
    scratch::quarters(&bytes).ok_or_else(|| folder.damaged())
}

/// Writes a meter's readings of a month.
pub(super) fn readings(
    folder: &Folder,
    (household, meter): (Uuid, &MeterFacts),
    month: i64,
    out: &mut TableWriter,
) -> Result<(), ExportError> {
    let Some(part) = meter.parts.iter().find(|part| part.month == month) else { return Ok(()) };
    let bytes = folder.kept("readings", month, part.readings)?;
    let rows = scratch::readings(&bytes).ok_or_else(|| folder.damaged())?;
    let (household, name) = (household.to_string(), meter.uuid.to_string());
    let mut before = None;
    for row in rows {
        let number = match before {
            Some((at, number)) if at == row.measured_at => number + 1,
            _ => 1,
        };
        before = Some((row.measured_at, number));
        out.push(&lines::reading((&household, &name), number, &row))?;
    }
    Ok(())
}

/// Makes a household's balances of its meters' quarter hours.
pub(super) struct Balances<'a> {
    household: String,
    known: (bool, bool),
    calendar: &'a Calendar,
    periods: HouseholdPeriods,
}

impl<'a> Balances<'a> {
    pub fn new(facts: &HouseholdFacts, calendar: &'a Calendar, step: EnergyStep) -> Self {
        let (roles, meters) = (facts.roles.roles(), facts.meters.len());
        Self {
            household: facts.household.uuid.to_string(),
            known: (facts.topology.is_none(), facts.generates),
            calendar,
            periods: HouseholdPeriods::new(roles, meters, calendar.clone(), step),
        }
    }

    pub fn push_month(
        &mut self,
        folder: &Folder,
        facts: &HouseholdFacts,
        month: (i64, i64),
        out: &mut TableWriter,
    ) -> Result<(), ExportError> {
        for (slot, quarters) in joined(folder, facts, month)? {
            if let Some(row) = self.periods.push(slot, &quarters)? {
                self.write(&row, out)?;
            }
        }
        Ok(())
    }

    fn write(&self, row: &HouseholdPeriod, out: &mut TableWriter) -> Result<(), ExportError> {
        let cells: [Cell<'_>; 11] =
            lines::balance(&self.household, row, self.calendar, self.known)?;
        Ok(out.push(&cells)?)
    }

    pub fn finish(self, out: &mut TableWriter) -> Result<(), ExportError> {
        let last = self.periods.clone().finish();
        last.map_or(Ok(()), |row| self.write(&row, out))
    }
}
