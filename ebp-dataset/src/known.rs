//! The known part of a household's energy over a stretch that is not known as a whole: one that lasts
//! still, that begins before the first reading, or in which a meter was exchanged.
//!
//! It is the sum over those intervals between given instants at whose ends all needed registers are
//! known. Where they are known at both ends of the stretch, it is the energy of the stretch.

use crate::{
    balance::Balance,
    boundary::{Boundary, Interval, interval},
    flag::Quality,
    role::Roles,
};

/// A meter's registers at an instant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Registers {
    /// 1.8.0.
    pub import: Option<Boundary>,
    /// 2.8.0.
    pub export: Option<Boundary>,
}

/// Which energies have to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What is drawn.
    Import,
    /// What is fed in.
    Export,
    /// What is generated.
    Generation,
    /// All of them, so that what the household consumes is known.
    Whole,
}

impl Part {
    fn is_known(self, balance: &Balance) -> bool {
        let quality = match self {
            Self::Import => balance.import.quality,
            Self::Export => balance.export.quality,
            Self::Generation => balance.generation.quality,
            Self::Whole => balance.quality(),
        };
        quality == Quality::Measured
    }
}

/// Adds up the known part of a household's energy.
#[derive(Debug, Clone)]
pub struct KnownPart {
    roles: Roles,
    part: Part,
    last: Option<(i64, Vec<Registers>)>,
    sum: Option<Balance>,
}

impl KnownPart {
    /// Of nothing yet.
    #[must_use]
    pub const fn new(roles: Roles, part: Part) -> Self {
        Self { roles, part, last: None, sum: None }
    }

    /// Takes in the registers at the next instant, in the order that the roles were assigned in.
    pub fn push(&mut self, at: i64, meters: &[Registers]) {
        if let Some((from, before)) = &self.last {
            let balance = self.between((*from, at), before, meters);
            if self.part.is_known(&balance) {
                self.sum = Some(self.sum.map_or(balance, |sum| plus(&sum, &balance)));
                self.last = Some((at, meters.to_vec()));
                return;
            }
        }
        // Where the needed registers are known, but are other ones than before, it begins anew.
        if self.part.is_known(&self.between((at, at.saturating_add(1)), meters, meters)) {
            self.last = Some((at, meters.to_vec()));
        }
    }

    /// The sum, without bounds; of it only the part is meant that has to be known. Nothing where none
    /// is known.
    #[must_use]
    pub fn sum(self) -> Option<Balance> {
        self.sum
    }

    fn between(&self, ends: (i64, i64), from: &[Registers], to: &[Registers]) -> Balance {
        let energies: Vec<_> = from
            .iter()
            .zip(to)
            .map(|(from, to)| {
                let import = interval(from.import.as_ref(), to.import.as_ref());
                (import, interval(from.export.as_ref(), to.export.as_ref()))
            })
            .collect();
        Balance::new(&self.roles, ends, &energies)
    }
}

fn plus(a: &Balance, b: &Balance) -> Balance {
    let plus = |a: Interval, b: Interval| Interval {
        energy: a.energy.zip(b.energy).map(|(a, b)| a + b),
        bounds: None,
        quality: a.quality.max(b.quality),
    };
    Balance {
        import: plus(a.import, b.import),
        export: plus(a.export, b.export),
        generation: plus(a.generation, b.generation),
        consumption: plus(a.consumption, b.consumption),
        self_consumption: plus(a.self_consumption, b.self_consumption),
        balance_violated: a.balance_violated || b.balance_violated,
    }
}
