//! The Data API as a device's report cycle uses it.

use jiff::Timestamp;
use uuid::Uuid;

use super::upload::Upload;
use ebp_client::{Client, ClientError};
use ebp_core::{
    contract::{Consent, DeviceStatus},
    model::{Incident, IncidentType},
};

/// The Data API, or a test's substitute.
///
/// A server guarantees, in addition to the guarantees of [`Upload`]: reporting an incident that is
/// open, resolving one that has ended, and sending the same status again change nothing.
pub trait DataApi: Upload {
    /// The household's consent.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem.
    fn consent(&self) -> Result<Consent, ClientError>;

    /// The meter's incidents, open and ended ones.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem.
    fn incidents(&self, meter: Uuid) -> Result<Vec<Incident>, ClientError>;

    /// Opens an incident that began at that time, or now.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem. The
    /// incident may be open if the answer was lost.
    fn report_incident(
        &self,
        meter: Uuid,
        kind: IncidentType,
        at: Option<Timestamp>,
    ) -> Result<(), ClientError>;

    /// Ends an incident: it lasted until then, or until now.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem. The
    /// incident may have ended if the answer was lost.
    fn resolve_incident(
        &self,
        meter: Uuid,
        kind: IncidentType,
        at: Option<Timestamp>,
    ) -> Result<(), ClientError>;

    /// Tells how the device is.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem. It may
    /// have stored the status if its answer was lost.
    fn report_status(&self, status: &DeviceStatus) -> Result<(), ClientError>;
}

impl DataApi for Client {
    fn consent(&self) -> Result<Consent, ClientError> {
        Self::consent(self)
    }

    fn incidents(&self, meter: Uuid) -> Result<Vec<Incident>, ClientError> {
        Self::incidents(self, meter)
    }

    fn report_incident(
        &self,
        meter: Uuid,
        kind: IncidentType,
        at: Option<Timestamp>,
    ) -> Result<(), ClientError> {
        Self::report_incident(self, meter, kind, at).map(drop)
    }

    fn resolve_incident(
        &self,
        meter: Uuid,
        kind: IncidentType,
        at: Option<Timestamp>,
    ) -> Result<(), ClientError> {
        Self::resolve_incident(self, meter, kind, at).map(drop)
    }

    fn report_status(&self, status: &DeviceStatus) -> Result<(), ClientError> {
        Self::report_status(self, status)
    }
}
