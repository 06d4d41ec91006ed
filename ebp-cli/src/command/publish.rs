//! Outputs for the household's own tools: started, fed, and what they say of themselves.
//!
//! Enters: outputs of the command line or of a device's configuration, readings. Leaves: a message for
//! each failure and when it is over. Absent: the outputs, which are in [`ebp_publish`].

pub mod arguments;

use ebp_device::{config::MeterEntry, device::Device, socket::HeardTelegram};
use ebp_publish::{Meter, Notice, PublishConfig, Publisher, Reading};

use crate::{
    exit::{Failure, publish::explain},
    tell::tell,
};

/// Starts the outputs.
pub fn start(config: &PublishConfig, meters: &[Meter]) -> Result<Publisher, Failure> {
    Publisher::start(config, meters, hear).map_err(explain)
}

/// Says a failure once, and when it is over.
fn hear(notice: Notice) {
    match notice {
        Notice::Failed(output, error) => tell!("ebp: {output}: {}", explain(error)),
        Notice::Works(output) => tell!("ebp: {output}: publishing"),
    }
}

/// The outputs of a device's configuration.
pub struct DeviceOutputs {
    publisher: Publisher,
    meters: Vec<Meter>,
}

impl DeviceOutputs {
    /// Starts them, if there are any. What the spool remembers of each meter is taken as published.
    pub fn start(device: &Device) -> Result<Option<Self>, Failure> {
        let config = device.config.publish();
        if config.is_empty() {
            return Ok(None);
        }
        let meter = |entry: &MeterEntry| Meter::new(entry.uuid, Some(entry.model.clone()));
        let meters: Vec<Meter> = device.config.meters.iter().map(meter).collect();
        let mut publisher = start(&config, &meters)?;
        for meter in &meters {
            // A spool that cannot be read is reported by measuring.
            if let Ok(Some(last)) = device.spool.last_reading(meter.uuid) {
                publisher.remember(meter, &Reading::from_data(last.measured_at, &last.data));
            }
        }
        Ok(Some(Self { publisher, meters }))
    }

    /// Offers what a meter sent.
    pub fn hear(&mut self, meter: usize, telegram: &HeardTelegram) {
        if let Some(meter) = self.meters.get(meter) {
            let reading = Reading::from_data(telegram.at.at, &telegram.data);
            self.publisher.offer(meter, &reading, telegram.at.since_boot);
        }
    }
}
