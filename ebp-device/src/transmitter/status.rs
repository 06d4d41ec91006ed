//! The device's status, compiled from the spool.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    error_source::ErrorSource,
    host_keys::host_keys,
    spool::{Spool, SpoolError, Telegrams},
};
use ebp_core::{
    clock::DeviceClock,
    contract::{ClockState, DeviceStatus, MeterTelegrams, Notice, SpoolFigures, limits},
};

/// An unchanged status is reported again after this time.
const DAILY: SignedDuration = SignedDuration::from_hours(24);

/// The status that was last reported, without values that change all the time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReportedStatus {
    pub at: Timestamp,
    pub essence: String,
}

impl ReportedStatus {
    /// Whether the other should be reported now.
    pub(super) fn is_outdated_by(&self, now: &Self) -> bool {
        // If the clock was set back, a day would take longer.
        self.essence != now.essence || now.at < self.at || now.at.duration_since(self.at) >= DAILY
    }
}

/// The status of a device that reads those meters. Of any other, such as one that was exchanged, the
/// server takes nothing. With a folder of host keys it tells those, too, and with a source of errors
/// their groups.
pub(super) fn collect(
    spool: &Spool,
    clock: &dyn DeviceClock,
    meters: &[Uuid],
    host_folder: Option<&Path>,
    errors: Option<&ErrorSource>,
) -> Result<DeviceStatus, SpoolError> {
    let clock =
        if clock.synchronised() { ClockState::Synchronised } else { ClockState::Unsynchronised };
    let count = |count: u64| count.min(limits::STATUS_COUNT);
    let figures = SpoolFigures {
        pending: count(spool.len()?),
        refused: count(spool.refused_len()?),
        unplaced: count(spool.unplaced_len()?),
        bytes: count(spool.bytes_on_disk()),
    };
    let is_read = |(meter, _): &(Uuid, Telegrams)| meters.contains(meter);
    let meters = spool.telegrams()?.into_iter().filter(is_read).take(limits::STATUS_METERS);
    let meters = meters.map(|(meter, Telegrams { good, damaged })| MeterTelegrams {
        meter,
        telegrams: count(good.saturating_add(damaged)),
        damaged: count(damaged),
    });
    let mut notices: Vec<Notice> = spool.notices()?.iter().map(|noted| noted.notice).collect();
    notices.sort_unstable();
    Ok(DeviceStatus {
        components: spool.components()?,
        clock: Some(clock),
        spool: Some(figures),
        meters: meters.collect(),
        notices,
        host_keys: host_folder.map(host_keys).unwrap_or_default(),
        errors: errors.map(ErrorSource::groups).unwrap_or_default(),
    })
}

/// What of a status is worth telling at once when it changes.
pub(super) fn essence(status: &DeviceStatus) -> String {
    let DeviceStatus { components, clock, spool, notices, host_keys, errors, .. } = status;
    let spool = spool.map(|SpoolFigures { refused, unplaced, .. }| (refused, unplaced));
    let clock = clock.map(ClockState::name);
    // That there is another group, not that one occurred again.
    let mut errors: Vec<&str> = errors.iter().map(|group| &*group.fingerprint).collect();
    errors.sort_unstable();
    serde_json::to_string(&(components, clock, spool, notices, host_keys, errors))
        .unwrap_or_default()
}

/// Records that it was reported.
pub(super) fn mark_told(spool: &Spool, status: &DeviceStatus) -> Result<(), SpoolError> {
    let counts: Vec<_> = status
        .meters
        .iter()
        .map(|count| {
            let good = count.telegrams.saturating_sub(count.damaged);
            (count.meter, Telegrams { good, damaged: count.damaged })
        })
        .collect();
    spool.telegrams_told(&counts)?;
    spool.notices_told(&status.notices)
}
