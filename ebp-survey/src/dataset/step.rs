//! Makes tables whose rows are hours or days: one file each, for spreadsheets.

use ebp_dataset::{
    Calendar, Periods,
    files::{BALANCE, ENERGY, READINGS},
};

use super::{
    ExportError, ExportOrder,
    folder::Folder,
    lines,
    month::{Balances, months, quarters, readings},
    progress::{Progress, Tell},
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
    let step = order.resolution.step();
    let months = months(folder)?;
    tell(Progress { part: "tables", done: 0, all: 3 })?;
    folder.write_table((&READINGS, "readings"), order.format, |folder, out| {
        folder.each_household(|facts| {
            for meter in &facts.meters {
                let of = (facts.household.uuid, meter);
                months.iter().try_for_each(|month| readings(folder, of, month.0, out))?;
            }
            Ok(())
        })
    })?;
    tell(Progress { part: "tables", done: 1, all: 3 })?;
    folder.write_table((&ENERGY, "energy"), order.format, |folder, out| {
        folder.each_household(|facts| {
            let household = facts.household.uuid.to_string();
            for meter in &facts.meters {
                let name = meter.uuid.to_string();
                let mut periods = Periods::new(calendar.clone(), step);
                for month in &months {
                    for quarter in quarters(folder, meter, month.0)? {
                        if let Some(row) = periods.push(&quarter)? {
                            out.push(&lines::period(&household, &name, &row))?;
                        }
                    }
                }
                if let Some(row) = periods.finish() {
                    out.push(&lines::period(&household, &name, &row))?;
                }
            }
            Ok(())
        })
    })?;
    tell(Progress { part: "tables", done: 2, all: 3 })?;
    folder.write_table((&BALANCE, "balance"), order.format, |folder, out| {
        folder.each_household(|facts| {
            let mut periods = Balances::new(&facts, calendar, step);
            for month in &months {
                periods.push_month(folder, &facts, *month, out)?;
            }
            periods.finish(out)
        })
    })?;
    folder.save()
}
