//! A past that a program makes for households of its own: devices without faults but those that were
//! planned, stepped by the field test's clock.
//!
//! Enters: devices, an instant. Leaves: devices as they are then. Absent: what happens to households.
//!
//! The caller owns server and clock, and lets time pass in pieces: between two of them it does
//! whatever happens to the households.

use anyhow::{Context, Result};
use jiff::Timestamp;

use crate::{device::Device, server::TrueClock};

/// Lets time pass for those devices until `to`, which is not part of it. Their server is at `url` and
/// has that clock.
///
/// # Errors
/// Where something fails that no planned fault explains.
pub fn pass(devices: &mut [Device], clock: &TrueClock, url: &str, to: Timestamp) -> Result<()> {
    while let Some(now) = devices.iter().map(Device::next).min().filter(|now| *now < to) {
        clock.set(now);
        for device in devices.iter_mut().filter(|device| device.next() <= now) {
            device.live(now, url).with_context(|| format!("device {} at {now}", device.uuid))?;
        }
    }
    clock.set(to);
    Ok(())
}
