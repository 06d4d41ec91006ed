//! Which devices this server tells that consent is revoked, and for how long they have been told so.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use ebp_store::STOPS_WITHIN_HOURS;
use jiff::Timestamp;
use uuid::Uuid;

/// Devices that are remembered, at most.
const REMEMBERED: usize = 10_000;

/// How long devices have been told that consent is revoked. Stored is a number of hours, from which a
/// server goes on after its start: the instant would say when consent was revoked. A restart costs less
/// than an hour of the device's day, and hours in which no server ran are not counted.
#[derive(Debug, Default)]
pub(crate) struct RevocationNotices(Mutex<HashMap<Uuid, Notice>>);

/// What is remembered of a device.
#[derive(Debug, Clone, Copy)]
struct Notice {
    /// When this server told it first.
    since: Timestamp,
    /// For how many hours it had been told by then.
    before: u8,
    /// The hours that are stored.
    stored: u8,
}

/// What is to be done for a device that is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoticeStep {
    /// This server has not told it yet: [`RevocationNotices::begin`] needs the hours that are stored.
    First,
    /// So many hours are to be stored.
    Hours(u8),
    /// Nothing.
    Nothing,
}

impl RevocationNotices {
    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Notice>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note that a device is told.
    pub(crate) fn tell(&self, device: Uuid, now: Timestamp) -> NoticeStep {
        let mut notices = self.lock();
        let is_full = notices.len() >= REMEMBERED;
        let Some(notice) = notices.get_mut(&device) else {
            return if is_full { NoticeStep::Nothing } else { NoticeStep::First };
        };
        let passed = now.duration_since(notice.since).as_hours();
        let hours = passed.saturating_add(notice.before.into()).min(STOPS_WITHIN_HOURS.into());
        match u8::try_from(hours) {
            Ok(hours) if hours > notice.stored => {
                notice.stored = hours;
                NoticeStep::Hours(hours)
            }
            _ => NoticeStep::Nothing,
        }
    }

    /// Goes on from the hours that are stored.
    pub(crate) fn begin(&self, device: Uuid, stored: u8, now: Timestamp) {
        let notice = Notice { since: now, before: stored, stored };
        self.lock().entry(device).or_insert(notice);
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    #[test]
    fn hours_are_counted_and_go_on_after_a_restart() {
        let (before, device) = (RevocationNotices::default(), Uuid::from_u128(1));
        assert_eq!(before.tell(device, at(0)), NoticeStep::First);
        before.begin(device, 0, at(0));
        assert_eq!(before.tell(device, at(59)), NoticeStep::Nothing);
        assert_eq!(before.tell(device, at(60)), NoticeStep::Hours(1));
        assert_eq!(before.tell(device, at(61)), NoticeStep::Nothing);
        assert_eq!(before.tell(device, at(20 * 60)), NoticeStep::Hours(20));
        let after = RevocationNotices::default();
        assert_eq!(after.tell(device, at(20 * 60 + 30)), NoticeStep::First);
        after.begin(device, 20, at(20 * 60 + 30));
        assert_eq!(after.tell(device, at(21 * 60)), NoticeStep::Nothing);
        assert_eq!(after.tell(device, at(24 * 60 + 30)), NoticeStep::Hours(24));
        assert_eq!(after.tell(device, at(99 * 60)), NoticeStep::Nothing);
    }

    #[test]
    fn a_clock_that_is_set_back_counts_nothing() {
        let (notices, device) = (RevocationNotices::default(), Uuid::from_u128(1));
        notices.begin(device, 3, at(600));
        assert_eq!(notices.tell(device, at(0)), NoticeStep::Nothing);
        assert_eq!(notices.tell(device, at(660)), NoticeStep::Hours(4));
    }
}
