//! When devices spoke and reported, noted at most once a minute: a note is a write.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use ebp_core::scope::{Scope, Scopes};
use ebp_store::DeviceActivity;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::Survey;

/// How long a device may take to notice that consent is revoked and to stop.
const STOPS_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// Devices that are remembered, at most.
const REMEMBERED: usize = 10_000;

/// Since when devices know that consent is revoked, as far as this server told them. It is not
/// stored: it would say when consent was revoked.
#[derive(Debug, Default)]
pub(crate) struct ToldDevices(Mutex<HashMap<Uuid, Told>>);

/// What is remembered of a device.
#[derive(Debug, Clone, Copy)]
enum Told {
    /// It was told then.
    At(Timestamp),
    /// It is noted that it does not stop.
    Noted,
}

impl ToldDevices {
    /// Remembers that a device was told; true the first time that this was so a day ago.
    fn tell(&self, device: Uuid, now: Timestamp) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= REMEMBERED && !told.contains_key(&device) {
            return false;
        }
        let known = told.entry(device).or_insert(Told::At(now));
        match *known {
            Told::At(at) if now.duration_since(at) >= STOPS_WITHIN => {
                *known = Told::Noted;
                true
            }
            Told::At(_) | Told::Noted => false,
        }
    }
}

/// How often a device's activity is noted, at most.
const NOTE_EVERY: SignedDuration = SignedDuration::from_mins(1);

impl Survey {
    /// Notes that a device spoke, if its identity may send measurements: requests of the page that
    /// shows a household its data do not mean that the device measures. A failure only costs the
    /// note.
    pub async fn note_activity(&self, device: DeviceActivity, scopes: &Scopes) {
        let now = self.clock().now();
        if !scopes.contains(Scope::MeasurementWrite) || is_fresh(device.last_activity, now) {
            return;
        }
        if let Err(error) = self.store().touch_device(device.uuid, now).await {
            tracing::warn!(%error, "a device's activity is not noted");
        }
    }

    /// Notes that a device is told that consent is revoked: one that asks still a day later does not
    /// stop, which the fleet shows. A failure only costs the note.
    pub async fn note_told(&self, device: Uuid) {
        if !self.told_devices().tell(device, self.clock().now()) {
            return;
        }
        if let Err(error) = self.store().note_speaks_on(device).await {
            tracing::warn!(%error, "it is not noted that a device speaks on");
        }
    }

    /// Notes that a device sent measurements. A failure only costs the note.
    pub async fn note_report(&self, device: DeviceActivity) {
        let now = self.clock().now();
        if is_fresh(device.last_report, now) {
            return;
        }
        if let Err(error) = self.store().note_report(device.uuid, now).await {
            tracing::warn!(%error, "a device's report is not noted");
        }
    }
}

/// Whether an instant is noted well enough. One that is still to come is of a wrong clock.
fn is_fresh(noted: Option<Timestamp>, now: Timestamp) -> bool {
    noted.is_some_and(|noted| noted <= now && now.duration_since(noted) < NOTE_EVERY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_asks_a_day_later_does_not_stop() {
        let told = ToldDevices::default();
        let at = |hours| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours);
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let asked = [(one, 0), (one, 23), (other, 23), (one, 24), (one, 25), (other, 46)];
        let noted = asked.map(|(device, hours)| told.tell(device, at(hours)));
        assert_eq!(noted, [false, false, false, true, false, false]);
    }
}
