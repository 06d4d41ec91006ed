//! What a meter has shown so far: the tariffs and phases that a sum needs, and whether its power
//! has a sign.

use ebp_core::obis::ObisCode;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{
    EXPORT, Figure, IMPORT, Pinned, Source,
    choice::{choose, phase_of, tariffs_of},
};
use crate::readout::{Readout, Value};

/// What one meter has shown so far. A caller who reads a meter again and again keeps one for it,
/// and begins anew where another meter speaks.
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
    sums: [Option<Decimal>; 2],
}

impl KnownRegisters {
    /// Takes a readout of the meter into account and gives its figures, in the order of
    /// [`ObisCode::SURVEY`]. A sum of tariffs that is smaller than the one before is left out.
    pub fn figures(&mut self, readout: &Readout, pinned: &Pinned) -> Vec<Figure> {
        self.see(readout);
        let mut figures = choose(readout, self, pinned).figures(readout);
        figures.retain(|figure| {
            let at = match figure.obis {
                ObisCode::POSITIVE_ENERGY => IMPORT,
                ObisCode::NEGATIVE_ENERGY => EXPORT,
                _ => return true,
            };
            if self.sums[at].is_some_and(|before| figure.falls_below(before)) {
                return false;
            }
            if matches!(figure.source, Source::Sum(..)) {
                self.sums[at] = Some(figure.value);
            }
            true
        });
        figures
    }

    /// Remembers what the readout shows.
    fn see(&mut self, readout: &Readout) {
        for (tariffs, quantity) in self.tariffs.iter_mut().zip([1, 2]) {
            *tariffs |= tariffs_of(readout, quantity);
        }
        for entry in &readout.entries {
            let Value::Integer(value) = entry.value else { continue };
            match entry.obis.0 {
                [1, _, 1, 7, 0, 0 | 255] => self.signed_power |= value < 0,
                [1, 0, quantity, 7, 0, 255] => {
                    if let Some((kind, phase)) = phase_of(quantity) {
                        self.phases[kind] |= 1 << phase;
                        self.signed_phases |= kind == 1 && value < 0;
                    }
                }
                _ => {}
            }
        }
    }
}
