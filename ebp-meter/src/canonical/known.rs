//! The registers that a meter has sent so far: the tariffs and phases that a sum needs, and whether
//! its power has a sign.

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
    /// The last sums of tariffs, which never fall, kWh.
    #[serde(skip)]
    pub(super) sums: [Option<Decimal>; 2],
}
