//! One readout of a meter after the other: each adds to what is known of it, and gives its figures.

use ebp_core::obis::ObisCode;

use super::{
    Figure, KnownRegisters, Pinned, Source,
    choice::{choose, phase_of, tariffs_of},
    chosen::{EXPORT, IMPORT},
};
use crate::readout::{Readout, Value};

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
            let is_negative = matches!(entry.value, Value::Integer(value) if value < 0);
            match entry.obis.0 {
                [1, _, 1, 7, 0, 0 | 255] => self.signed_power |= is_negative,
                [1, _, quantity, 7, 0, 255] => {
                    if let Some((kind, phase)) = phase_of(quantity) {
                        self.phases[kind] |= 1 << phase;
                        self.signed_phases |= kind == 1 && is_negative;
                    }
                }
                _ => {}
            }
        }
    }
}
