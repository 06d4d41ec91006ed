//! Conversion and checks of a device's status, for both stores.

use ebp_core::contract::{
    ClockState, Components, DeviceHealth, DeviceStatus, HostKey, Notice, Reception, SpoolFigures,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{Faults, StoreError, set};

/// A device's status, as it is shown.
#[derive(Debug, Default)]
pub struct StoredStatus {
    /// Its components.
    pub components: Components,
    /// Its health.
    pub health: Option<DeviceHealth>,
}

/// Checks the status of a device that reads those meters.
///
/// # Errors
/// Returns [`StoreError::Registration`] with every fault.
pub fn check(status: &DeviceStatus, read: &[Uuid]) -> Result<(), StoreError> {
    let mut faults = Faults::against_schema(status);
    for fault in status.faults() {
        faults.check(false, fault.pointer, &fault.detail);
    }
    for (i, meter) in status.meters.iter().enumerate() {
        let own = read.contains(&meter.meter);
        faults.check(own, format!("/meters/{i}/meter"), "must be one that this device reads");
    }
    faults.none_or_all()
}

/// Host keys as databases keep them: one a line, none as NULL.
pub fn stored_keys(keys: &[HostKey]) -> Option<String> {
    let lines: Vec<&str> = keys.iter().map(HostKey::as_str).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The same back; what is no key is left out.
pub fn host_keys(stored: Option<String>) -> Vec<HostKey> {
    stored.iter().flat_map(|lines| lines.lines()).filter_map(|line| line.parse().ok()).collect()
}

/// A count as databases keep it; [`check`] has bounded it.
pub fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The columns of a status, in the order of both schemas.
pub struct StatusRow {
    /// When it was reported.
    pub reported_at: Timestamp,
    /// The clock's state by name.
    pub clock: Option<String>,
    /// Pending, refused, unplaced, bytes.
    pub spool: [Option<i64>; 4],
    /// Bits.
    pub notices: i16,
}

impl StatusRow {
    /// The health, without meters.
    pub fn health(self) -> Result<DeviceHealth, StoreError> {
        let clock = self.clock.map(|name| ClockState::named(&name).ok_or(DAMAGED)).transpose()?;
        let spool = match self.spool {
            [Some(pending), Some(refused), Some(unplaced), Some(bytes)] => Some(SpoolFigures {
                pending: pending.unsigned_abs(),
                refused: refused.unsigned_abs(),
                unplaced: unplaced.unsigned_abs(),
                bytes: bytes.unsigned_abs(),
            }),
            _ => None,
        };
        let notices = set::members(&Notice::ALL, self.notices);
        let Self { reported_at, .. } = self;
        Ok(DeviceHealth { reported_at, clock, spool, meters: Vec::new(), notices })
    }
}

const DAMAGED: StoreError = StoreError::Damaged("device status");

/// How well a meter is read, from what is stored: telegrams and damaged ones, the last and before.
pub fn reception(meter: Uuid, last: (i64, i64), before: (Option<i64>, Option<i64>)) -> Reception {
    let (telegrams, damaged) = (last.0.unsigned_abs(), last.1.unsigned_abs());
    let share = |(telegrams, damaged): (i64, i64)| {
        Reception::share(telegrams.unsigned_abs(), damaged.unsigned_abs())
    };
    Reception {
        meter,
        telegrams,
        damaged,
        damaged_share: share(last),
        damaged_share_before: before.0.zip(before.1).and_then(share),
    }
}
