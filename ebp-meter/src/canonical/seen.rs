//! One readout of a meter after the other: each adds to what is known of it, and gives its figures.

use ebp_core::{model::DataPoint, obis::ObisCode};

use super::{
    Figure, KnownRegisters, Pinned, Source,
    choice::{choose, phase_of, tariffs_of},
    chosen::{EXPORT, IMPORT},
    known::Shown,
};
use crate::readout::{Integrity, Readout, Value};

impl KnownRegisters {
    /// Takes a readout of the meter into account and gives its figures, in the order of
    /// [`ObisCode::SURVEY`]. A sum of tariffs never falls: one that is smaller only because its
    /// registers are cut off now is held, and any other is left out, until two readouts running
    /// have such a sum.
    pub fn figures(&mut self, readout: &Readout, pinned: &Pinned) -> Vec<Figure> {
        self.figures_after(&[], readout, pinned)
    }

    /// The same, going on from the meter's last values that were stored where no sum is known yet.
    pub(crate) fn figures_after(
        &mut self,
        stored: &[DataPoint],
        readout: &Readout,
        pinned: &Pinned,
    ) -> Vec<Figure> {
        self.see(readout);
        let mut figures = choose(readout, self, pinned).figures(readout);
        figures.retain_mut(|figure| {
            let at = match (figure.obis, &figure.source) {
                (ObisCode::POSITIVE_ENERGY, Source::Sum(..)) => IMPORT,
                (ObisCode::NEGATIVE_ENERGY, Source::Sum(..)) => EXPORT,
                _ => return true,
            };
            let lower = self.lower[at].take();
            let stored = stored.iter().find(|point| point.obis == figure.obis);
            let before = self.sums[at].or(stored.map(|point| (point.value, point.value.scale())));
            let goes_on = before.is_none_or(|(before, places)| figure.follow(before, places));
            // What was believed may have been the damaged one.
            if !goes_on && !lower.is_some_and(|lower| figure.follow(lower, lower.scale())) {
                self.lower[at] = Some(figure.value);
                return false;
            }
            let places = figure.places.unwrap_or_default();
            self.sums[at] = Some((figure.value, places));
            true
        });
        figures
    }

    /// Remembers what the readout shows. Without a checksum a single damaged character would name a
    /// tariff that the meter has not, or give power a sign, for good: then two telegrams running
    /// have to show it.
    fn see(&mut self, readout: &Readout) {
        let now = shown_by(readout);
        let before = std::mem::take(&mut self.unproven);
        match readout.integrity {
            Integrity::Ok | Integrity::Salvaged => self.learn(&now),
            Integrity::Unchecked => {
                self.learn(&now.common(&before));
                self.unproven = now;
            }
        }
    }
}

/// What a single readout shows.
fn shown_by(readout: &Readout) -> Shown {
    let tariffs = [1, 2].map(|quantity| tariffs_of(readout, quantity));
    let mut shown = Shown { tariffs, ..Shown::default() };
    for entry in &readout.entries {
        let is_negative = matches!(entry.value, Value::Integer(value) if value < 0);
        match entry.obis.0 {
            [1, _, 1, 7, 0, 0 | 255] => shown.signed_power |= is_negative,
            [1, _, quantity, 7, 0, 255] => {
                if let Some((kind, phase)) = phase_of(quantity) {
                    shown.phases[kind] |= 1 << phase;
                    shown.signed_phases |= kind == 1 && is_negative;
                }
            }
            _ => {}
        }
    }
    shown
}
