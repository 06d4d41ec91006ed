//! Whether administrators may connect: what the device's file says, and what its household chose.

use jiff::Timestamp;

use crate::tunnel::TunnelAccess;

/// What the household chose at the device's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    /// Nothing: the configuration's own.
    #[default]
    None,
    /// On until then; off if that has passed.
    Until(Timestamp),
}

/// Whether a session may begin or go on.
pub(super) fn permits(access: TunnelAccess, choice: Choice, now: Timestamp) -> bool {
    match (access, choice) {
        (TunnelAccess::Never, _) | (TunnelAccess::UntilSwitchedOn, Choice::None) => false,
        (TunnelAccess::Always, Choice::None) => true,
        (_, Choice::Until(end)) => now < end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_household_has_the_last_word_but_for_never() {
        let now: Timestamp = "2026-11-30T12:00:00Z".parse().unwrap();
        let (past, future) =
            (Choice::Until(now), Choice::Until("2026-11-30T12:00:01Z".parse().unwrap()));
        let rows = [
            (TunnelAccess::Always, [true, false, true]),
            (TunnelAccess::UntilSwitchedOn, [false, false, true]),
            (TunnelAccess::Never, [false, false, false]),
        ];
        for (access, expected) in rows {
            let found = [Choice::None, past, future].map(|choice| permits(access, choice, now));
            assert_eq!(found, expected, "{access:?}");
        }
    }
}
