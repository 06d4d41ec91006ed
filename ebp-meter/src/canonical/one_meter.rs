//! The figures of one meter, telegram after telegram.

use ebp_core::model::MeasurementData;

use super::{Figure, KnownRegisters, Pinned};
use crate::readout::{Readout, ServerId};

/// Chooses a meter's figures by what it has shown before, and begins anew when another meter sends.
#[derive(Debug, Clone, Default)]
pub struct MeterFigures {
    pinned: Pinned,
    known: KnownRegisters,
    server_id: Option<ServerId>,
}

impl MeterFigures {
    /// For meters of a model whose profile names the registers to use.
    #[must_use]
    pub fn new(pinned: Pinned) -> Self {
        Self { pinned, ..Self::default() }
    }

    /// The survey's values in its next telegram.
    pub fn figures(&mut self, readout: &Readout) -> Vec<Figure> {
        if let Some(id) = &readout.server_id
            && self.server_id.as_ref() != Some(id)
        {
            self.known = KnownRegisters::default();
            self.server_id = Some(id.clone());
        }
        self.known.figures(readout, &self.pinned)
    }

    /// The same as a measurement carries them.
    pub fn data(&mut self, readout: &Readout) -> MeasurementData {
        self.figures(readout).iter().map(Figure::point).collect()
    }
}
