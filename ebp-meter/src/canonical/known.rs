//! The registers that a meter has sent so far: the tariffs and phases that a sum needs, and whether
//! its power has a sign.
//!
//! Enters: what telegrams show. Leaves: what is known of the meter. Absent: what follows for a
//! value.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What one meter has shown so far. A caller who reads a meter again and again keeps one for it,
/// and starts again when another meter sends.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KnownRegisters {
    /// The tariffs of 1.8 and 2.8 that were ever there, a bit each.
    pub(super) tariffs: [u64; 2],
    /// The phases of 36, 56, 76.7.0; of 21, 41, 61.7.0; of 22, 42, 62.7.0, a bit each.
    pub(super) phases: [u8; 3],
    /// 1.7.0 was negative once: it is the sum with its sign.
    pub(super) signed_power: bool,
    /// One of 21, 41, 61.7.0 was negative once.
    pub(super) signed_phases: bool,
    /// What the last telegram showed, where it had no checksum.
    pub(super) unproven: Shown,
    /// The last sums of tariffs, which never fall, kWh, and their decimals.
    #[serde(skip)]
    pub(super) sums: [Option<(Decimal, u32)>; 2],
    /// Sums that are lower than those, of the last telegram that had one.
    pub(super) lower: [Option<Decimal>; 2],
}

/// What a single telegram shows, in the form of [`KnownRegisters`].
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Shown {
    pub tariffs: [u64; 2],
    pub phases: [u8; 3],
    pub signed_power: bool,
    pub signed_phases: bool,
}

impl KnownRegisters {
    /// Takes into account what is believed.
    pub(super) fn learn(&mut self, shown: &Shown) {
        self.tariffs.iter_mut().zip(shown.tariffs).for_each(|(known, new)| *known |= new);
        self.phases.iter_mut().zip(shown.phases).for_each(|(known, new)| *known |= new);
        self.signed_power |= shown.signed_power;
        self.signed_phases |= shown.signed_phases;
    }
}

impl Shown {
    /// What both show.
    pub(super) fn common(&self, other: &Self) -> Self {
        Self {
            tariffs: [0, 1].map(|at| self.tariffs[at] & other.tariffs[at]),
            phases: [0, 1, 2].map(|at| self.phases[at] & other.phases[at]),
            signed_power: self.signed_power && other.signed_power,
            signed_phases: self.signed_phases && other.signed_phases,
        }
    }
}
