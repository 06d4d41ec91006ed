//! Counts as people read them: `1 meter`, `2 meters`.
//!
//! Enters: a number and a noun. Leaves: the number followed by the noun in singular or plural.
//! Absent: languages other than English.

use std::fmt::Display;

/// `1 meter`, `2 meters`. The noun is one whose plural ends in `s`.
pub fn counted<N: Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    let plural = if count == N::from(1) { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// `1 entry`, `2 entries`: for irregular plurals and for phrases with a verb. The caller gives both
/// forms.
pub fn counted_as<N: Display + PartialEq + From<u8>>(count: N, one: &str, many: &str) -> String {
    let noun = if count == N::from(1) { one } else { many };
    format!("{count} {noun}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one_and_all_else_are_many() {
        assert_eq!(counted(1_usize, "meter"), "1 meter");
        assert_eq!(counted(0_u64, "meter"), "0 meters");
        assert_eq!(counted(2_u32, "meter"), "2 meters");
        assert_eq!(counted_as(1_u64, "entry", "entries"), "1 entry");
        assert_eq!(counted_as(0_u64, "entry", "entries"), "0 entries");
    }
}
