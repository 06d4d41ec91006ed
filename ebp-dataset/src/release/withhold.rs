//! Two days of each month that a household's series does not have (rule R10): without them a bill's
//! total finds nobody.

use std::collections::BTreeMap;

use super::{
    check::{Check, Rule},
    numbers::Numbers,
};

/// How many days of a month are withheld.
pub(super) const DAYS: usize = 2;

/// Two different days of a month with so many: the first is never withheld alone.
#[must_use]
pub fn withheld_days(days: u8, numbers: &mut dyn Numbers) -> [u8; DAYS] {
    let count = u64::from(days.max(2));
    let first = numbers.below(count);
    let step = 1 + numbers.below(count - 1);
    let second = (first + step) % count;
    let day = |place: u64| u8::try_from(place + 1).unwrap_or(1);
    let (first, second) = (day(first), day(second));
    [first.min(second), first.max(second)]
}

/// Rule R10 for days: of each household and month, which days have a value, and which none.
/// `withheld` names household, month and day of those that are marked so; `months` what there is.
#[must_use]
pub fn check_withheld(
    months: &BTreeMap<(String, String), usize>,
    withheld: &BTreeMap<(String, String), Vec<u8>>,
) -> Check {
    for (household, month) in months.keys() {
        let days = withheld.get(&(household.clone(), month.clone())).map_or(&[][..], Vec::as_slice);
        if days.len() != DAYS {
            let found =
                format!("{} days of household {household} are withheld in {month}", days.len());
            return Check::failed(Rule::R10, found);
        }
    }
    let count = months.len();
    Check::passed(Rule::R10, format!("two days are withheld in each of {count} household-months"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::numbers::tests::Repeated, *};

    proptest! {
        #[test]
        fn the_first_of_a_month_is_never_alone(days in 28_u8..=31, seed: u64) {
            let [first, second] = withheld_days(days, &mut Repeated(seed));
            prop_assert!(first < second);
            prop_assert!((1..=days).contains(&first) && (1..=days).contains(&second));
        }
    }

    #[test]
    fn every_day_is_drawn_alike() {
        let mut numbers = Repeated(3);
        let mut counts = [0_u32; 30];
        for _ in 0..30_000 {
            for day in withheld_days(30, &mut numbers) {
                counts[usize::from(day) - 1] += 1;
            }
        }
        assert!(counts.iter().all(|count| (1_750..2_250).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_month_without_two_days_is_found() {
        let key = ("1-7".to_owned(), "2026-03".to_owned());
        let months = BTreeMap::from([(key.clone(), 31)]);
        let check = |days: &[u8]| {
            check_withheld(&months, &BTreeMap::from([(key.clone(), days.to_vec())])).passed
        };
        assert!(check(&[3, 9]));
        assert!(!check(&[1]) && !check(&[]) && !check(&[1, 2, 3]));
        assert!(!check_withheld(&months, &BTreeMap::new()).passed);
    }
}
