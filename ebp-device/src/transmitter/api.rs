//! The Data API as a device's report cycle uses it.

use jiff::Timestamp;
use uuid::Uuid;

use super::upload::Upload;
use ebp_client::{Client, ClientError};
use ebp_core::{
    contract::{Consent, DeviceStatus},
    model::{Incident, IncidentType},
};

/// The Data API, or a test's imitation of it.
///
/// A server keeps these promises, beyond those of [`Upload`]: reporting an incident that is open and
/// resolving one that has ended change nothing, and the same status told again changes nothing.
pub trait DataApi: Upload {
    /// The household's consent.
    ///
    /// # Errors
    /// [`ClientError`].
    fn consent(&self) -> Result<Consent, ClientError>;

    /// The meter's incidents, open and ended ones.
    ///
    /// # Errors
    /// [`ClientError`].
    fn incidents(&self, meter: Uuid) -> Result<Vec<Incident>, ClientError>;

    /// Opens an incident that began at that time, or now.
    ///
    /// # Errors
    /// [`ClientError`]; it may be open nevertheless.
    fn report_incident(
        &self,
        meter: Uuid,
        kind: IncidentType,
        at: Option<Timestamp>,
    ) -> Result<(), ClientError>;

    /// Ends an incident: it lasted until then, or until now.
    ///
    /// # Errors
    /// [`ClientError`]; it may have ended nevertheless.
    fn resolve_incident(
        &self,
        meter: Uuid,
        kind: IncidentType,
        at: Option<Timestamp>,
    ) -> Result<(), ClientError>;

    /// Tells how the device is.
    ///
    /// # Errors
    /// [`ClientError`]; the server may know it nevertheless.
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
