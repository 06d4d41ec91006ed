//! Writes public aggregates.

use std::collections::{BTreeMap, BTreeSet};

use ebp_dataset::{
    Calendar, HouseholdPeriod, QUARTER, day_number,
    files::{Cell, PROFILES, TableWriter},
    release::{
        Check, Counts, Detail, Distribution, LEAST_REGIONAL, Member, Months, Quantity, Rule,
        check_aggregates, check_slot, check_windows, publish_slot, publishable,
    },
};

use super::{
    super::{ExportError, ExportOrder, folder::Folder},
    classify::Cast,
    household::{Released, each_quarter, month_start},
};

/// Writes the table; returns the checks of rules that only this knows.
pub(super) fn write(
    folder: &mut Folder,
    export: &ExportOrder,
    calendar: &Calendar,
    cast: &mut Cast,
) -> Result<Vec<Check>, ExportError> {
    let is_regional = cast.released.len() >= LEAST_REGIONAL;
    for one in &mut cast.released {
        // Without more households, or a count of systems, regions are no finer.
        let least = if is_regional { Detail::Nuts1 } else { Detail::Country };
        one.detail = one.detail.max(least);
    }
    let coarsest = cast.released.iter().map(|one| one.detail).max().unwrap_or(Detail::Country);
    let level = coarsest.region_length();
    let has_regions = level > 2;
    let regions: Vec<Option<String>> = cast
        .released
        .iter()
        .map(|one| {
            let code = one.nuts3.as_ref().filter(|_| has_regions)?;
            Some(code.chars().take(level).collect())
        })
        .collect();
    let published: BTreeSet<String> = publishable(&regions).into_iter().collect();
    let country = country(&cast.released);
    let counted: Vec<Option<&str>> = regions
        .iter()
        .map(|region| region.as_deref().filter(|name| published.contains(*name)))
        .collect();
    let systems: Vec<bool> = cast
        .released
        .iter()
        .map(|one| !one.facts.systems.is_empty() || !one.facts.roles.roles().generation.is_empty())
        .collect();
    let mut groups =
        Groups { country: &country, systems: &systems, regions: &counted, rows: 0, broken: None };
    let first = cast.released.iter().map(|one| one.months.from).min().unwrap_or(0);
    let last = cast.released.iter().map(|one| one.months.to).max().unwrap_or(0);
    for month in first..last {
        let stem = format!("profiles/{}", Months::name(month));
        let values = values(folder, calendar, &cast.released, month)?;
        let start = month_start(calendar, month)?;
        folder.write_table((&PROFILES, &stem), export.format, |_, out| {
            groups.write(&values, (start, calendar), out)
        })?;
    }
    let aggregates = check_aggregates(groups.rows, groups.broken);
    let windows: Vec<Months> = cast.released.iter().map(|one| one.months).collect();
    let possible: Vec<_> = cast.released.iter().map(|one| one.possible).collect();
    let shown = if published.is_empty() { Detail::Country } else { coarsest };
    for one in &mut cast.released {
        one.detail = one.detail.max(shown);
    }
    let names = if published.is_empty() {
        "the country alone".to_owned()
    } else {
        published.iter().cloned().collect::<Vec<_>>().join(", ")
    };
    let none = |rule: Rule| Check::passed(rule, "no single household is shown");
    Ok(vec![
        none(Rule::R4),
        Check::passed(Rule::R5, format!("of all attributes the region alone is shown: {names}")),
        Check::passed(Rule::R6, "each region has at least 10 households in every row"),
        none(Rule::R7),
        Check::passed(Rule::R8, "regions are NUTS-1 at finest"),
        check_windows(&windows, &possible, 10, Counts::Rounded),
        Check::passed(
            Rule::R10,
            "means have steps of 0.001 kWh, quartiles of 0.01 kWh, per quarter hour",
        ),
        aggregates,
    ])
}

/// The country that most are in.
fn country(released: &[Released]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for code in released.iter().filter_map(|one| one.nuts3.as_ref()) {
        *counts.entry(code.chars().take(2).collect()).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map_or_else(|| "any".to_owned(), |(name, _)| name)
}

/// Of each household the energies of a month's quarter hours, in the order of their names; not a number where there is none.
fn values(
    folder: &Folder,
    calendar: &Calendar,
    released: &[Released],
    month: i32,
) -> Result<Vec<Vec<[f32; 4]>>, ExportError> {
    let (from, to) = (month_start(calendar, month)?, month_start(calendar, month + 1)?);
    let count = usize::try_from((to - from) / QUARTER).unwrap_or(0);
    let mut all = vec![Vec::new(); released.len()];
    for (one, values) in released.iter().zip(&mut all) {
        if !(one.months.from <= month && month < one.months.to) {
            continue;
        }
        *values = vec![[f32::NAN; 4]; count];
        let (has_balance, generates) = (one.facts.topology.is_none(), one.facts.generates);
        each_quarter(folder, &one.facts, calendar, month, |row: &HouseholdPeriod| {
            let place = usize::try_from((row.from - from) / QUARTER).unwrap_or(usize::MAX);
            #[expect(clippy::cast_possible_truncation, reason = "means need no more digits")]
            let energy = |interval: &ebp_dataset::Interval, is_known: bool| {
                interval.energy.filter(|_| is_known).map_or(f32::NAN, |it| it.to_f64() as f32)
            };
            if let Some(quarter) = values.get_mut(place) {
                let balance = &row.balance;
                *quarter = [
                    energy(&balance.consumption, has_balance),
                    energy(&balance.export, true),
                    energy(&balance.generation, generates),
                    energy(&balance.import, true),
                ];
            }
            Ok(())
        })?;
    }
    Ok(all)
}

/// What is published.
struct Groups<'a> {
    country: &'a str,
    /// Whether each household has a photovoltaic system.
    systems: &'a [bool],
    /// Of each household the region that it counts in.
    regions: &'a [Option<&'a str>],
    rows: u64,
    broken: Option<String>,
}

impl<'a> Groups<'a> {
    fn write(
        &mut self,
        values: &[Vec<[f32; 4]>],
        (start, calendar): (i64, &Calendar),
        out: &mut TableWriter,
    ) -> Result<(), ExportError> {
        let count = values.iter().map(Vec::len).max().unwrap_or(0);
        let mut lines: BTreeMap<&str, Vec<(usize, Quantity, Distribution)>> = BTreeMap::new();
        for slot in 0..count {
            let members = self.members(values, slot);
            let rows = publish_slot(&members);
            if let Err(broken) = check_slot(&members, &rows) {
                self.broken = Some(broken);
            }
            for row in rows {
                let of_region = lines.entry(row.region.unwrap_or(self.country)).or_default();
                of_region.push((slot, row.quantity, row.distribution));
            }
        }
        for (region, rows) in &lines {
            for (slot, quantity, row) in rows {
                let at = start + i64::try_from(*slot).unwrap_or(0) * QUARTER;
                let local = calendar.local_quarter(at)?;
                let quartile = |place: usize| {
                    Cell::from_option(row.quartiles.map(|quartiles| quartiles[place]))
                };
                self.rows += 1;
                out.push(&[
                    Cell::Text(region),
                    Cell::Instant(at),
                    Cell::Date(day_number(local.date)),
                    i64::from(local.number).into(),
                    Cell::Text(quantity.name()),
                    i64::try_from(row.households).unwrap_or(0).into(),
                    row.mean.into(),
                    quartile(0),
                    quartile(1),
                    quartile(2),
                ])?;
            }
        }
        Ok(())
    }

    /// The households of a quarter hour; of who was not measured then nothing is known.
    fn members(&self, values: &[Vec<[f32; 4]>], slot: usize) -> Vec<Member<'a>> {
        let all = self.systems.iter().zip(self.regions).zip(values);
        all.map(|((has_system, region), values)| Member {
            region: *region,
            energies: values.get(slot).map_or([None; 4], |energies| {
                energies.map(|energy| Some(f64::from(energy)).filter(|it| it.is_finite()))
            }),
            has_system: *has_system,
        })
        .collect()
    }
}
