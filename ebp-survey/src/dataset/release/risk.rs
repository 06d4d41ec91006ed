//! What somebody finds who knows a week, or a bill.

use ebp_dataset::{
    Energy, HouseholdPeriod, QUARTER, Quality,
    release::{Months, Share, find_nearest, wilson},
};

use super::household::Released;

/// Quarter hours of the week that the attacker knows.
const WEEK: usize = 7 * 96;

/// A quarter hour as it is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShownQuarter {
    pub import: Option<Energy>,
    pub export: Option<Energy>,
    pub generation: Option<Energy>,
    pub consumption: Option<Energy>,
    pub self_consumption: Option<Energy>,
    pub quality: Quality,
}

/// Series that are compared: a week in a month that most households have.
#[derive(Debug)]
pub(super) struct Findings {
    month: i32,
    from: Option<i64>,
    known: Vec<Vec<f64>>,
    released: Vec<Vec<f64>>,
    /// True totals and days, and those that the release shows.
    totals: Vec<(f64, f64, usize, usize)>,
    windows: Vec<Months>,
}

impl Findings {
    pub fn new(released: &[Released]) -> Self {
        let mut windows: Vec<Months> = released.iter().map(|one| one.months).collect();
        let count = released.len();
        let by_month = windows.clone();
        windows.sort_unstable();
        let middle = windows.get(count / 2).copied().unwrap_or(Months { from: 0, to: 0 });
        Self {
            month: middle.from + middle.count() / 2,
            from: None,
            known: vec![vec![f64::NAN; WEEK]; count],
            released: vec![vec![f64::NAN; WEEK]; count],
            totals: vec![(0.0, 0.0, 0, 0); count],
            windows: by_month,
        }
    }

    pub fn note(
        &mut self,
        (place, month): (usize, i32),
        row: &HouseholdPeriod,
        shown: &ShownQuarter,
    ) {
        let (known, released) = (row.balance.import.energy, shown.import);
        let (total, sum, quarters, there) = &mut self.totals[place];
        if let Some(energy) = known {
            *total += energy.to_f64();
            *quarters += 1;
        }
        if let Some(energy) = released {
            *sum += energy.to_f64();
            *there += 1;
        }
        if month != self.month {
            return;
        }
        // The second week of the month.
        let from = *self
            .from
            .get_or_insert(row.from - row.from.rem_euclid(96 * QUARTER) + WEEK as i64 * QUARTER);
        let Ok(slot) = usize::try_from((row.from - from).div_euclid(QUARTER)) else { return };
        if slot < WEEK {
            self.known[place][slot] = known.map_or(f64::NAN, Energy::to_f64);
            self.released[place][slot] = released.map_or(f64::NAN, Energy::to_f64);
        }
    }

    /// How many are found by a week of what they drew.
    pub fn by_week(&self) -> Share {
        let has = |series: &&(usize, &Vec<f64>)| series.1.iter().any(|value| value.is_finite());
        let there: Vec<(usize, &Vec<f64>)> = self.known.iter().enumerate().collect();
        let there: Vec<_> = there.iter().filter(has).collect();
        let found = there
            .iter()
            .filter(|(place, known)| find_nearest(known, &self.released) == Some(*place))
            .count();
        wilson(found, there.len())
    }

    /// How many are found by the total of their months, as a bill has it.
    #[expect(clippy::cast_precision_loss, reason = "counts of quarter hours")]
    pub fn by_total(&self) -> Share {
        let estimate = |(_, sum, quarters, there): &(f64, f64, usize, usize)| match there {
            0 => f64::NAN,
            there => sum * *quarters as f64 / *there as f64,
        };
        // Who has other months is known to be another one.
        let of = |place: usize, months: Months| {
            if self.windows[place] == months { estimate(&self.totals[place]) } else { f64::NAN }
        };
        let found = (0..self.totals.len())
            .filter(|place| {
                let months = self.windows[*place];
                let all: Vec<Vec<f64>> =
                    (0..self.totals.len()).map(|other| vec![of(other, months)]).collect();
                find_nearest(&[self.totals[*place].0.round()], &all) == Some(*place)
            })
            .count();
        wilson(found, self.totals.len())
    }
}

/// In words, for the README.
pub(super) fn sentences(findings: &Findings) -> Vec<String> {
    vec![
        format!(
            "Who knows one week of what a household drew finds it: the nearest series was the right one \
             for {}.",
            findings.by_week()
        ),
        format!(
            "Who knows its total in whole kWh, as a bill has it, and guesses the withheld days, finds it \
             for {}.",
            findings.by_total()
        ),
        "So numbers in place of names protect nobody from those who know something already: the \
         contract does. Do not try to find anybody, and pass nothing on."
            .to_owned(),
    ]
}
