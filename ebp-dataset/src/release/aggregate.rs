//! Aggregates of households (rule R11).

use std::collections::BTreeMap;

use super::{
    check::{Check, Rule},
    round::round_down,
};

/// Households of a published group at least.
pub const LEAST_GROUP: usize = 10;

/// Households from which quartiles are published: each quarter has at least ten.
pub const QUARTILES_FROM: usize = 4 * LEAST_GROUP;

/// Steps of a kilowatt-hour that means are rounded to.
pub const MEAN_STEPS: f64 = 1000.0;

/// Steps of a kilowatt-hour that quartiles are rounded to.
pub const QUARTILE_STEPS: f64 = 100.0;

/// What is published of a group's values, or nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distribution {
    /// How many households, rounded down to ten.
    pub households: usize,
    /// The mean.
    pub mean: f64,
    /// A quarter of the households is below, half are, three quarters are.
    pub quartiles: Option<[f64; 3]>,
}

/// The aggregate of households' values; nothing where there are fewer than ten, or where one of them
/// is more than half of their sum.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of households")]
pub fn summarize(values: &mut [f64]) -> Option<Distribution> {
    let count = values.len();
    if count < LEAST_GROUP {
        return None;
    }
    let sum: f64 = values.iter().sum();
    if has_dominant(values) {
        return None;
    }
    values.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place")]
        let place = (share * (count - 1) as f64).floor() as usize;
        // Between two households, so that no household has this value.
        f64::midpoint(values[place], values[(place + 1).min(count - 1)])
    };
    let steps = |energy: f64, of: f64| (energy * of).round() / of;
    let quartiles = (count >= QUARTILES_FROM)
        .then(|| [0.25, 0.5, 0.75].map(|share| steps(at(share), QUARTILE_STEPS)));
    let mean = steps(sum / count as f64, MEAN_STEPS);
    Some(Distribution { households: round_down(count), mean, quartiles })
}

/// Whether one of them is more than half of their sum.
pub(super) fn has_dominant(values: &[f64]) -> bool {
    let absolute: f64 = values.iter().map(|value| value.abs()).sum();
    values.iter().any(|value| value.abs() * 2.0 > absolute)
}

/// The regions of a level that may be published beside the country: each has ten households, and so
/// many are in none of them, or nobody.
#[must_use]
pub fn publishable<T: Ord + Clone>(regions: &[Option<T>]) -> Vec<T> {
    let mut counts: BTreeMap<&T, usize> = BTreeMap::new();
    for region in regions.iter().flatten() {
        *counts.entry(region).or_default() += 1;
    }
    let mut kept: Vec<(T, usize)> = counts
        .into_iter()
        .filter(|(_, count)| *count >= LEAST_GROUP)
        .map(|(name, count)| (name.clone(), count))
        .collect();
    loop {
        let rest = regions.len() - kept.iter().map(|(_, count)| count).sum::<usize>();
        if rest == 0 || rest >= LEAST_GROUP || kept.is_empty() {
            return kept.into_iter().map(|(name, _)| name).collect();
        }
        // The smallest goes, so that those who are in none are not alone.
        let smallest = kept.iter().enumerate().min_by_key(|(_, (_, count))| *count);
        if let Some((place, _)) = smallest {
            kept.remove(place);
        }
    }
}

/// Rule R11 for groups of one interval: sets of households' places, sorted. Every group has ten, no two
/// differ by fewer than ten unless they have nobody in common, nor does one differ so from all that are
/// within it together.
///
/// # Errors
/// Says which group.
pub fn check_differences(groups: &[(&str, Vec<usize>)]) -> Result<(), String> {
    for (name, members) in groups {
        if members.len() < LEAST_GROUP {
            return Err(format!("{name} has {} households", members.len()));
        }
    }
    for (name, members) in groups {
        let mut within: Vec<usize> = Vec::new();
        for (other, others) in groups.iter().filter(|(other, _)| other != name) {
            let common = others.iter().filter(|one| members.binary_search(one).is_ok()).count();
            if common == others.len() {
                within.extend(others);
            }
            let differ = members.len() - common;
            let nobody = common == 0 || differ == 0 && others.len() == common;
            if !nobody && (1..LEAST_GROUP).contains(&differ) {
                return Err(format!("{name} and {other} differ by {differ} households"));
            }
        }
        within.sort_unstable();
        within.dedup();
        let rest = members.len() - within.len();
        if !within.is_empty() && (1..LEAST_GROUP).contains(&rest) {
            return Err(format!("{name} has {rest} households that are in no other group"));
        }
    }
    Ok(())
}

impl Distribution {
    /// Whether it may be published: counts are tens, and quartiles are of enough.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        self.households >= LEAST_GROUP
            && self.households.is_multiple_of(10)
            && (self.quartiles.is_none() || self.households >= QUARTILES_FROM)
    }
}

/// Rule R11: what was found in all intervals.
#[must_use]
pub fn check_aggregates(rows: u64, broken: Option<String>) -> Check {
    broken.map_or_else(
        || Check::passed(Rule::R11, format!("{rows} rows of at least {LEAST_GROUP} households")),
        |found| Check::failed(Rule::R11, found),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_published_keeps_the_rule(
            values in proptest::collection::vec(-1.0_f64..20.0, 0..120)
        ) {
            let given = values.clone();
            let mut values = values;
            if let Some(found) = summarize(&mut values) {
                prop_assert!(found.is_allowed());
                prop_assert!(given.len() >= LEAST_GROUP);
                // No digits but those of the step.
                let digits = found.mean.to_string();
                prop_assert!(digits.split_once('.').is_none_or(|(_, it)| it.len() <= 3), "{digits}");
                let sum: f64 = given.iter().map(|it| it.abs()).sum();
                prop_assert!(given.iter().all(|it| it.abs() <= sum / 2.0));
                let (least, most) = (values[0] - 0.01, values[values.len() - 1] + 0.01);
                prop_assert!((least..=most).contains(&found.mean));
            }
        }

        #[test]
        fn published_regions_never_leave_a_few_behind(
            places in proptest::collection::vec(proptest::option::of(0_usize..6), 10..150)
        ) {
            let regions: Vec<_> = places.iter().map(|it| it.map(|n| format!("DE{n}"))).collect();
            let published = publishable(&regions);
            let members = |name: &String| {
                let is = |(place, region): (usize, &Option<String>)| {
                    (region.as_ref() == Some(name)).then_some(place)
                };
                regions.iter().enumerate().filter_map(is).collect::<Vec<_>>()
            };
            let mut groups = vec![("DE", (0..regions.len()).collect::<Vec<_>>())];
            groups.extend(published.iter().map(|name| (name.as_str(), members(name))));
            prop_assert_eq!(check_differences(&groups), Ok(()));
        }
    }

    #[test]
    fn few_or_one_that_dominates_is_not_published() {
        assert_eq!(summarize(&mut [1.0; 9]), None);
        let mut dominated = [0.1; 10];
        dominated[3] = 1.0;
        assert_eq!(summarize(&mut dominated), None);
        let found = summarize(&mut [0.25; 39]).unwrap();
        assert_eq!((found.households, found.mean, found.quartiles), (30, 0.25, None));
        let found = summarize(&mut [0.25; 40]).unwrap();
        assert_eq!(found.quartiles, Some([0.25; 3]));
    }

    #[test]
    fn groups_that_differ_by_few_are_found() {
        let group = |from: usize, to: usize| (from..to).collect::<Vec<_>>();
        assert!(check_differences(&[("DE", group(0, 9))]).is_err());
        assert!(check_differences(&[("DE", group(0, 30)), ("DEA", group(0, 21))]).is_err());
        assert!(check_differences(&[("DE", group(0, 30)), ("DEA", group(0, 20))]).is_ok());
        let three = [("DE", group(0, 35)), ("DEA", group(0, 15)), ("DEB", group(15, 30))];
        let error = check_differences(&three).unwrap_err();
        assert!(error.contains("5 households that are in no other"), "{error}");
        assert!(check_differences(&[("DE", group(0, 30)), ("DEA", group(0, 30))]).is_ok());
    }
}
