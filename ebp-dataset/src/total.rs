//! What a meter's registers grew by since its first reading: by this roles are assigned.

use serde::{Deserialize, Serialize};

use crate::{
    energy::Energy,
    quarter::{Quarter, RegisterQuarter},
};

/// A register's growth, over the segments that are known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Growth {
    /// Segment and value of the last boundary.
    last: Option<(u32, Energy)>,
    grown: Option<Energy>,
}

impl Growth {
    fn push(&mut self, quarter: &RegisterQuarter) {
        for boundary in [quarter.start, quarter.end].into_iter().flatten() {
            let more = match self.last {
                Some((segment, value)) if segment == boundary.segment => boundary.value - value,
                _ => Energy::ZERO,
            };
            self.grown = Some(self.grown.unwrap_or_default() + more);
            self.last = Some((boundary.segment, boundary.value));
        }
    }
}

/// What both registers of a meter grew by. It can be written down (serde) between two quarter hours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    import: Growth,
    export: Growth,
}

impl Total {
    /// Takes in the next quarter hour.
    pub fn push(&mut self, quarter: &Quarter) {
        self.import.push(&quarter.import);
        self.export.push(&quarter.export);
    }

    /// What 1.8.0 grew by; nothing where it was never shown.
    #[must_use]
    pub const fn import(&self) -> Option<Energy> {
        self.import.grown
    }

    /// What 2.8.0 grew by; nothing where it was never shown.
    #[must_use]
    pub const fn export(&self) -> Option<Energy> {
        self.export.grown
    }
}
