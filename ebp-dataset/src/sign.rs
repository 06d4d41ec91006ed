//! Whether a meter's power has the sign that its registers say.

use serde::{Deserialize, Serialize};

use crate::{energy::Energy, quarter::Quarter};

/// Compares the power of each quarter hour with what was drawn and fed in. It is an instant's value:
/// it shows a direction, never an energy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignCheck {
    quarters: u64,
    opposite: u64,
}

impl SignCheck {
    /// Half a kilowatt: less says nothing of a direction.
    const CLEAR: i64 = Energy::KILOWATT_HOUR.0 / 2;

    /// Takes in a quarter hour.
    pub fn push(&mut self, quarter: &Quarter) {
        let (import, export) = (quarter.import.interval().energy, quarter.export.interval().energy);
        let (Some(import), Some(export), Some(power)) = (import, export, quarter.power) else {
            return;
        };
        self.quarters += 1;
        let mean = (import - export).0.saturating_mul(4);
        let is_clear = mean.saturating_abs() > Self::CLEAR && power.saturating_abs() > Self::CLEAR;
        self.opposite += u64::from(is_clear && (mean < 0) != (power < 0));
    }

    /// Whether the signs are opposite in more than 5 % of the quarter hours.
    #[must_use]
    pub const fn is_suspect(&self) -> bool {
        self.opposite.saturating_mul(20) > self.quarters
    }
}
