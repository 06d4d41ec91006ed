//! A virtual meter's energy registers, counted without rounding.

use serde::{Deserialize, Serialize};

/// Microjoules of a watt-hour.
const MICROJOULES_PER_WATT_HOUR: u64 = 3_600_000_000;

/// What the registers have counted, exactly: power in milliwatts times milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Energies {
    /// Energy drawn (1.8.0), microjoules.
    pub import_microjoules: u64,
    /// Energy fed in (2.8.0), microjoules.
    pub export_microjoules: u64,
}

impl Energies {
    /// Registers that stand at so many watt-hours; `None` beyond some five gigawatt-hours.
    #[must_use]
    pub fn from_watt_hours(import: u64, export: u64) -> Option<Self> {
        Some(Self {
            import_microjoules: import.checked_mul(MICROJOULES_PER_WATT_HOUR)?,
            export_microjoules: export.checked_mul(MICROJOULES_PER_WATT_HOUR)?,
        })
    }

    /// Counts a power of so many milliwatts, draw positive, for so many milliseconds.
    pub(super) fn count(&mut self, milliwatts: i64, milliseconds: u64) {
        let register = if milliwatts < 0 {
            &mut self.export_microjoules
        } else {
            &mut self.import_microjoules
        };
        // A register at its end stands still rather than running backwards.
        *register = register.saturating_add(milliwatts.unsigned_abs().saturating_mul(milliseconds));
    }
}
