//! Endpoints 11 to 13: a meter's incidents.

use jiff::Timestamp;
use reqwest::Method;
use uuid::Uuid;

use crate::{Client, ClientError};
use ebp_core::{
    contract::{IncidentRequest, paths},
    model::{Incident, IncidentType},
};

impl Client {
    /// Endpoint 11: the meter's incidents, open and ended ones.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status
    /// 404 if the household has no such meter.
    pub fn incidents(&self, meter: Uuid) -> Result<Vec<Incident>, ClientError> {
        self.get(&paths::incidents_of(meter))
    }

    /// Endpoint 12: opens the incident, from `at` on or from now; an open one is not changed.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status
    /// 404 if the household has no such meter.
    pub fn report_incident(
        &self,
        meter: Uuid,
        kind: IncidentType,
        at: Option<Timestamp>,
    ) -> Result<Incident, ClientError> {
        self.change_incident(meter, IncidentRequest { kind, at }, "report")
    }

    /// Endpoint 13: ends the incident, at `at` or now; an ended one is not changed.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status
    /// 404 if it never was reported.
    pub fn resolve_incident(
        &self,
        meter: Uuid,
        kind: IncidentType,
        at: Option<Timestamp>,
    ) -> Result<Incident, ClientError> {
        self.change_incident(meter, IncidentRequest { kind, at }, "resolve")
    }

    fn change_incident(
        &self,
        meter: Uuid,
        incident: IncidentRequest,
        what: &str,
    ) -> Result<Incident, ClientError> {
        let path = format!("{}/{what}", paths::incidents_of(meter));
        let request = self.request(Method::POST, &path).json(&incident);
        self.answer(&path, request)
    }
}
