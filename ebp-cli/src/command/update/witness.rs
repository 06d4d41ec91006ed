//! What of a device works, as its services' sockets say and this process finds.

use std::{path::Path, time::Duration};

use ebp_core::clock::{Clock, SystemClock};
use ebp_device::{
    config::DeviceConfig,
    self_test::reaches_server,
    socket::{self, ask},
};
use ebp_fleet::tunnel::local;
use ebp_update::{Observation, Witness, is_between_readings};
use jiff::Timestamp;

/// How long an answer is waited for.
const WAIT: Duration = Duration::from_secs(5);
/// A meter or a report works that was there within two cycles and this.
const SLACK: Duration = Duration::from_secs(120);

/// The services of a device, seen from outside.
#[derive(Debug)]
pub struct DeviceWitness {
    config: DeviceConfig,
}

impl DeviceWitness {
    pub const fn new(config: DeviceConfig) -> Self {
        Self { config }
    }

    fn status(&self) -> Option<socket::Status> {
        let path = self.config.socket.as_deref()?;
        match ask(path, &socket::Request::Status {}, WAIT) {
            Ok(socket::Answer::Status(status)) => Some(*status),
            Ok(_) => None,
            Err(error) => {
                tracing::debug!("{}: {error}", path.display());
                None
            }
        }
    }

    fn tunnel(&self) -> Option<local::Status> {
        let tunnel = self.config.tunnel.as_ref().filter(|tunnel| tunnel.enabled)?;
        let path: &Path = tunnel.socket.as_deref()?;
        match ask(path, &local::Request::Status {}, WAIT) {
            Ok(local::Answer::Status(status)) => Some(status),
            _ => None,
        }
    }
}

/// Whether it was lately, for what happens once in each cycle.
fn is_recent(at: Timestamp, cycle: Duration) -> bool {
    let age = SystemClock.now().duration_since(at).unsigned_abs();
    age <= cycle.saturating_mul(2).saturating_add(SLACK)
}

impl Witness for DeviceWitness {
    fn observe(&mut self) -> Observation {
        let tunnel = self.tunnel().map(|status| status.connected_since.is_some());
        let Some(status) = self.status() else {
            return Observation { tunnel, ..Observation::default() };
        };
        let (measured, reported) =
            (self.config.cycle.measurement.duration(), self.config.cycle.report.duration());
        let meter = |meter: &socket::MeterStatus| {
            let works = meter.measured_at.is_some_and(|at| is_recent(at, measured));
            (meter.meter, (meter.measured_at, works))
        };
        let acknowledged = status.acknowledged.map(|report| (report.at, report.version));
        Observation {
            meters: status.meters.iter().map(meter).collect(),
            reports: acknowledged.as_ref().is_some_and(|(at, _)| is_recent(*at, reported)),
            acknowledged,
            tunnel,
            revoked: status.consent.as_deref() == Some("revoked"),
        }
    }

    fn reaches_server(&mut self) -> bool {
        reaches_server(&self.config)
    }

    fn is_good_moment(&mut self) -> bool {
        let is_used = self.tunnel().is_some_and(|status| !status.connected.is_empty());
        !is_used && is_between_readings(self.config.cycle.measurement, SystemClock.now())
    }
}
