//! Writes public aggregates.

use std::collections::{BTreeMap, BTreeSet};

use ebp_dataset::{
    Calendar, HouseholdPeriod, QUARTER,
    files::{Cell, PROFILES, TableWriter},
    release::{
        Check, Detail, LEAST_REGIONAL, Months, Rule, check_aggregates, check_differences,
        check_windows, publishable, summarize,
    },
};

use super::{
    super::{ExportError, ExportOrder, folder::Folder, lines::days_since_epoch},
    classify::Cast,
    household::{Released, each_quarter, month_start},
};

/// In their order in the table.
const QUANTITIES: [&str; 4] = ["consumption", "export", "generation", "import"];

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
    let mut groups = Groups {
        country: &country,
        regions: &regions,
        published: &published,
        rows: 0,
        broken: None,
    };
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
        check_windows(&windows, &possible, 10),
        Check::passed(
            Rule::R10,
            "means have steps of 0.001 kWh, quartiles of 0.01 kWh, per quarter hour",
        ),
        check_aggregates(groups.rows, groups.broken),
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

/// Of each household the energies of a month's quarter hours; not a number where there is none.
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
    regions: &'a [Option<String>],
    published: &'a BTreeSet<String>,
    rows: u64,
    broken: Option<String>,
}

impl Groups<'_> {
    fn write(
        &mut self,
        values: &[Vec<[f32; 4]>],
        (start, calendar): (i64, &Calendar),
        out: &mut TableWriter,
    ) -> Result<(), ExportError> {
        let count = values.iter().map(Vec::len).max().unwrap_or(0);
        let mut lines: BTreeMap<String, Vec<(usize, usize, ebp_dataset::release::Distribution)>> =
            BTreeMap::new();
        for slot in 0..count {
            for quantity in 0..QUANTITIES.len() {
                for (region, row) in self.of_slot(values, slot, quantity) {
                    lines.entry(region).or_default().push((slot, quantity, row));
                }
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
                    Cell::Date(days_since_epoch(local.date)),
                    i64::from(local.number).into(),
                    Cell::Text(QUANTITIES[*quantity]),
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

    /// The rows of a quarter hour and quantity. Who was not measured then is in no group, so groups are
    /// made for each.
    fn of_slot(
        &mut self,
        values: &[Vec<[f32; 4]>],
        slot: usize,
        quantity: usize,
    ) -> Vec<(String, ebp_dataset::release::Distribution)> {
        let measured: Vec<(usize, f64)> = values
            .iter()
            .enumerate()
            .filter_map(|(place, of)| Some((place, f64::from(of.get(slot)?[quantity]))))
            .filter(|(_, value)| value.is_finite())
            .collect();
        let mut all: Vec<f64> = measured.iter().map(|(_, value)| *value).collect();
        let Some(country) = summarize(&mut all) else { return Vec::new() };
        let mut rows = vec![(self.country.to_owned(), country)];
        let region = |place: usize| {
            self.regions[place].clone().filter(|region| self.published.contains(region))
        };
        let regions: Vec<Option<String>> =
            measured.iter().map(|(place, _)| region(*place)).collect();
        let mut groups = vec![(self.country, measured.iter().map(|it| it.0).collect::<Vec<_>>())];
        let kept = publishable(&regions);
        for name in &kept {
            let members: Vec<(usize, f64)> = measured
                .iter()
                .zip(&regions)
                .filter(|(_, region)| region.as_ref() == Some(name))
                .map(|(member, _)| *member)
                .collect();
            let mut energies: Vec<f64> = members.iter().map(|(_, value)| *value).collect();
            // One that may not be shown could be computed from the others.
            let Some(row) = summarize(&mut energies) else { return rows[..1].to_vec() };
            rows.push((name.clone(), row));
            groups.push((name, members.into_iter().map(|(place, _)| place).collect()));
        }
        if let Err(broken) = check_differences(&groups) {
            self.broken = Some(broken);
        }
        rows
    }
}
