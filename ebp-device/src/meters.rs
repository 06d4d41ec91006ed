//! The configured meters with their models' drivers.

use std::sync::Arc;

use ebp_meter::{
    aggregator::ConfiguredMeter,
    identify::{Identity, Listening, identify_meter},
    interface::{Environment, ReadError, Registry},
    session::{AnswerSpeed, ReadOptions},
};
use uuid::Uuid;

use crate::config::{DeviceConfig, MeterEntry};

/// Why a meter of a device was not identified.
#[derive(Debug, thiserror::Error)]
pub enum IdentifyError {
    /// The configuration has no meter with that identifier.
    #[error("this device reads no meter {0}")]
    UnknownMeter(Uuid),
    /// The meter gave no telegram.
    #[error("meter {meter}: {source}")]
    Read {
        /// Which.
        meter: Uuid,
        /// Why.
        source: ReadError,
    },
}

/// The meters of a configuration, in its order. One whose model is not in the registry is read without
/// anything known of it.
#[must_use]
pub fn configured(config: &DeviceConfig, registry: &Registry) -> Vec<ConfiguredMeter> {
    config.meters.iter().map(|entry| meter(entry, registry)).collect()
}

/// Listens to a configured meter and says which it is: its maker, the models of the registry that fit,
/// what it holds back. The meter stays as it is, and nothing that it measures is kept or given on.
/// While a daemon reads that meter its port is taken.
///
/// # Errors
/// [`IdentifyError::UnknownMeter`] for a meter that is not configured, [`IdentifyError::Read`] when it
/// cannot be read.
pub fn identify(
    config: &DeviceConfig,
    meter: Uuid,
    registry: &Registry,
    environment: &Environment,
) -> Result<Identity, IdentifyError> {
    let entry = config.meters.iter().find(|entry| entry.uuid == meter);
    let configured = self::meter(entry.ok_or(IdentifyError::UnknownMeter(meter))?, registry);
    let unread = |source| IdentifyError::Read { meter, source };
    let mut interface =
        configured.open(configured.options, environment).map_err(|error| unread(error.into()))?;
    identify_meter(registry, &mut *interface, Listening::default(), environment).map_err(unread)
}

fn meter(entry: &MeterEntry, registry: &Registry) -> ConfiguredMeter {
    let driver = registry.driver(&entry.model).ok().map(Arc::clone);
    let known = driver.as_ref().map(|driver| driver.model().read).unwrap_or_default();
    let options = match (entry.protocol, entry.baud) {
        (None, None) => known,
        (protocol, baud) => {
            ReadOptions { protocol, baud, speed: AnswerSpeed::asked(baud), ..known }
        }
    };
    let options = ReadOptions { address: entry.address.or(known.address), ..options };
    ConfiguredMeter {
        driver,
        options,
        pin_file: entry.pin_file.clone(),
        inf_presses: entry.inf_presses,
        method: entry.light,
        inverted: entry.inverted,
        reset_usb: entry.reset_usb,
        max_current_a: entry.max_current_a,
        ..ConfiguredMeter::new(entry.uuid, entry.port.clone())
    }
}
