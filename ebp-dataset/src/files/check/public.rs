//! The rows of public aggregates (rules R11 and R12), as far as they alone show it.
//!
//! Enters: rows in the order of the table. Leaves: what is wrong with a row, or with the rows of a
//! region's quarter hour together. Absent: of which households they are.

use std::collections::BTreeSet;

use super::cells::Cells;
use crate::{
    files::{metadata::FileEntry, read::Value, table::PROFILES},
    release::{
        Check, Distribution, LEAST_MORE, LEAST_REGIONAL, MEAN_STEPS, QUARTILE_STEPS, Quantity,
        Rule, check_aggregates,
    },
};

/// Four means are off by half a step of 0.001 kWh each.
const OFF: f64 = 0.0021;

/// A row's households and mean.
type Shown = (i64, f64);

/// What it shows of each quantity.
type Rows = [Option<Shown>; 4];

/// The rows of public aggregates.
#[derive(Debug, Default)]
pub(super) struct PublicCheck {
    rows: u64,
    broken: Option<String>,
    regions: BTreeSet<String>,
    most: i64,
    /// The rows of a region's quarter hour.
    open: Option<((String, i64), Rows)>,
}

impl PublicCheck {
    pub(super) fn note(&mut self, values: &[Value]) {
        let row = Cells { table: &PROFILES, values };
        let double = |name: &str| row.double(name);
        self.rows += 1;
        let households = row.int("households").unwrap_or(0);
        let mean = double("mean_kwh").unwrap_or(f64::NAN);
        let quartiles = ["quartile_1_kwh", "median_kwh", "quartile_3_kwh"].map(double);
        let region = row.text("region").unwrap_or_default();
        let steps = quartiles.iter().flatten().all(|energy| is_step(*energy, QUARTILE_STEPS));
        let distribution = Distribution {
            households: usize::try_from(households).unwrap_or(0),
            mean,
            quartiles: quartiles
                .iter()
                .any(Option::is_some)
                .then(|| quartiles.map(|energy| energy.unwrap_or(0.0))),
        };
        if !distribution.is_allowed() {
            self.broken = Some(format!("{region} has a row of {households} households"));
        } else if !is_step(mean, MEAN_STEPS) || !steps {
            self.broken = Some(format!("{region} has an energy that is no step"));
        }
        self.most = self.most.max(households);
        if !self.regions.contains(region) {
            self.regions.insert(region.to_owned());
        }
        let at = row.int("slot_start").unwrap_or(0);
        if self.open.as_ref().is_none_or(|((of, begins), _)| of != region || *begins != at) {
            self.close();
            self.open = Some(((region.to_owned(), at), [None; 4]));
        }
        let name = row.text("quantity");
        let quantity = Quantity::ALL.into_iter().position(|it| Some(it.name()) == name);
        if let (Some((_, shown)), Some(quantity)) = (&mut self.open, quantity) {
            shown[quantity] = Some((households, mean));
        }
    }

    /// The rows of a region's quarter hour are whole.
    fn close(&mut self) {
        let Some(((region, _), shown)) = self.open.take() else { return };
        if let Err(found) = check_together(&shown) {
            self.broken = Some(format!("{region}: {found}"));
        }
    }

    pub(super) fn finish(mut self, others: Option<&FileEntry>) -> [Check; 2] {
        self.close();
        let broken = others.map(|file| format!("{} is no table of the tier", file.path));
        let regional = self.regions.iter().filter(|region| is_within(region)).count();
        let is_large = usize::try_from(self.most).unwrap_or(0) >= LEAST_REGIONAL;
        let found = format!("{regional} regions beside the country");
        [
            check_aggregates(self.rows, broken.or(self.broken)),
            Check::judge(Rule::R12, regional == 0 || is_large, found),
        ]
    }
}

/// Whether an energy is what a step, of which so many are 1 kWh, is written as.
fn is_step(energy: f64, steps: f64) -> bool {
    #[expect(clippy::float_cmp, reason = "a step has one value")]
    let is_same = (energy * steps).round() / steps == energy;
    is_same
}

/// Whether one quantity follows from the others that may not be shown, or is of a few households
/// more or less than the others.
fn check_together(shown: &[Option<Shown>; 4]) -> Result<(), &'static str> {
    match *shown {
        [Some(_), None, _, Some(_)] | [Some(_), _, None, Some(_)] => {
            Err("consumption and import tell what is generated and used, which is left out")
        }
        [None, Some(_), Some(_), Some(_)] => {
            Err("import, generation and export tell consumption, which is left out")
        }
        [Some(consumption), Some(export), Some(generation), Some(import)] => {
            if export.0 != consumption.0 || generation.0 != consumption.0 {
                return Err("consumption, export and generation are of other households");
            }
            let least_more = i64::try_from(LEAST_MORE).unwrap_or(i64::MAX);
            let off = consumption.1 + export.1 - generation.1 - import.1;
            match import.0 - consumption.0 {
                0 if off.abs() <= OFF => Ok(()),
                0 => Err("consumption is not import + generation - export of the same households"),
                more if more >= least_more => Ok(()),
                _ => Err("import is of a few households more than consumption, or of fewer"),
            }
        }
        _ => Ok(()),
    }
}

/// Whether it is a part of a country, not a country, nor what stands for one that is not known.
fn is_within(region: &str) -> bool {
    region.len() > 2 && region != "any"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(quantity: &str, households: i64, mean: f64, quartile: &Value) -> Vec<Value> {
        vec![
            Value::Text("DE".into()),
            Value::Instant(0),
            Value::Date(0),
            Value::Int(1),
            Value::Text(quantity.into()),
            Value::Int(households),
            Value::Double(mean),
            quartile.clone(),
            quartile.clone(),
            quartile.clone(),
        ]
    }

    fn passes(rows: &[Vec<Value>]) -> bool {
        let mut public = PublicCheck::default();
        rows.iter().for_each(|row| public.note(row));
        public.finish(None)[0].passed
    }

    #[test]
    fn a_public_row_of_few_is_found() {
        let check = |households, quartile| passes(&[row("import", households, 0.1, &quartile)]);
        assert!(check(10, Value::Null) && check(40, Value::Double(0.1)));
        assert!(!check(9, Value::Null) && !check(12, Value::Null));
        assert!(!check(30, Value::Double(0.1)));
        let mut rows = vec![row("import", 30, 0.1, &Value::Null)];
        rows[0][8] = Value::Double(0.1);
        assert!(!passes(&rows), "one quartile of thirty");
    }

    #[test]
    fn an_energy_between_steps_is_found() {
        let check = |mean, quartile| passes(&[row("import", 40, mean, &Value::Double(quartile))]);
        assert!(check(0.167, 0.17) && check(0.0, 0.0) && check(12.345, 1.1));
        assert!(!check(0.166_999_999_999_999_98, 0.17));
        assert!(!check(0.1675, 0.17) && !check(0.167, 0.171) && !check(f64::NAN, 0.17));
    }

    #[test]
    fn what_follows_from_rows_together_is_found() {
        let four = |counts: [i64; 4], means: [f64; 4]| -> Vec<Vec<Value>> {
            let each = Quantity::ALL.iter().zip(counts).zip(means);
            each.map(|((it, count), mean)| row(it.name(), count, mean, &Value::Null)).collect()
        };
        let means = [0.5, 0.2, 0.3, 0.4];
        let whole = four([60; 4], means);
        assert!(passes(&whole));
        assert!(passes(&four([60; 4], [0.501, 0.2, 0.3, 0.4])), "rounded");
        assert!(passes(&four([40, 40, 40, 60], [0.7, 0.2, 0.3, 0.4])), "of twenty more");
        assert!(!passes(&four([50, 50, 50, 60], means)));
        assert!(!passes(&four([60, 50, 60, 60], means)));
        assert!(!passes(&four([60; 4], [0.51, 0.2, 0.3, 0.4])));
        let only = |places: &[usize]| -> Vec<Vec<Value>> {
            places.iter().map(|place| whole[*place].clone()).collect()
        };
        assert!(
            !passes(&only(&[0, 3])) && !passes(&only(&[0, 1, 3])) && !passes(&only(&[1, 2, 3]))
        );
        assert!(passes(&only(&[2, 3])) && passes(&only(&[1, 3])) && passes(&only(&[3])));
        // Another quarter hour has nothing to do with it.
        let mut apart = only(&[0, 3]);
        apart[1][1] = Value::Instant(900_000_000);
        assert!(passes(&apart));
    }
}
