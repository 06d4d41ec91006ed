//! The configured meters with their models' profiles.

use std::sync::Arc;

use ebp_meter::{
    aggregator::ConfiguredMeter,
    interface::read_options,
    profile::Profiles,
    session::{AnswerSpeed, ReadOptions},
};

use crate::config::{DeviceConfig, MeterEntry};

/// The meters of a configuration, in its order. One whose model is unknown is read without a
/// profile.
#[must_use]
pub fn configured(config: &DeviceConfig, profiles: &Profiles) -> Vec<ConfiguredMeter> {
    config.meters.iter().map(|entry| meter(entry, profiles)).collect()
}

fn meter(entry: &MeterEntry, profiles: &Profiles) -> ConfiguredMeter {
    let profile = profiles.get(&entry.model).ok().cloned();
    let known = profile.as_ref().map(read_options).unwrap_or_default();
    let options = match (entry.protocol, entry.baud) {
        (None, None) => known,
        (protocol, baud) => {
            ReadOptions { protocol, baud, speed: AnswerSpeed::asked(baud), ..known }
        }
    };
    let options = ReadOptions { address: entry.address.or(known.address), ..options };
    ConfiguredMeter {
        profile: profile.map(Arc::new),
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
