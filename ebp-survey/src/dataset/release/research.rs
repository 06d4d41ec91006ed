//! Writes a research file: classes of households, and their balances.

use ebp_dataset::{
    Calendar, Energy, HouseholdPeriod, Quality, day_number,
    files::{Cell, RELEASED_BALANCE, RELEASED_HOUSEHOLDS},
    release::{Months, Numbers, round_energy, withheld_days},
};
use jiff::civil::Date;

use super::{
    super::{ExportError, ExportOrder, folder::Folder},
    classify::Cast,
    household::{Released, each_quarter},
    risk::{Findings, ShownQuarter},
    seed::Seed,
};

/// Writes the tables.
pub(super) fn write(
    folder: &mut Folder,
    export: &ExportOrder,
    calendar: &Calendar,
    seed: &Seed,
    cast: &Cast,
) -> Result<Findings, ExportError> {
    folder.write_table((&RELEASED_HOUSEHOLDS, "households"), export.format, |_, out| {
        for one in &cast.released {
            let mut row = vec![Cell::Text(&one.name)];
            row.extend(one.shown.values().map(|(_, value)| Cell::Text(value)));
            out.push(&row)?;
        }
        Ok(())
    })?;
    let mut findings = Findings::new(&cast.released);
    let first = cast.released.iter().map(|one| one.months.from).min().unwrap_or(0);
    let last = cast.released.iter().map(|one| one.months.to).max().unwrap_or(0);
    for month in first..last {
        let within = |one: &&Released| one.months.from <= month && month < one.months.to;
        if !cast.released.iter().any(|one| within(&one)) {
            continue;
        }
        let stem = format!("balance/{}", Months::name(month));
        folder.write_table((&RELEASED_BALANCE, &stem), export.format, |folder, out| {
            for (place, one) in cast.released.iter().enumerate().filter(|(_, it)| within(it)) {
                let mut pen = Pen::new(one, seed, month);
                each_quarter(folder, &one.facts, calendar, month, |row| {
                    let local = calendar.local_quarter(row.from)?;
                    let shown = pen.show(row, local.date);
                    findings.note((place, month), row, &shown);
                    let energy = |energy: Option<Energy>| Cell::from_option(energy);
                    Ok(out.push(&[
                        Cell::Text(&one.name),
                        Cell::Instant(row.from),
                        Cell::Date(day_number(local.date)),
                        i64::from(local.number).into(),
                        energy(shown.import),
                        energy(shown.export),
                        energy(shown.generation),
                        energy(shown.consumption),
                        energy(shown.self_consumption),
                        Cell::Text(shown.quality.name()),
                    ])?)
                })?;
            }
            Ok(())
        })?;
    }
    Ok(findings)
}

/// Rounds and withholds a household's month.
struct Pen {
    withheld: [u8; 2],
    numbers: Box<dyn Numbers>,
    has_balance: bool,
    generates: bool,
}

impl Pen {
    fn new(one: &Released, seed: &Seed, month: i32) -> Self {
        let of = format!("{} {}", one.uuid, Months::name(month));
        let year = i16::try_from(month.div_euclid(12)).unwrap_or(i16::MAX);
        let number = i8::try_from(month.rem_euclid(12) + 1).unwrap_or(1);
        let days = Date::new(year, number, 1).map_or(28, Date::days_in_month);
        let mut drawn = seed.numbers(&format!("days {of}"));
        Self {
            withheld: withheld_days(days.unsigned_abs(), &mut drawn),
            numbers: Box::new(seed.numbers(&format!("energies {of}"))),
            has_balance: one.facts.topology.is_none(),
            generates: one.facts.generates,
        }
    }

    fn show(&mut self, row: &HouseholdPeriod, day: Date) -> ShownQuarter {
        let none = ShownQuarter {
            import: None,
            export: None,
            generation: None,
            consumption: None,
            self_consumption: None,
            quality: Quality::Withheld,
        };
        if self.withheld.contains(&day.day().unsigned_abs()) {
            return none;
        }
        let balance = &row.balance;
        let mut round = |energy: Option<Energy>| {
            energy.map(|energy| round_energy(energy, self.numbers.as_mut()))
        };
        let (import, export) = (round(balance.import.energy), round(balance.export.energy));
        let generation = round(balance.generation.energy);
        let quality = if self.has_balance { balance.quality() } else { Quality::Missing };
        let own = generation.zip(export).map(|(generation, export)| generation - export);
        let own = own.filter(|_| self.has_balance && balance.self_consumption.energy.is_some());
        ShownQuarter {
            import,
            export,
            generation: generation.filter(|_| self.generates),
            consumption: import.zip(own).map(|(import, own)| import + own),
            self_consumption: own,
            quality,
        }
    }
}
