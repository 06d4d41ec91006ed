//! Which devices this server told that consent is revoked, and since when.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// How long a device may take to notice that consent is revoked and to stop.
const STOPS_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// Devices that are remembered, at most.
const REMEMBERED: usize = 10_000;

/// Since when devices know that consent is revoked, as far as this server told them. It is not
/// stored: it would say when consent was revoked.
#[derive(Debug, Default)]
pub(crate) struct RevocationNotices(Mutex<HashMap<Uuid, Notice>>);

/// What is remembered of a device.
#[derive(Debug, Clone, Copy)]
enum Notice {
    /// It was told then.
    At(Timestamp),
    /// It is noted that it does not stop.
    Noted,
}

impl RevocationNotices {
    /// Remembers that a device was told; true the first time that this was so a day ago.
    pub(crate) fn tell(&self, device: Uuid, now: Timestamp) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= REMEMBERED && !told.contains_key(&device) {
            return false;
        }
        let known = told.entry(device).or_insert(Notice::At(now));
        match *known {
            Notice::At(at) if now.duration_since(at) >= STOPS_WITHIN => {
                *known = Notice::Noted;
                true
            }
            Notice::At(_) | Notice::Noted => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_asks_a_day_later_does_not_stop() {
        let told = RevocationNotices::default();
        let at = |hours| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours);
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let asked = [(one, 0), (one, 23), (other, 23), (one, 24), (one, 25), (other, 46)];
        let noted = asked.map(|(device, hours)| told.tell(device, at(hours)));
        assert_eq!(noted, [false, false, false, true, false, false]);
    }
}
