//! A model that this program can drive.

use std::fmt;

use super::{Environment, MeterInterface, Model, SessionMeter, Site};
use crate::{port::PortError, readout::Readout};

/// A model that this program can drive: what is known of it, and how one of its meters is taken up.
///
/// Implement it for a model that speaks in a way of its own; models that speak SML or IEC 62056-21 need
/// a profile only.
pub trait Driver: fmt::Debug + Send + Sync {
    /// What is known of the model. The same each time.
    fn model(&self) -> &Model;

    /// Takes up a meter of that model. It may open the port, and sends nothing that unlocks the meter
    /// or changes it.
    ///
    /// # Errors
    /// Those of opening the port.
    fn open(
        &self,
        site: &Site,
        environment: &Environment,
    ) -> Result<Box<dyn MeterInterface>, PortError>;

    /// How well telegrams fit a meter of this model, of a hundred; nothing where they are certainly
    /// not of one, such as those of another maker or in another language.
    fn fit(&self, readouts: &[Readout]) -> Option<u8>;
}

/// The factory: takes up a meter of that driver's model, or one of which no model is known, which is
/// read in whatever language it turns out to speak.
///
/// # Errors
/// Those of opening the port.
pub fn open(
    driver: Option<&dyn Driver>,
    site: &Site,
    environment: &Environment,
) -> Result<Box<dyn MeterInterface>, PortError> {
    match driver {
        Some(driver) => driver.open(site, environment),
        None => Ok(Box::new(SessionMeter::unknown(site, environment)?)),
    }
}
