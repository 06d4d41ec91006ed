//! One readout of a meter after the other: each adds to what is known of it, and gives its figures.

use ebp_core::{model::DataPoint, obis::ObisCode};

use super::{
    Figure, KnownRegisters, Pinned, Source,
    choice::choose,
    chosen::{EXPORT, IMPORT},
};
use crate::readout::Readout;

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
}
