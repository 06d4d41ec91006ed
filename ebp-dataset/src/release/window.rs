//! Whole months that enough households share (rule R9): who begins or ends alone is known by it.

use std::collections::BTreeMap;

use super::check::{Check, Counts, Rule};

/// Months from one to another; the last is not in it. A month is its year × 12 + its number from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Months {
    /// The first.
    pub from: i32,
    /// The one behind the last.
    pub to: i32,
}

impl Months {
    /// How many.
    #[must_use]
    pub const fn count(self) -> i32 {
        self.to - self.from
    }

    /// Whether all of the other's are within.
    #[must_use]
    pub const fn holds(self, other: Self) -> bool {
        self.from <= other.from && other.to <= self.to
    }

    /// `2026-01` for a month.
    #[must_use]
    pub fn name(month: i32) -> String {
        format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1)
    }
}

/// The whole months between two days, given as year, month (from 1) and day, when 14 days are cut at
/// each end by the caller: the first begins on or after `first`, the last ends on or before `last`,
/// which is the day behind the series.
#[must_use]
pub fn months_within(first: (i16, i8, i8), last: (i16, i8, i8)) -> Option<Months> {
    let month = |(year, month, _): (i16, i8, i8)| i32::from(year) * 12 + i32::from(month) - 1;
    let from = month(first) + i32::from(first.2 > 1);
    let to = month(last);
    (from < to).then_some(Months { from, to })
}

/// Gives each household the months of a cohort of at least `k`, as many household-months as possible
/// at a time; none where there is no cohort for it.
#[must_use]
pub fn assign_windows(possible: &[Option<Months>], k: usize) -> Vec<Option<Months>> {
    let mut assigned: Vec<Option<Months>> = vec![None; possible.len()];
    let mut cohorts: Vec<Months> = Vec::new();
    loop {
        let open = || {
            let pairs = possible.iter().zip(&assigned);
            pairs.filter(|(_, given)| given.is_none()).filter_map(|(months, _)| *months)
        };
        let mut froms: Vec<i32> = open().map(|months| months.from).collect();
        let mut tos: Vec<i32> = open().map(|months| months.to).collect();
        froms.sort_unstable();
        froms.dedup();
        tos.sort_unstable();
        tos.dedup();
        let mut best: Option<(i64, Months)> = None;
        for from in &froms {
            for to in tos.iter().filter(|to| *to > from) {
                let window = Months { from: *from, to: *to };
                let members = open().filter(|months| months.holds(window)).count();
                let size = i64::try_from(members).unwrap_or(0) * i64::from(window.count());
                if members >= k && best.is_none_or(|(most, _)| size > most) {
                    best = Some((size, window));
                }
            }
        }
        let Some((_, window)) = best else { break };
        cohorts.push(window);
        for (months, given) in possible.iter().zip(&mut assigned) {
            if given.is_none() && months.is_some_and(|months| months.holds(window)) {
                *given = Some(window);
            }
        }
    }
    // Who is left joins a cohort that is there, the longest that fits.
    for (months, given) in possible.iter().zip(&mut assigned) {
        if let (Some(months), None) = (months, &given) {
            let fits = cohorts.iter().copied().filter(|cohort| months.holds(*cohort));
            *given = fits.max_by_key(|cohort| cohort.count());
        }
    }
    assigned
}

/// Rule R9: at least `k` households share each beginning and end. `windows` are those of the result;
/// `possible` what the series allow without the first and last 14 days.
#[must_use]
pub fn check_windows(
    windows: &[Months],
    possible: &[Option<Months>],
    k: usize,
    told: Counts,
) -> Check {
    let mut counts: BTreeMap<Months, usize> = BTreeMap::new();
    for window in windows {
        *counts.entry(*window).or_default() += 1;
    }
    let within = |(window, possible): (&Months, &Option<Months>)| {
        possible.is_some_and(|possible| possible.holds(*window))
    };
    if !windows.iter().zip(possible).all(within) {
        return Check::failed(Rule::R9, "a series reaches into its first or last 14 days");
    }
    let names = |window: &Months| {
        format!("{} to {}", Months::name(window.from), Months::name(window.to - 1))
    };
    if let Some((window, count)) = counts.iter().find(|(_, count)| **count < k) {
        return Check::failed(Rule::R9, format!("{count} households have {}", names(window)));
    }
    let cohorts: Vec<_> = counts
        .iter()
        .map(|(window, count)| format!("{} have {}", told.tell(*count), names(window)))
        .collect();
    Check::passed(Rule::R9, cohorts.join("; "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn months() -> impl Strategy<Value = Vec<Option<Months>>> {
        let one =
            (0_i32..14, 1_i32..12).prop_map(|(from, count)| Months { from, to: from + count });
        proptest::collection::vec(proptest::option::weighted(0.9, one), 0..60)
    }

    proptest! {
        #[test]
        fn every_window_is_shared_and_within(possible in months(), k in 1_usize..8) {
            let assigned = assign_windows(&possible, k);
            let kept: Vec<_> = assigned.iter().copied().zip(&possible)
                .filter_map(|(window, possible)| Some((window?, *possible))).collect();
            let (windows, possible): (Vec<_>, Vec<_>) = kept.into_iter().unzip();
            prop_assert!(check_windows(&windows, &possible, k, Counts::Exact).passed);
        }
    }

    #[test]
    fn months_are_whole() {
        let within = |first, last| {
            months_within(first, last)
                .map(|it| format!("{} {}", Months::name(it.from), Months::name(it.to)))
        };
        assert_eq!(within((2026, 1, 1), (2026, 3, 1)).unwrap(), "2026-01 2026-03");
        assert_eq!(within((2026, 1, 2), (2026, 3, 31)).unwrap(), "2026-02 2026-03");
        assert_eq!(within((2025, 12, 15), (2026, 2, 15)).unwrap(), "2026-01 2026-02");
        assert_eq!(within((2026, 1, 15), (2026, 2, 20)), None);
    }

    #[test]
    fn a_series_that_ends_alone_is_found() {
        let window = |from, to| Months { from, to };
        let check = |windows: &[Months], possible: &[Option<Months>]| {
            check_windows(windows, possible, 5, Counts::Exact)
        };
        let mut windows = vec![window(0, 3); 5];
        let possible = vec![Some(window(0, 4)); 6];
        assert!(check(&windows, &possible[..5]).passed);
        windows.push(window(0, 4));
        let alone = check(&windows, &possible);
        assert!(!alone.passed && alone.found.starts_with("1 households"), "{alone:?}");
        assert!(!check(&windows[..5], &[Some(window(1, 4)); 5]).passed);
        let rounded =
            check_windows(&[window(0, 3); 61], &[Some(window(0, 3)); 61], 10, Counts::Rounded);
        assert!(rounded.found.starts_with("60 or more have"), "{rounded:?}");
    }
}
