//! Numbers of households: a random permutation (rule R4).

use super::{
    check::{Check, Rule},
    numbers::Numbers,
};

/// The numbers 1 to `count` in random order.
#[must_use]
pub fn permutation(count: usize, numbers: &mut dyn Numbers) -> Vec<usize> {
    let mut ids: Vec<usize> = (1..=count).collect();
    for place in (1..count).rev() {
        let other = numbers.below(place as u64 + 1);
        ids.swap(place, usize::try_from(other).unwrap_or(place));
    }
    ids
}

/// Spearman's rank correlation of the order of registration and a permutation.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a statistic")]
pub fn rank_correlation(ids: &[usize]) -> f64 {
    let count = ids.len() as f64;
    if ids.len() < 2 {
        return 0.0;
    }
    let squares: f64 =
        ids.iter().zip(1..).map(|(id, place)| (*id as f64 - f64::from(place)).powi(2)).sum();
    1.0 - 6.0 * squares / (count * (count * count - 1.0))
}

/// Rule R4: all numbers are different, none is one of an earlier release, and their order says
/// nothing of the order of registration. `ids` are in the order of registration.
#[must_use]
pub fn check_order(ids: &[usize], names: &[String], earlier: &[String]) -> Check {
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    if sorted.iter().zip(1..).any(|(id, expected)| *id != expected) {
        return Check::failed(Rule::R4, "the numbers are no permutation");
    }
    if let Some(name) = names.iter().find(|name| earlier.contains(name)) {
        return Check::failed(Rule::R4, format!("{name} is a number of an earlier release"));
    }
    let correlation = rank_correlation(ids);
    // Three standard deviations of the statistic of independent orders.
    #[expect(clippy::cast_precision_loss, reason = "a statistic")]
    let limit = 3.0 / (ids.len().saturating_sub(1).max(1) as f64).sqrt();
    let found = format!(
        "{} numbers; rank correlation with the order of registration {correlation:.3}, at most \
         {limit:.3} allowed",
        ids.len()
    );
    Check::judge(Rule::R4, correlation.abs() <= limit, found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::numbers::tests::Repeated, *};

    proptest! {
        #[test]
        fn a_permutation_has_every_number_once(count in 0_usize..200, seed: u64) {
            let mut ids = permutation(count, &mut Repeated(seed));
            ids.sort_unstable();
            prop_assert_eq!(ids, (1..=count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_order_of_registration_is_found() {
        let ids: Vec<_> = (1..=60).collect();
        assert!((rank_correlation(&ids) - 1.0).abs() < 1e-12);
        assert!(!check_order(&ids, &[], &[]).passed);
        let reversed: Vec<_> = ids.iter().rev().copied().collect();
        assert!(!check_order(&reversed, &[], &[]).passed);
        let drawn = permutation(60, &mut Repeated(5));
        assert!(check_order(&drawn, &[], &[]).passed);
        assert!(!check_order(&drawn, &["1-7".into()], &["1-7".into()]).passed);
        assert!(!check_order(&[1, 1, 2], &[], &[]).passed);
    }
}
