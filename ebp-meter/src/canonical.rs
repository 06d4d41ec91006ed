//! Chooses the register for each of the survey's five quantities (thesis table 4.5).
//!
//! Enters: a readout, what its meter has shown before. Leaves: [`Figure`]s under the survey's codes,
//! exact, each with the register that it is from. Absent: the readout itself, which stays as it is;
//! judgements on a value.
//!
//! Most meters send `1-0:1.8.0*255` and the like, and there is nothing to choose. Others number
//! their channels, write the present value as storage 0, send tariffs or phases without a total, or
//! give power a sign under a code that has none. For each quantity the first of these counts:
//!
//! | rule | energy 1.8.0, 2.8.0 | power 1.7.0, 2.7.0 | power 16.7.0 |
//! |---|---|---|---|
//! | pinned | what the model's profile names | likewise | likewise |
//! | own | channel 0, storage 255 | likewise | likewise |
//! | channel | the only other channel (up to 64) with storage 255, where no second one has that energy | the only other channel with storage 255 | likewise |
//! | total 255 | tariff 255 in place of 0 (Hager eHZ) | | |
//! | storage 0 | the only one, where no energy has storage 255: elsewhere it is an empty history slot | the same, where no power has storage 255 | likewise |
//! | sign | | 1.7.0 of a meter that gives it a sign is no 1.7.0 | 15.7.0 whose direction is known; 1.7.0 with a sign |
//! | sum | all tariffs | 21, 41, 61.7.0, where no other power is there | likewise 36, 56, 76.7.0; 21, 41, 61.7.0 with signs, or less 22, 42, 62.7.0 |
//!
//! Sums need every tariff or phase that the meter ever sent ([`KnownRegisters`]), so that one which
//! stays away once, or is named without a number, is no smaller sum.

mod choice;
mod chosen;
mod figure;
mod known;
mod one_meter;
mod power;
mod seen;

use ebp_core::model::MeasurementData;

pub use choice::{Pinned, choose};
pub use chosen::Choices;
pub use figure::{Figure, Source};
pub use known::KnownRegisters;
pub use one_meter::MeterFigures;
pub(crate) use power::is_power;

use crate::readout::Readout;

impl Readout {
    /// The survey's values (thesis table 4.5) by the registers that count for them, as this
    /// telegram alone shows them.
    #[must_use]
    pub fn figures(&self) -> Vec<Figure> {
        choose(self, &KnownRegisters::default(), &Pinned::new()).figures(self)
    }

    /// The same as a measurement carries them: kWh and kW, exactly, in the order of the table.
    #[must_use]
    pub fn survey(&self) -> MeasurementData {
        self.figures().iter().map(Figure::point).collect()
    }
}

#[cfg(test)]
mod tests;
