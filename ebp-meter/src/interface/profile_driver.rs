//! Models that are driven by their profiles.

use std::{collections::BTreeSet, sync::Arc};

use ebp_core::obis::ObisCode;

use super::{Driver, Environment, MeterInterface, Model, SessionMeter, Site};
use crate::{
    port::PortError,
    profile::Profile,
    readout::{Protocol, Readout},
};

/// A model that its profile drives.
#[derive(Debug)]
pub struct ProfileDriver {
    profile: Arc<Profile>,
    model: Arc<Model>,
}

impl ProfileDriver {
    /// The driver of that profile's model.
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        Self { model: Arc::new(Model::from_profile(&profile)), profile: Arc::new(profile) }
    }
}

impl Driver for ProfileDriver {
    fn model(&self) -> &Model {
        &self.model
    }

    fn open(
        &self,
        site: &Site,
        environment: &Environment,
    ) -> Result<Box<dyn MeterInterface>, PortError> {
        let known = (Arc::clone(&self.profile), Arc::clone(&self.model));
        Ok(Box::new(SessionMeter::for_profile(known, site, environment)?))
    }

    /// How many of a hundred registers of model and telegrams are in both, locked or unlocked.
    fn fit(&self, readouts: &[Readout]) -> Option<u8> {
        let protocol = readouts.first()?.protocol;
        let flag = readouts.iter().find_map(|readout| readout.manufacturer)?;
        let is_own = self.profile.flag.as_str().eq_ignore_ascii_case(&flag)
            && self.profile.line.protocol.protocol() == protocol;
        let sent: BTreeSet<ObisCode> =
            readouts.iter().flat_map(|readout| &readout.entries).map(|entry| entry.obis).collect();
        let fit = |locked| -> u8 {
            let registers = self.profile.registers(locked).iter();
            let own: BTreeSet<ObisCode> =
                registers.map(|register| as_decoded(register.obis, protocol)).collect();
            let (both, either) = (own.intersection(&sent).count(), own.union(&sent).count());
            u8::try_from(both * 100 / either.max(1)).unwrap_or(100)
        };
        is_own.then(|| fit(false).max(fit(true)))
    }
}

/// The ASCII decoder reads the tariff 255 of a power as 0, as EasyMeter's later versions write it.
const fn as_decoded(obis: ObisCode, protocol: Protocol) -> ObisCode {
    match (protocol, obis.0) {
        (Protocol::D0, [a, b, c, 7, 255, f]) => ObisCode([a, b, c, 7, 0, f]),
        _ => obis,
    }
}
