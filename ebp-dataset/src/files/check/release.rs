//! Whether the files of a release keep its rules, as far as files alone show it.
//!
//! Enters: a folder. Leaves: a check for each rule that can be counted there. Absent: the database,
//! which rules R2, R3, R4, R8 and R13 need.

use std::{collections::BTreeMap, fs, path::Path};

use jiff::civil::Date;

use crate::{
    calendar::day_of,
    files::{
        column::{Table, Tier},
        error::FileError,
        metadata::{FileEntry, opening},
        read::{Value, read_rows},
        table::{PROFILES, RELEASED_BALANCE, RELEASED_HOUSEHOLDS, tables_of},
        write::Format,
    },
    release::{
        Check, Counts, LEAST_RESEARCH, Months, Rule, STEP, Shown, check_anonymity, check_classes,
        check_diversity, check_windows, check_withheld,
    },
};

use super::{
    cells::Cells,
    described::{EXPORT, PACKAGE},
    public::PublicCheck,
    row::units,
};

/// What the files of a release show of its households.
#[derive(Debug, Clone, Default)]
pub struct ReleaseFacts {
    /// Each household with its classes.
    pub households: BTreeMap<String, Shown>,
    /// The months of each one's series.
    pub windows: BTreeMap<String, Months>,
}

/// Checks the files of a release.
///
/// # Errors
/// Those of reading the files.
pub fn check_release(
    folder: &Path,
    tier: Tier,
    format: Format,
    files: &[FileEntry],
) -> Result<(Vec<Check>, ReleaseFacts), FileError> {
    let mut checks = vec![check_tier(folder, tier)?];
    let mut facts = ReleaseFacts::default();
    let read = |table: &Table, row: &mut dyn FnMut(u64, &[Value])| {
        let of_table = files.iter().filter(|file| file.table.name == table.name);
        of_table.map(|file| read_rows(&folder.join(&file.path), table, format, row)).collect()
    };
    let others = files.iter().find(|file| !tables_of(tier).contains(&file.table));
    if tier == Tier::Public {
        let mut public = PublicCheck::default();
        let all: Result<Vec<()>, FileError> = read(&PROFILES, &mut |_, values| public.note(values));
        all?;
        checks.extend(public.finish(others));
        return Ok((checks, facts));
    }
    let all: Result<Vec<()>, FileError> = read(&RELEASED_HOUSEHOLDS, &mut |_, values| {
        let mut texts = values.iter().map(|value| value.text().unwrap_or_default().to_owned());
        let name = texts.next().unwrap_or_default();
        let rest: Vec<String> = texts.collect();
        if let Ok(values) = <[String; 9]>::try_from(rest) {
            facts.households.insert(name, Shown::from_values(values));
        }
    });
    all?;
    let mut days = DayCheck::default();
    let all: Result<Vec<()>, FileError> =
        read(&RELEASED_BALANCE, &mut |_, values| days.note(values));
    all?;
    facts.windows = days.windows();
    let months =
        |name: &String| facts.windows.get(name).copied().unwrap_or(Months { from: 0, to: 0 });
    let shown: Vec<(Months, &Shown)> =
        facts.households.iter().map(|(name, shown)| (months(name), shown)).collect();
    let k = least_of(tier);
    checks.push(check_classes(facts.households.values()));
    checks.push(check_anonymity(&shown, k));
    checks.push(check_diversity(&shown));
    checks.push(days.check_months(&facts.windows, k));
    checks.push(days.check_values(others));
    let count = facts.households.len();
    checks.push(Check::judge(Rule::R12, count >= LEAST_RESEARCH, format!("{count} households")));
    Ok((checks, facts))
}

/// How many households share each combination.
pub(super) const fn least_of(tier: Tier) -> usize {
    if matches!(tier, Tier::Public) { 10 } else { 5 }
}

/// Rule R1.
fn check_tier(folder: &Path, tier: Tier) -> Result<Check, FileError> {
    let read = |name: &str| {
        let path = folder.join(name);
        fs::read_to_string(&path).map_err(|error| FileError::system(&path, error))
    };
    if !read("README.md")?.starts_with(opening(tier)) {
        return Ok(Check::failed(Rule::R1, "README.md does not begin with the tier"));
    }
    let said = format!("\"tier\": \"{}\"", tier.name());
    for name in [PACKAGE, EXPORT] {
        if !read(name)?.contains(&said) {
            return Ok(Check::failed(Rule::R1, format!("{name} does not say the tier")));
        }
    }
    Ok(Check::passed(Rule::R1, format!("every description says {}", tier.name())))
}

fn month_of(day: Date) -> i32 {
    i32::from(day.year()) * 12 + i32::from(day.month()) - 1
}

/// The days of households' series.
#[derive(Debug, Default)]
struct DayCheck {
    /// Of each household the first and last day.
    ends: BTreeMap<String, (Date, Date)>,
    /// Of each household, month and day: rows, and how many of them are withheld.
    days: BTreeMap<(String, i32), BTreeMap<u8, (u32, u32)>>,
    broken: Option<String>,
    values: u64,
}

impl DayCheck {
    fn note(&mut self, values: &[Value]) {
        let row = Cells { table: &RELEASED_BALANCE, values };
        let (Some(name), Some(day)) = (row.text("household"), row.value("local_date")) else {
            return;
        };
        let day = day_of(day.int().unwrap_or(0)).unwrap_or(Date::MIN);
        let ends = self.ends.entry(name.to_owned()).or_insert((day, day));
        *ends = (ends.0.min(day), ends.1.max(day));
        let days = self.days.entry((name.to_owned(), month_of(day))).or_default();
        let (rows, withheld) = days.entry(day.day().unsigned_abs()).or_default();
        *rows += 1;
        let is_withheld = row.text("quality") == Some("withheld");
        *withheld += u32::from(is_withheld);
        for column in RELEASED_BALANCE.columns.iter().filter(|it| it.unit == Some("kWh")) {
            let Some(energy) = row.double(column.name) else { continue };
            self.values += 1;
            if is_withheld {
                self.broken = Some(format!("household {name} has {} on {day}", column.name));
            } else if units(energy).rem_euclid(STEP.0) != 0 {
                self.broken = Some(format!("household {name} has {energy} kWh on {day}"));
            }
        }
    }

    fn windows(&self) -> BTreeMap<String, Months> {
        let window = |(first, last): &(Date, Date)| Months {
            from: month_of(*first),
            to: month_of(*last) + 1,
        };
        self.ends.iter().map(|(name, ends)| (name.clone(), window(ends))).collect()
    }

    /// Rule R9, without what the series were before.
    fn check_months(&self, windows: &BTreeMap<String, Months>, k: usize) -> Check {
        for (name, (first, last)) in &self.ends {
            if first.day() != 1 || *last != last.last_of_month() {
                return Check::failed(Rule::R9, format!("household {name} has a part of a month"));
            }
        }
        let all: Vec<Months> = windows.values().copied().collect();
        let possible: Vec<_> = all.iter().copied().map(Some).collect();
        check_windows(&all, &possible, k, Counts::Exact)
    }

    /// Rule R10.
    fn check_values(&self, others: Option<&FileEntry>) -> Check {
        if let Some(file) = others {
            return Check::failed(Rule::R10, format!("{} is no table of the tier", file.path));
        }
        if let Some(broken) = &self.broken {
            return Check::failed(Rule::R10, broken.clone());
        }
        let mut months = BTreeMap::new();
        let mut withheld = BTreeMap::new();
        for ((name, month), days) in &self.days {
            let key = (name.clone(), Months::name(*month));
            months.insert(key.clone(), days.len());
            let all = days.iter().filter(|(_, (rows, withheld))| *withheld > 0 && rows == withheld);
            withheld.insert(key.clone(), all.map(|(day, _)| *day).collect());
            let partly = |(rows, withheld): &&(u32, u32)| *withheld > 0 && rows != withheld;
            if days.values().find(partly).is_some() {
                let found = format!("household {} has a day that is withheld in part", key.0);
                return Check::failed(Rule::R10, found);
            }
        }
        let check = check_withheld(&months, &withheld);
        if !check.passed {
            return check;
        }
        let found = format!("{} energies are steps of 0.01 kWh; {}", self.values, check.found);
        Check::passed(Rule::R10, found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(household: &str, day: i32, energy: f64, quality: &str) -> Vec<Value> {
        let energy = if quality == "withheld" { Value::Null } else { Value::Double(energy) };
        vec![
            Value::Text(household.into()),
            Value::Instant(0),
            Value::Date(day),
            Value::Int(1),
            energy.clone(),
            energy,
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Text(quality.into()),
        ]
    }

    /// March 2026 of five households, changed by `fault`.
    fn month(fault: impl Fn(&mut Vec<Vec<Value>>)) -> (DayCheck, Check, Check) {
        let first = 20_513;
        let mut rows = Vec::new();
        for household in 1..=5 {
            for day in 0..31 {
                let quality = if [4, 20].contains(&day) { "withheld" } else { "measured" };
                rows.push(row(&format!("1-{household}"), first + day, 0.17, quality));
            }
        }
        fault(&mut rows);
        let mut days = DayCheck::default();
        rows.iter().for_each(|row| days.note(row));
        let windows = days.windows();
        let (months, values) = (days.check_months(&windows, 5), days.check_values(None));
        (days, months, values)
    }

    #[test]
    fn rules_that_are_switched_off_are_found() {
        let (days, months, values) = month(|_| {});
        assert!(months.passed && values.passed, "{months:?} {values:?}");
        assert_eq!(days.windows()["1-1"].count(), 1);
        let broken = |fault: fn(&mut Vec<Vec<Value>>)| {
            let (_, months, values) = month(fault);
            (months.passed, values.passed)
        };
        // Not rounded.
        assert_eq!(broken(|rows| rows[0][4] = Value::Double(0.1703)), (true, false));
        // No day withheld, one, and the first alone.
        assert_eq!(
            broken(|rows| rows[..31]
                .iter_mut()
                .for_each(|it| it[9] = Value::Text("measured".into()))),
            (true, false)
        );
        assert_eq!(broken(|rows| rows[4][9] = Value::Text("missing".into())), (true, false));
        // A withheld day with an energy.
        assert_eq!(broken(|rows| rows[4][8] = Value::Double(0.1)), (true, false));
        // A day less at an end, and a household that ends alone.
        assert_eq!(broken(|rows| _ = rows.remove(0)), (false, true));
        assert_eq!(broken(|rows| rows.truncate(4 * 31)), (false, true));
    }
}
