//! Makes households' attributes coarser until enough share every combination (rule R6).
//!
//! All that is known together counts as one combination, the months of the series included. Only
//! households that are too few become coarser, one step at a time, in the order of [`Detail`]; one
//! that is alone with nothing shown leaves. Whoever gets coarser leaves others behind, so it is done
//! until nothing changes: steps go one way, so that ends.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    check::{Check, Rule},
    class::{Detail, Profile, Shown},
    diversity::betrayed,
    population::{Register, is_behind},
    window::Months,
};

/// What a release demands.
#[derive(Debug, Clone, Copy)]
pub struct Demands<'a> {
    /// So many households share each combination.
    pub k: usize,
    /// No household is shown finer.
    pub finest: Detail,
    /// The population's systems, if they were counted.
    pub register: Option<&'a Register>,
}

/// A household that stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classified {
    /// Its place in what was given.
    pub place: usize,
    /// How fine it is shown.
    pub detail: Detail,
    /// What is shown.
    pub shown: Shown,
    /// The months of its series.
    pub months: Months,
}

/// Classifies households; each with the months of its series and the finest detail that earlier
/// releases allow. Those that do not stay are not in the result.
#[must_use]
pub fn coarsen(households: &[(Profile, Months, Detail)], demands: Demands<'_>) -> Vec<Classified> {
    let mut all: Vec<Classified> = households
        .iter()
        .enumerate()
        .map(|(place, (profile, months, floor))| {
            let detail = demands.finest.max(*floor);
            Classified { place, detail, shown: Shown::classify(profile, detail), months: *months }
        })
        .collect();
    loop {
        let pairs: Vec<_> = all.iter().map(|one| (one.months, &one.shown)).collect();
        let mut breaking = too_few(&pairs, demands.k);
        breaking.extend(betrayed(&pairs));
        let rare = |shown: &Shown| !is_behind(shown, demands.register);
        breaking.extend((0..all.len()).filter(|place| rare(&all[*place].shown)));
        if breaking.is_empty() {
            return all;
        }
        let mut next = Vec::with_capacity(all.len());
        for (place, mut one) in all.into_iter().enumerate() {
            if breaking.contains(&place) {
                let Some(coarser) = one.detail.coarser() else { continue };
                one.detail = coarser;
                one.shown = Shown::classify(&households[one.place].0, coarser);
            }
            next.push(one);
        }
        all = next;
    }
}

/// The places of households whose combination fewer than `k` share.
fn too_few(shown: &[(Months, &Shown)], k: usize) -> BTreeSet<usize> {
    let mut combinations: BTreeMap<(Months, &Shown), Vec<usize>> = BTreeMap::new();
    for (place, (months, household)) in shown.iter().enumerate() {
        combinations.entry((*months, household)).or_default().push(place);
    }
    combinations.into_values().filter(|members| members.len() < k).flatten().collect()
}

/// Rule R6: the count of every combination.
#[must_use]
pub fn check_anonymity(shown: &[(Months, &Shown)], k: usize) -> Check {
    let few = too_few(shown, k);
    if let Some((_, household)) = few.first().and_then(|place| shown.get(*place)) {
        let values = household.values().map(|(_, value)| value).join(", ");
        let found = format!("fewer than {k} households share {values}");
        return Check::failed(Rule::R6, found);
    }
    match check_pairs(shown, k) {
        Some(found) => Check::failed(Rule::R6, found),
        None => {
            let combinations: BTreeSet<_> = shown.iter().collect();
            let found = format!(
                "{} households, {} combinations, each shared by at least {k}",
                shown.len(),
                combinations.len()
            );
            Check::passed(Rule::R6, found)
        }
    }
}

/// Every two attributes together with the region; says which are shared by too few.
#[must_use]
pub fn check_pairs(shown: &[(Months, &Shown)], k: usize) -> Option<String> {
    for first in 1..9 {
        for second in first..9 {
            let mut counts: BTreeMap<[&str; 3], usize> = BTreeMap::new();
            for (_, household) in shown {
                let values = household.values().map(|(_, value)| value);
                *counts.entry([values[0], values[first], values[second]]).or_default() += 1;
            }
            if let Some((values, _)) = counts.into_iter().find(|(_, count)| *count < k) {
                return Some(format!("fewer than {k} households share {}", values.join(", ")));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::release::{
        check_classes, check_diversity, check_population,
        class::{Answers, SystemFacts},
    };

    const MONTHS: Months = Months { from: 0, to: 3 };

    fn profile() -> impl Strategy<Value = Profile> {
        let region = proptest::sample::select(vec!["DEA22", "DEA23", "DEB11", "DE212"]);
        let system = (0.5_f64..40.0, 0.0_f64..360.0, 0.0_f64..90.0, 1995_i16..2026)
            .prop_map(|(kwp, azimuth, tilt, year)| SystemFacts { kwp, azimuth, tilt, year });
        let answers = any::<[bool; 3]>().prop_map(|[charger, heat_pump, battery]| Answers {
            charger,
            heat_pump,
            battery,
        });
        (
            proptest::option::weighted(0.9, region.prop_map(str::to_owned)),
            proptest::collection::vec(system, 0..3),
            proptest::option::weighted(0.9, 1_u8..7),
            proptest::option::weighted(0.9, answers),
        )
            .prop_map(|(nuts3, systems, persons, answers)| Profile {
                nuts3,
                systems,
                persons,
                answers,
            })
    }

    fn households() -> impl Strategy<Value = Vec<(Profile, Months, Detail)>> {
        let floor = proptest::sample::select(Detail::ALL.to_vec());
        let window = (0_i32..2).prop_map(|from| Months { from, to: 5 });
        proptest::collection::vec((profile(), window, floor), 0..90)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn what_stays_keeps_every_rule(households in households(), k in 2_usize..11) {
            let demands = Demands { k, finest: Detail::Nuts3, register: None };
            let kept = coarsen(&households, demands);
            let pairs: Vec<_> = kept.iter().map(|one| (one.months, &one.shown)).collect();
            prop_assert!(check_anonymity(&pairs, k).passed);
            prop_assert!(check_diversity(&pairs).passed);
            let shown: Vec<_> = kept.iter().map(|one| &one.shown).collect();
            prop_assert!(check_classes(shown.iter().copied()).passed);
            prop_assert!(check_population(shown, None).passed);
            for one in &kept {
                prop_assert!(one.detail >= households[one.place].2, "finer than before");
            }
        }

        #[test]
        fn a_coarser_demand_never_shows_anybody_finer(households in households()) {
            let fine = Demands { k: 5, finest: Detail::Nuts3, register: None };
            let coarse = Demands { finest: Detail::NoTilt, ..fine };
            for one in coarsen(&households, coarse) {
                prop_assert!(one.detail >= Detail::NoTilt);
            }
        }
    }

    fn household(nuts3: &str, kwp: f64, odd: bool) -> (Profile, Months, Detail) {
        let system = SystemFacts { kwp, azimuth: 180.0, tilt: 30.0, year: 2021 };
        let answers = Answers { charger: odd, heat_pump: !odd, battery: odd };
        let profile = Profile {
            nuts3: Some(nuts3.to_owned()),
            systems: vec![system],
            persons: Some(2),
            answers: Some(answers),
        };
        (profile, MONTHS, Detail::Nuts3)
    }

    #[test]
    fn one_that_is_unique_leaves_and_the_others_stay() {
        let mut all: Vec<_> = (0..40).map(|n| household("DEA22", 8.0, n % 2 == 0)).collect();
        all.push(household("DEA22", 35.0, true));
        all.push(household("DEB11", 8.0, true));
        let demands = Demands { k: 5, finest: Detail::Nuts3, register: None };
        let kept = coarsen(&all, demands);
        assert_eq!(kept.len(), 40);
        assert!(kept.iter().all(|one| one.detail == Detail::Nuts1 && one.place < 40));
        // Without the rule the check fails.
        let everybody: Vec<_> =
            all.iter().map(|(profile, ..)| Shown::classify(profile, Detail::Nuts1)).collect();
        let pairs: Vec<_> = everybody.iter().map(|shown| (MONTHS, shown)).collect();
        let check = check_anonymity(&pairs, 5);
        assert!(!check.passed && check.found.contains(">=30"), "{check:?}");
        assert!(check_pairs(&pairs, 5).is_some());
    }

    #[test]
    fn those_that_are_alone_share_nothing_but_that() {
        let mut all: Vec<_> = (0..40).map(|n| household("DEA22", 8.0, n % 2 == 0)).collect();
        all.extend([1.0, 4.0, 6.0, 12.0, 20.0, 35.0].map(|kwp| household("DEB11", kwp, true)));
        let kept = coarsen(&all, Demands { k: 5, finest: Detail::Nuts3, register: None });
        assert_eq!(kept.len(), 46);
        let nothing = kept.iter().filter(|one| one.detail >= Detail::NoPower).count();
        assert_eq!(nothing, 6);
    }
}
