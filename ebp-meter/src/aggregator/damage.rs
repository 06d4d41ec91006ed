//! An early warning of a slipping head: the rate of damaged telegrams.
//!
//! Enters: how many telegrams were good and damaged. Leaves: when to warn, and when it is over.
//! Absent: the total counts, which the keeper stores.

use super::Heard;

/// The rate, per cent, at which a warning is given once.
const HIGH: u32 = 10;
/// The rate below which the warning ends.
const LOW: u32 = 5;
/// The minimum number of telegrams.
const ENOUGH: u32 = 20;
/// The half-life of the rate, in telegrams.
const WINDOW: u32 = 200;

/// The recent rate.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Damage {
    heard: Heard,
    high: bool,
}

/// A change of the warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The rate has become high: this many per cent.
    High(u32),
    /// It is low again.
    Low,
}

impl Damage {
    pub fn count(&mut self, more: Heard) -> Option<Verdict> {
        let Heard { good, damaged } = &mut self.heard;
        *good = good.saturating_add(more.good);
        *damaged = damaged.saturating_add(more.damaged);
        while good.saturating_add(*damaged) > WINDOW {
            (*good, *damaged) = (*good / 2, *damaged / 2);
        }
        let all = *good + *damaged;
        if all < ENOUGH {
            return None;
        }
        let percent = *damaged * 100 / all;
        match self.high {
            false if percent >= HIGH => {
                self.high = true;
                Some(Verdict::High(percent))
            }
            true if percent < LOW => {
                self.high = false;
                Some(Verdict::Low)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_once_and_when_it_is_over() {
        let mut damage = Damage::default();
        let mut said = Vec::new();
        for round in 0..400 {
            let damaged = u32::from((50..150).contains(&round) && round % 2 == 0);
            said.extend(damage.count(Heard { good: 2 - damaged, damaged }));
        }
        assert!(matches!(said[..], [Verdict::High(10..), Verdict::Low]), "{said:?}");
        // A single one among few means nothing.
        assert_eq!(Damage::default().count(Heard { good: 0, damaged: 5 }), None);
    }
}
