//! Whether a day's energies are the sum of its quarter hours, where all of them are measured.

use std::collections::{BTreeMap, HashMap};

use super::{cells::Cells, row::units, verdict::Verdict};
use crate::files::{column::Table, read::Value};

const PARTS: [&str; 5] =
    ["import_kwh", "export_kwh", "generation_kwh", "consumption_kwh", "self_consumption_kwh"];

/// The sums by household and day.
#[derive(Debug, Default)]
pub(super) struct DaySums {
    households: HashMap<String, u32>,
    quarters: BTreeMap<(u32, i64), Sum>,
    /// Each day with its row.
    days: BTreeMap<(u32, i64), Day>,
    rows: u64,
}

#[derive(Debug, Clone, Copy)]
struct Day {
    row: u64,
    quarters: i64,
    measured: i64,
    energies: [Option<i64>; 5],
}

#[derive(Debug, Default, Clone, Copy)]
struct Sum {
    quarters: i64,
    measured: i64,
    energies: [Option<i64>; 5],
}

impl DaySums {
    pub fn note(&mut self, table: &Table, values: &[Value]) {
        let is_day = table.name == "daily";
        if !is_day && table.name != "balance" {
            return;
        }
        let row = Cells { table, values };
        let Some(household) = row.text("household") else { return };
        let Some(date) = row.int("local_date") else { return };
        let number = match self.households.get(household) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.households.len()).unwrap_or(u32::MAX);
                self.households.insert(household.to_owned(), number);
                number
            }
        };
        let energies = PARTS.map(|part| row.double(part).map(units));
        if is_day {
            self.rows += 1;
            let count = |name: &str| row.int(name).unwrap_or(0);
            let (quarters, measured) = (count("quarters_expected"), count("quarters_measured"));
            let day = Day { row: self.rows, quarters, measured, energies };
            self.days.insert((number, date), day);
            return;
        }
        let first = Sum { quarters: 0, measured: 0, energies: [Some(0); 5] };
        let sum = self.quarters.entry((number, date)).or_insert(first);
        sum.quarters += 1;
        sum.measured += i64::from(row.text("quality") == Some("measured"));
        for (sum, energy) in sum.energies.iter_mut().zip(energies) {
            *sum = sum.zip(energy).map(|(sum, energy)| sum + energy);
        }
    }

    /// Compares days, whose file that is, with quarter hours.
    pub fn compare(&self, file: &str, verdict: &mut Verdict) {
        for (key, day) in &self.days {
            let Some(sum) = self.quarters.get(key).filter(|sum| sum.quarters == day.quarters)
            else {
                continue;
            };
            if sum.measured != day.measured {
                let what = "quarters_measured is not how many of its quarter hours are measured";
                verdict.add(file, Some(day.row), what);
            }
            for ((part, sum), energy) in PARTS.iter().zip(sum.energies).zip(day.energies) {
                if sum.is_some() && sum != energy {
                    let what = format!("{part} is not the sum of the day's quarter hours");
                    verdict.add(file, Some(day.row), what);
                }
            }
        }
    }
}
