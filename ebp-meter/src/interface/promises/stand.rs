//! A meter that was put up for the suite, and what can be seen on the meter's own side.

use std::{any::Any, sync::Arc, time::Duration};

use ebp_core::clock::DeviceClock;

use crate::{
    interface::{Driver, Environment, MeterInterface, Site, read},
    readout::Readout,
    unlock::{MeterKey, Pin, UnlockError, UnlockOptions, Unlocked},
};

/// How a meter is when it is put up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// It shows all that it can.
    Open,
    /// It holds its details back, where its model has a lock.
    Locked,
    /// It says nothing, as behind a head that fell off.
    Silent,
}

/// The PINs of a meter with a lock.
#[derive(Debug, Clone, Copy)]
pub struct Pins {
    /// The right one.
    pub right: &'static str,
    /// A wrong one of as many digits.
    pub wrong: &'static str,
}

/// A meter, and all that its interface needs.
pub struct Stand {
    /// What drives it.
    pub driver: Arc<dyn Driver>,
    /// Where it is.
    pub site: Site,
    /// What its interface works with. Its tries are empty, and its stop flag is not raised.
    pub environment: Environment,
    /// The device's clocks, in the environment's time.
    pub clock: Arc<dyn DeviceClock>,
    /// Its PINs; nothing for a model without a lock.
    pub pins: Option<Pins>,
    /// How much has reached it that is a press or a key to it.
    pub keys: Box<dyn Fn() -> u64>,
    /// How many wrong PINs it has counted itself.
    pub wrong_pins: Box<dyn Fn() -> u64>,
    /// What has to live as long as the meter: its thread, its folder.
    pub keep: Box<dyn Any>,
}

/// How a first telegram is waited for.
pub(super) const TELEGRAM: Duration = Duration::from_secs(60);

impl Stand {
    pub(super) fn open(&self) -> Box<dyn MeterInterface> {
        self.driver
            .open(&self.site, &self.environment)
            .unwrap_or_else(|error| panic!("the meter is not taken up: {error}"))
    }

    pub(super) fn name(&self) -> &str {
        &self.driver.model().name
    }

    /// Unlocks with one try, and waits where the meter needs rest.
    pub(super) fn unlock(&self, pin: &str) -> Result<Unlocked, UnlockError> {
        self.unlock_with(&mut *self.open(), pin)
    }

    pub(super) fn unlock_with(
        &self,
        meter: &mut dyn MeterInterface,
        pin: &str,
    ) -> Result<Unlocked, UnlockError> {
        let options = UnlockOptions { slower: false, ..UnlockOptions::default() };
        meter.enable_detailed_readout(&parsed(pin), &options, &mut |_| {})
    }

    pub(super) fn telegram(&self, meter: &mut dyn MeterInterface) -> Readout {
        read(meter, TELEGRAM, &self.environment)
            .unwrap_or_else(|error| panic!("{} gives no telegram: {error}", self.name()))
    }

    /// How many wrong tries are remembered of the meter that sends such telegrams.
    pub(super) fn tries(&self, readout: &Readout) -> u8 {
        let key = MeterKey::new(readout.server_id.as_ref(), &self.site.port);
        let tries = self.environment.tries.get(&key);
        let known = tries.unwrap_or_else(|error| panic!("the tries cannot be read: {error}"));
        known.map_or(0, |known| known.wrong)
    }
}

pub(super) fn parsed(pin: &str) -> Pin {
    pin.parse().unwrap_or_else(|error| panic!("no PIN: {error}"))
}
