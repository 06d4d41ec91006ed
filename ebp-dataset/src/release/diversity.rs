//! Whether a class betrays an answer (rule R7): who is known to be in it is known to have it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    check::{Check, Rule},
    class::Shown,
    window::Months,
};

/// Households that may all have the same answer.
const LARGE: usize = 20;

/// The places of households in classes that give one answer throughout. Classes are those of everything
/// that is shown but the answers.
pub(super) fn betrayed(shown: &[(Months, &Shown)]) -> BTreeSet<usize> {
    let mut classes: BTreeMap<(Months, [&str; 6]), Vec<usize>> = BTreeMap::new();
    for (place, (months, household)) in shown.iter().enumerate() {
        classes.entry((*months, household.without_answers())).or_default().push(place);
    }
    let mut found = BTreeSet::new();
    for members in classes.values().filter(|members| members.len() < LARGE) {
        let is_betrayed = (0..3).any(|answer| {
            let mut answers = members.iter().map(|place| shown[*place].1.answers()[answer]);
            let first = answers.next().unwrap_or_default();
            matches!(first, "yes" | "no") && answers.all(|other| other == first)
        });
        if is_betrayed {
            found.extend(members);
        }
    }
    found
}

/// Rule R7: no class has one answer only.
#[must_use]
pub fn check_diversity(shown: &[(Months, &Shown)]) -> Check {
    let betrayed = betrayed(shown);
    match betrayed.first().and_then(|place| shown.get(*place)) {
        None => Check::passed(Rule::R7, format!("{} households in diverse classes", shown.len())),
        Some((_, household)) => {
            let class = household.without_answers().join(", ");
            let found = format!("{} households betray an answer: {class}", betrayed.len());
            Check::failed(Rule::R7, found)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::class::{Answers, Detail, Profile};

    fn shown(charger: bool, other: bool) -> Shown {
        let answers = Answers { charger, heat_pump: other, battery: other };
        Shown::classify(&Profile { answers: Some(answers), ..Profile::default() }, Detail::Country)
    }

    #[test]
    fn a_class_with_one_answer_is_found() {
        let months = Months { from: 0, to: 3 };
        let check = |households: &[Shown]| {
            let all: Vec<_> = households.iter().map(|it| (months, it)).collect();
            check_diversity(&all).passed
        };
        let (a, b, c) = (shown(true, false), shown(false, true), shown(true, true));
        assert!(check(&[a.clone(), b]));
        assert!(!check(&[a.clone(), c]), "all have a charger");
        assert!(!check(&vec![a.clone(); 19]));
        assert!(check(&vec![a.clone(); 20]), "they are many");
        assert!(
            check(&[Shown::classify(&Profile::default(), Detail::Nothing)]),
            "no answer is shown"
        );
        // Other months are another class.
        let b = shown(false, true);
        let later = Months { from: 1, to: 3 };
        assert!(!check_diversity(&[(months, &a), (later, &b)]).passed);
    }
}
