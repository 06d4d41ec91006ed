//! The device's status, read from its spool.

use ebp_core::model::IncidentType;

use super::message::{MeterStatus, Status};
use crate::{
    config::{DeviceConfig, MeterEntry},
    device::Device,
    spool::{Spool, SpoolError},
    transmitter,
};

/// The number of measurements shown.
const MOST_SHOWN: usize = 100;

/// The status of each configured meter, in the configuration's order.
///
/// # Errors
/// Returns [`SpoolError`] if the spool cannot be read.
pub fn meters(config: &DeviceConfig, spool: &Spool) -> Result<Vec<MeterStatus>, SpoolError> {
    let telegrams = spool.telegrams()?;
    let meter = |entry: &MeterEntry| -> Result<MeterStatus, SpoolError> {
        let last = spool.last_reading(entry.uuid)?;
        let mut incidents = Vec::new();
        for kind in IncidentType::ALL {
            if spool.has_incident(entry.uuid, kind)? {
                incidents.push(kind);
            }
        }
        let heard = telegrams.iter().find(|(meter, _)| *meter == entry.uuid);
        let heard = heard.map(|(_, heard)| *heard).unwrap_or_default();
        Ok(MeterStatus {
            meter: entry.uuid,
            model: entry.model.clone(),
            measured_at: last.as_ref().map(|last| last.measured_at),
            data: last.map(|last| last.data).unwrap_or_default(),
            incidents,
            good_telegrams: heard.good,
            damaged_telegrams: heard.damaged,
        })
    };
    config.meters.iter().map(meter).collect()
}

/// The device's status now.
///
/// # Errors
/// Returns [`SpoolError`] if the spool cannot be read.
pub fn status(device: &Device) -> Result<Status, SpoolError> {
    let spool = &device.spool;
    let consent = spool.consent()?;
    Ok(Status {
        consent: consent.map(|known| known.state.name().to_owned()),
        consent_as_of: consent.map(|known| known.as_of),
        knows_the_time: spool.knows_the_time(&*device.clock)?,
        pending: spool.len()?,
        unplaced: spool.unplaced_len()?,
        refused: spool.refused_len()?,
        newest: spool.newest(MOST_SHOWN)?,
        meters: meters(&device.config, spool)?,
        components: spool.components()?,
        acknowledged: transmitter::acknowledged(spool)?,
    })
}
