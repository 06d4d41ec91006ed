//! What a row has to keep.

use std::cmp::Ordering;

use super::{cells::Cells, names::Names, verdict::Verdict};
use crate::{
    files::{
        column::{Table, Tier},
        metadata::FileEntry,
        read::Value,
        table::tables_of,
        text,
    },
    rules::QUARTER,
};

/// Checks a file's rows, one after another.
pub(super) struct RowCheck<'a> {
    file: &'a FileEntry,
    before: Option<Vec<Value>>,
    rows: u64,
    order: Vec<usize>,
    key: Vec<usize>,
    references: Vec<(usize, &'static str)>,
    /// Releases are cut by local months.
    is_local: bool,
}

impl<'a> RowCheck<'a> {
    pub fn new(file: &'a FileEntry) -> Self {
        let table = file.table;
        let references = table.references.iter();
        Self {
            file,
            before: None,
            rows: 0,
            order: table.order.iter().filter_map(|name| table.place(name)).collect(),
            key: table.key_places().collect(),
            is_local: tables_of(Tier::Internal).iter().all(|other| *other != table),
            references: references
                .filter_map(|(column, other, _)| Some((table.place(column)?, *other)))
                .collect(),
        }
    }

    pub const fn rows(&self) -> u64 {
        self.rows
    }

    pub fn check(&mut self, number: u64, values: &[Value], names: &Names, verdict: &mut Verdict) {
        self.rows = number;
        let table = self.file.table;
        let mut say = |what: String| verdict.add(&self.file.path, Some(number), what);
        for (column, value) in table.columns.iter().zip(values) {
            match value {
                Value::Null if !column.nullable => say(format!("{} is null", column.name)),
                Value::Text(text)
                    if !column.words.is_empty() && !column.words.contains(&text.as_str()) =>
                {
                    say(format!("{} is {text:?}", column.name));
                }
                Value::Double(number) if !number.is_finite() => {
                    say(format!("{} is no finite number", column.name));
                }
                _ => {}
            }
        }
        for (place, other) in &self.references {
            if let Some(name) = values.get(*place).and_then(Value::text)
                && !names.has(other, name)
            {
                say(format!("{name} is not in {other}"));
            }
        }
        if let Some(before) = &self.before {
            if self.key.iter().all(|place| before.get(*place) == values.get(*place)) {
                say(format!("it has the same {} as the row before", table.key.join(" and ")));
            } else if order(&self.order, before, values) != Ordering::Less {
                say(format!("it is not sorted by {}", table.order.join(", ")));
            }
        }
        self.before = Some(values.to_vec());
        energies(table, values, &mut say);
        gap(table, values, &mut say);
        belongs(table, values, names, &mut say);
        quality(table, values, names, &mut say);
        if table.by_month
            && let Some(month) = self.file.path.split('/').nth(1)
        {
            slot(table, values, (month, self.is_local), &mut say);
        }
    }
}

fn order(places: &[usize], before: &[Value], values: &[Value]) -> Ordering {
    for place in places {
        let (Some(before), Some(now)) = (before.get(*place), values.get(*place)) else { continue };
        let order = match (before, now) {
            (Value::Text(before), Value::Text(now)) => before.cmp(now),
            _ => before.int().cmp(&now.int()),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

/// The quarter hour lies on the grid, and in the file's month.
fn slot(
    table: &Table,
    values: &[Value],
    (month, is_local): (&str, bool),
    say: &mut dyn FnMut(String),
) {
    let start = table.place("slot_start").and_then(|place| values.get(place)?.int());
    let Some(start) = start else { return };
    if start.rem_euclid(QUARTER) != 0 {
        say("slot_start is not on the quarter hour".to_owned());
    }
    let day = Cells { table, values }.int("local_date");
    let shown = match day.filter(|_| is_local) {
        Some(day) => text::day(i32::try_from(day).unwrap_or(0)),
        None => text::instant(start),
    };
    if !shown.starts_with(month.trim_end_matches(".parquet").trim_end_matches(".csv")) {
        say("slot_start lies in another month than its file".to_owned());
    }
}

/// Bounds hold what they bound, qualities say what is there, balances add up.
fn energies(table: &Table, values: &[Value], say: &mut dyn FnMut(String)) {
    let row = Cells { table, values };
    let get = |name: &str| row.double(name);
    for part in ["import", "export", "generation", "energy"] {
        let energy = get(&format!("{part}_kwh"));
        let (lo, hi) = (get(&format!("{part}_lo_kwh")), get(&format!("{part}_hi_kwh")));
        if let (Some(lo), Some(hi)) = (lo, hi)
            && (lo > hi || energy.is_some_and(|energy| energy < lo || energy > hi))
        {
            say(format!("{part} does not lie within its bounds"));
        }
        if let Some(quality) = row.text(&format!("{part}_quality"))
            && (quality == "measured" || quality == "interpolated") != energy.is_some()
        {
            say(format!("{part}_quality is {quality:?} beside {part}_kwh"));
        }
    }
    let energy = |name: &str| get(name).map(units);
    let (import, export) = (energy("import_kwh"), energy("export_kwh"));
    let (generation, own) = (energy("generation_kwh"), energy("self_consumption_kwh"));
    if let (Some(import), Some(consumption), Some(own)) = (import, energy("consumption_kwh"), own)
        && consumption != import + own
    {
        say("consumption is not import + self-consumption".to_owned());
    }
    if let (Some(generation), Some(export), Some(own)) = (generation, export, own)
        && own != generation - export
    {
        say("self-consumption is not generation - export".to_owned());
    }
    for ratio in ["autarky", "self_consumption_share"] {
        // Meters of class A may show 2 % more than there was.
        if get(ratio).is_some_and(|ratio| !(-0.05..=1.05).contains(&ratio)) {
            say(format!("{ratio} is not between 0 and 1"));
        }
    }
}

/// A gap has as many quarter hours as lie between its ends.
fn gap(table: &Table, values: &[Value], say: &mut dyn FnMut(String)) {
    let row = Cells { table, values };
    let (from, to, count) = (row.int("from"), row.int("to"), row.int("quarters"));
    let (Some(from), Some(to), Some(count)) = (from, to, count) else {
        return;
    };
    if from.rem_euclid(QUARTER) != 0
        || Some(to) != count.checked_mul(QUARTER).map(|it| from.saturating_add(it))
    {
        say("quarters are not those from its beginning to its end".to_owned());
    }
}

/// A meter's row is that of its household.
fn belongs(table: &Table, values: &[Value], names: &Names, say: &mut dyn FnMut(String)) {
    if table.name == "meters" {
        return;
    }
    let row = Cells { table, values };
    if let (Some(meter), Some(household)) = (row.text("meter"), row.text("household"))
        && names.meter(meter).is_some_and(|meter| meter.household != household)
    {
        say(format!("{meter} is a meter of another household"));
    }
}

/// A balance's quality says whether its parts are there.
fn quality(table: &Table, values: &[Value], names: &Names, say: &mut dyn FnMut(String)) {
    if table.name != "balance" {
        return;
    }
    let row = Cells { table, values };
    let parts = ["import_kwh", "export_kwh", "generation_kwh"].iter().all(|name| row.has(name));
    let is_measured = row.text("quality") == Some("measured");
    if row.has("consumption_kwh") != is_measured
        || (is_measured && !row.has("self_consumption_kwh"))
    {
        say("quality is not that of consumption_kwh and self_consumption_kwh".to_owned());
    }
    let household = row.text("household").and_then(|name| names.household(name));
    let has_balance = household.is_some_and(|household| household.has_balance);
    if (is_measured && !parts) || (has_balance && is_measured != parts) {
        say("quality is not that of import_kwh, export_kwh and generation_kwh".to_owned());
    }
}

/// In 10^-8 kWh: what was written was such a whole number.
#[expect(clippy::cast_possible_truncation, reason = "a household's energies are far smaller")]
pub(super) fn units(kwh: f64) -> i64 {
    (kwh * 1e8).round() as i64
}
