//! The paths of the Data API (thesis tables 4.2 and 4.6).

/// Endpoint 1.
pub const ACCOUNT: &str = "/account";
/// Endpoint 2.
pub const HOUSEHOLD: &str = "/household";
/// Endpoints 3 and 4, and reading the consent.
pub const CONSENT: &str = "/household/consent";
/// Endpoint 5.
pub const MEASUREMENT_DEVICE: &str = "/household/measurement_device";
/// A device's status.
pub const DEVICE_STATUS: &str = "/household/measurement_device/status";
/// Endpoint 6.
pub const METER: &str = "/household/meter";
/// Endpoint 7, with the meter's uuid for `{uuid}`.
pub const METER_MEASUREMENT: &str = "/household/meter/{uuid}/measurement";
/// Endpoint 8.
pub const MEASUREMENT: &str = "/household/meter/measurement";
/// Endpoint 9.
pub const PV_SYSTEM: &str = "/household/pv_system";
/// Endpoint 11, with the meter's uuid for `{uuid}`.
pub const INCIDENT: &str = "/household/meter/{uuid}/incident";
/// Endpoint 12.
pub const INCIDENT_REPORT: &str = "/household/meter/{uuid}/incident/report";
/// Endpoint 13.
pub const INCIDENT_RESOLVE: &str = "/household/meter/{uuid}/incident/resolve";
/// Endpoint 10, and registering.
pub const MANAGEMENT_HOUSEHOLD: &str = "/management/household";
/// One household.
pub const MANAGED_HOUSEHOLD: &str = "/management/household/{household}";
/// Whether a registration would be accepted.
pub const REGISTRATION_CHECK: &str = "/management/household/check";
/// A household's meters.
pub const MANAGED_METERS: &str = "/management/household/{household}/meter";
/// One of them.
pub const MANAGED_METER: &str = "/management/household/{household}/meter/{uuid}";
/// A meter's measurements, for researchers.
pub const MANAGED_MEASUREMENT: &str = "/management/household/{household}/meter/{uuid}/measurement";
/// A household's photovoltaic systems.
pub const MANAGED_PV_SYSTEMS: &str = "/management/household/{household}/pv_system";
/// One of them.
pub const MANAGED_PV_SYSTEM: &str = "/management/household/{household}/pv_system/{uuid}";
/// All devices.
pub const MANAGEMENT_DEVICE: &str = "/management/device";
/// One of them.
pub const MANAGED_DEVICE: &str = "/management/device/{uuid}";
/// A device's one-time token.
pub const MANAGED_ENROLMENT: &str = "/management/device/{uuid}/enrolment";
/// A device's certificates.
pub const MANAGED_CERTIFICATES: &str = "/management/device/{uuid}/certificate";
/// One of them.
pub const MANAGED_CERTIFICATE: &str = "/management/device/{uuid}/certificate/{serial}";
/// All jobs.
pub const MANAGEMENT_JOB: &str = "/management/job";
/// One of them.
pub const MANAGED_JOB: &str = "/management/job/{uuid}";
/// Ending it.
pub const JOB_CANCEL: &str = "/management/job/{uuid}/cancel";
/// Beginning it anew.
pub const JOB_RETRY: &str = "/management/job/{uuid}/retry";
/// What it found.
pub const JOB_RESULT: &str = "/management/job/{uuid}/result";
/// A device's first certificate.
pub const ENROLL: &str = "/device/enroll";
/// A device's next certificate.
pub const RENEW: &str = "/device/renew";
/// The outlines of all regions, as a picture.
pub const GEO_REGIONS: &str = "/geo/regions.svg";
/// The outline of one region, with its NUTS code and `.svg` for `{file}`.
pub const GEO_REGION: &str = "/geo/region/{file}";
/// The region that a location lies in.
pub const GEO_LOCATE: &str = "/geo/locate";
/// Where the API is described.
pub const ROOT: &str = "/";
/// The meters that a device reads.
pub const DEVICE_METER: &str = "/device/meter";
/// Whether the server is running.
pub const HEALTHZ: &str = "/healthz";
/// Whether the server is ready for requests.
pub const READYZ: &str = "/readyz";
/// The server's metrics.
pub const METRICS: &str = "/metrics";
/// The description of the API (OpenAPI 3.1).
pub const OPENAPI: &str = "/openapi.json";
/// The same as a page.
pub const DOCS: &str = "/docs";

/// Endpoint 7 of one meter.
#[must_use]
pub fn measurements_of(meter: uuid::Uuid) -> String {
    format!("/household/meter/{meter}/measurement")
}

/// Endpoint 11 of one meter.
#[must_use]
pub fn incidents_of(meter: uuid::Uuid) -> String {
    format!("/household/meter/{meter}/incident")
}
