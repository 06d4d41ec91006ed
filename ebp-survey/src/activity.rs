//! When devices spoke and reported, noted at most once a minute: a note is a write.

use ebp_core::scope::{Scope, Scopes};
use ebp_store::DeviceActivity;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::{Survey, revocation_notices::NoticeStep};

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
        let (notices, now) = (self.revocation_notices(), self.clock().now());
        let noted = match notices.tell(device, now) {
            NoticeStep::Nothing => Ok(()),
            NoticeStep::Hours(hours) => self.store().note_told_hours(device, hours).await,
            NoticeStep::First => match self.store().told_hours(device).await {
                Ok(hours) => {
                    notices.begin(device, hours, now);
                    Ok(())
                }
                Err(error) => Err(error),
            },
        };
        if let Err(error) = noted {
            tracing::warn!(%error, "it is not noted for how long a device speaks on");
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
