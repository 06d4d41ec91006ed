//! Which meter speaks, and whether it is locked.
//!
//! Enters: telegrams of one meter, the known models. Leaves: [`Identity`]: maker, models that fit,
//! lock. Absent: what its owner is told to do.
//!
//! A telegram does not name the model. What it has is the maker's letters and a set of registers, so
//! that the models of that maker can be put in order by how well their registers fit.

use std::{sync::Arc, time::Duration};

use serde::Serialize;

pub use crate::maker::maker_name;
use crate::{
    interface::{self, Driver, Environment, MeterInterface, Model, ReadError, Registry},
    lock::{Facts, KnownMeter, Lock},
    profile::FlagId,
    readout::Readout,
};

/// Below this, of a hundred, a model's registers are those of another, and it decides nothing.
pub const FITS: u8 = 50;

/// A model that may be the one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// Its name.
    pub model: String,
    /// How many of a hundred registers of model and telegram are in both.
    pub fit: u8,
}

/// What is known of the meter that sent some telegrams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// The maker's FLAG id.
    pub flag: Option<String>,
    /// The maker's name.
    pub maker: Option<String>,
    /// The models that may be the one, best first. None where the maker's models are not known.
    pub models: Vec<Candidate>,
    /// Its lock.
    pub lock: Lock,
}

/// Identifies the meter that sent those telegrams; `None` without any.
///
/// Give a few telegrams: some meters put their identity and their power in every other.
#[must_use]
pub fn identify(registry: &Registry, readouts: &[Readout]) -> Option<Identity> {
    if readouts.is_empty() {
        return None;
    }
    let flag: Option<FlagId> = readouts.iter().find_map(|readout| readout.manufacturer);
    let fit = |driver: &Arc<dyn Driver>| driver.fit(readouts);
    let mut fitting: Vec<(u8, &Model)> =
        registry.iter().filter_map(|driver| Some((fit(driver)?, driver.model()))).collect();
    fitting.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.name.cmp(&y.name)));
    let model = fitting.first().filter(|(fit, _)| *fit >= FITS).map(|(_, model)| *model);
    let named = flag.as_deref().and_then(maker_name);
    let maker_is_known = named.is_some() || !fitting.is_empty();
    let lock =
        Lock::from_facts(Facts::from_readouts(readouts), KnownMeter { maker_is_known, model });
    let of_model = || fitting.first().map(|(_, model)| model.maker.clone());
    let maker = named.map(str::to_owned).or_else(of_model);
    let models = fitting
        .into_iter()
        .map(|(fit, model)| Candidate { model: model.name.clone(), fit })
        .collect();
    Some(Identity { flag: flag.map(|flag| flag.to_string()), maker, models, lock })
}

/// How many telegrams are listened to, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listening {
    /// So many telegrams.
    pub telegrams: usize,
    /// How long the first may take.
    pub first: Duration,
    /// How long each further one may take.
    pub further: Duration,
}

impl Default for Listening {
    /// Three telegrams: some meters put identity and power in every other.
    fn default() -> Self {
        Self { telegrams: 3, first: Duration::from_secs(30), further: Duration::from_secs(5) }
    }
}

/// Listens to a meter, and says which it is. The meter stays as it is: nothing unlocks it.
///
/// # Errors
/// [`ReadError`] when no telegram came.
pub fn identify_meter(
    registry: &Registry,
    meter: &mut dyn MeterInterface,
    listening: Listening,
    environment: &Environment,
) -> Result<Identity, ReadError> {
    let mut readouts = vec![interface::read(meter, listening.first, environment)?];
    while readouts.len() < listening.telegrams {
        match interface::read(meter, listening.further, environment) {
            Ok(readout) => readouts.push(readout),
            Err(ReadError::Stopped) => return Err(ReadError::Stopped),
            // What came is enough to say something.
            Err(_) => break,
        }
    }
    identify(registry, &readouts).ok_or(ReadError::Silent { waited: listening.first })
}
