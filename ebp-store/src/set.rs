//! Sets of a few named things as bits, as both databases keep them: the first is bit 0. What was
//! stored keeps its meaning as long as new ones are added behind.

use ebp_core::model::Flag;

/// The bits of `given`, all of which are among `all`.
pub fn bits<T: PartialEq>(all: &[T], given: &[T]) -> i16 {
    let bit = |place: usize| 1_i16 << place;
    all.iter().enumerate().filter(|(_, one)| given.contains(one)).map(|(i, _)| bit(i)).sum()
}

/// Those of `all` whose bits are set, in its order.
pub fn members<T: Copy>(all: &[T], bits: i16) -> Vec<T> {
    all.iter().enumerate().filter(|(i, _)| bits >> i & 1 == 1).map(|(_, one)| *one).collect()
}

/// A measurement's flags as they are kept: nothing where there are none.
pub fn flag_bits(flags: &[Flag]) -> Option<i16> {
    Some(bits(&Flag::ALL, flags)).filter(|bits| *bits != 0)
}

/// The flags that are kept so, in their order.
pub fn flags(bits: Option<i16>) -> Vec<Flag> {
    members(&Flag::ALL, bits.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_comes_back_in_order() {
        let all = ['a', 'b', 'c'];
        for set in 0..8 {
            let given = members(&all, set);
            assert!(given.is_sorted());
            assert_eq!(bits(&all, &given), set);
        }
        assert_eq!(bits(&all, &['c', 'a']), 5);
        assert_eq!((flag_bits(&[]), flags(None)), (None, Vec::new()));
        assert_eq!(flags(flag_bits(&Flag::ALL)), Flag::ALL);
    }
}
