//! A meter as this device is configured to read it.
//!
//! Enters: what the configuration says. Leaves: [`ConfiguredMeter`]. Absent: its PIN, which is read
//! from its file when it is needed.

use std::{num::NonZeroU16, path::PathBuf, sync::Arc, time::Duration};

use rust_decimal::Decimal;
use uuid::Uuid;

use super::plausible::DEFAULT_MAX_KILOWATTS;
use crate::{
    canonical::Pinned,
    interface::{self, Driver, Environment, MeterInterface, Model, Site},
    lock::{Facts, KnownMeter, Lock},
    port::{PortError, PortName},
    profile::{self, RelockBehaviour},
    readout::Readout,
    session::ReadOptions,
    unlock::Method,
};

/// Phases of a meter of which nobody says how many it has.
const MOST_PHASES: u8 = 3;

/// A meter as this device is configured to read it.
#[derive(Debug, Clone)]
pub struct ConfiguredMeter {
    /// Its identifier in the survey.
    pub uuid: Uuid,
    /// What drives its model; nothing where the model is not known, and how it speaks is found out.
    pub driver: Option<Arc<dyn Driver>>,
    /// Where its reading head is.
    pub port: PortName,
    /// Its protocol and speed, where they are known.
    pub options: ReadOptions,
    /// The file with its PIN.
    pub pin_file: Option<PathBuf>,
    /// The presses to `InF` behind the PIN that its owner has counted.
    pub inf_presses: Option<u8>,
    /// How light is made.
    pub method: Method,
    /// Whether the head shines while the line is idle.
    pub inverted: bool,
    /// Whether the head's USB device may be reset.
    pub reset_usb: bool,
    /// The maximum current of each phase as its face says, amperes: a model comes in several.
    pub max_current_a: Option<NonZeroU16>,
}

impl ConfiguredMeter {
    /// One of which nothing else is known.
    #[must_use]
    pub fn new(uuid: Uuid, port: PortName) -> Self {
        Self {
            uuid,
            driver: None,
            port,
            options: ReadOptions::default(),
            pin_file: None,
            inf_presses: None,
            method: Method::Auto,
            inverted: false,
            reset_usb: false,
            max_current_a: None,
        }
    }

    /// What is known of its model.
    #[must_use]
    pub fn model(&self) -> Option<&Model> {
        self.driver.as_deref().map(Driver::model)
    }

    /// Takes the meter up at its head, as known by those options.
    ///
    /// # Errors
    /// Those of opening its port.
    pub fn open(
        &self,
        read: ReadOptions,
        environment: &Environment,
    ) -> Result<Box<dyn MeterInterface>, PortError> {
        let Self { port, method, inverted, .. } = self.clone();
        interface::open(self.driver.as_deref(), &Site { port, read, method, inverted }, environment)
    }

    /// What it holds back, by a telegram of its own.
    #[must_use]
    pub fn lock(&self, readout: &Readout) -> Lock {
        let model = self.model();
        let facts = Facts::from_readouts(std::slice::from_ref(readout));
        Lock::from_facts(facts, KnownMeter { maker_is_known: model.is_some(), model })
    }

    /// What of its model counts for the survey's codes.
    #[must_use]
    pub fn pinned(&self) -> &Pinned {
        static NOTHING: Pinned = Pinned::new();
        self.model().map_or(&NOTHING, |model| &model.counts)
    }

    /// The most that it carries, kW.
    #[must_use]
    pub fn max_kilowatts(&self) -> Decimal {
        let limits = self.model().and_then(|model| model.limits.as_ref());
        match (self.max_current_a, limits) {
            (Some(current), limits) => {
                profile::max_kilowatts(current.get(), limits.map_or(MOST_PHASES, |l| l.phases))
            }
            (None, Some(limits)) => limits.max_kilowatts(),
            (None, None) => DEFAULT_MAX_KILOWATTS,
        }
    }

    /// Whether it has a lock and its PIN is known.
    #[must_use]
    pub fn can_unlock(&self) -> bool {
        self.pin_file.is_some() && self.unlocking().is_some()
    }

    /// Whether it must be asked for each telegram, as far as that is known.
    pub(super) fn is_asked(&self) -> bool {
        self.model().is_some_and(|model| model.is_asked)
    }

    /// How long unlocking takes at most; nothing for models that are not unlocked.
    #[must_use]
    pub fn unlocking(&self) -> Option<Duration> {
        Some(self.model()?.pin?.takes)
    }

    /// How long what the PIN opens stays open.
    #[must_use]
    pub fn stays_open(&self) -> Option<Duration> {
        Some(self.model()?.pin?.stays_open)
    }

    /// What keeps its detail, as far as its model or its owner can promise.
    pub(super) fn relock(&self) -> Option<RelockBehaviour> {
        let sourced = self.model()?.relock?;
        Some(if self.inf_presses.is_some() { RelockBehaviour::Permanent } else { sourced })
    }

    /// From one press to the next, where presses keep it unlocked.
    pub(super) fn press_every(&self) -> Option<Duration> {
        self.model().map(|model| model.press_every)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::Registry;

    #[test]
    fn what_a_meters_face_says_goes_before_its_models_range() {
        let named = |model: &str| {
            let driver = Registry::embedded().driver(model).unwrap().clone();
            let port = "/dev/ttyUSB0".parse().unwrap();
            let mut meter = ConfiguredMeter::new(Uuid::nil(), port);
            meter.driver = Some(driver);
            meter
        };
        let mut meter = named("EASY");
        assert_eq!(meter.max_kilowatts().to_string(), "75.900");
        meter.max_current_a = NonZeroU16::new(60);
        assert_eq!(meter.max_kilowatts().to_string(), "45.540");
        // Of this one's range nobody says anything.
        let mut meter = named("MT175");
        assert_eq!(meter.max_kilowatts(), DEFAULT_MAX_KILOWATTS);
        meter.max_current_a = NonZeroU16::new(63);
        assert_eq!(meter.max_kilowatts().to_string(), "47.817");
    }
}
