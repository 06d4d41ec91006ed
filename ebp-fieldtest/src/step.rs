//! What a step of a device's daemons had to tell.

use ebp_device::{
    device::{Certificate, DeviceError},
    spool::SpoolError,
};
use ebp_meter::aggregator::{Event, Permission};
use jiff::Timestamp;

/// What a step has to tell.
pub type Events = Vec<(Option<usize>, Event<SpoolError>)>;

/// What a daemon's step did.
#[derive(Default)]
pub struct Stepped {
    /// Of the measuring one.
    pub events: Events,
    /// Whether it heard an answer about consent, and which.
    pub permission: Option<Permission>,
    /// Whether one of them has received a revocation.
    pub is_revoked: bool,
    /// What else is worth a line.
    pub lines: Vec<String>,
    /// A measurement's time became known.
    pub placed: u64,
    /// Until when the device's certificate is valid, where it is another one now.
    pub certificate: Option<Timestamp>,
    /// How often a spool was opened again.
    pub reopened: u64,
}

impl Stepped {
    /// Records the result for the device's certificate.
    pub fn hear_certificate(&mut self, certificate: Result<Certificate, DeviceError>) {
        match certificate {
            Ok(Certificate::Unchanged) => {}
            Ok(Certificate::Changed { until, .. }) => self.certificate = Some(until),
            Err(error) => self.lines.push(format!("the certificate is not renewed: {error}")),
        }
    }
}
