//! The paths of the Data API (thesis tables 4.2 and 4.6).

/// Endpoint 1.
pub const ACCOUNT: &str = "/account";
/// Endpoint 2.
pub const HOUSEHOLD: &str = "/household";
/// Endpoints 3 and 4, and reading the consent.
pub const CONSENT: &str = "/household/consent";
/// Agreeing to a further purpose, and withdrawing that.
pub const PURPOSE: &str = "/household/consent/purpose/{purpose}";
/// What households say is wrong, and the answers.
pub const MESSAGE: &str = "/household/message";
/// The releases of the data set that a household is in.
pub const RELEASE: &str = "/household/release";
/// Everything that the survey holds about a household.
pub const EXPORT: &str = "/household/export";
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
/// A household's energy by quarter hours, hours, days or months.
pub const SERIES: &str = "/household/series";
/// A household's figures.
pub const SUMMARY: &str = "/household/summary";
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
/// The history of its registration.
pub const HOUSEHOLD_CHANGES: &str = "/management/household/{household}/change";
/// A withdrawal of consent that came elsewhere.
pub const REVOCATION: &str = "/management/household/{household}/revocation";
/// Whether a registration would be accepted.
pub const REGISTRATION_CHECK: &str = "/management/household/check";
/// A household's meters.
pub const MANAGED_METERS: &str = "/management/household/{household}/meter";
/// One of them.
pub const MANAGED_METER: &str = "/management/household/{household}/meter/{uuid}";
/// A meter's measurements, for researchers.
pub const MANAGED_MEASUREMENT: &str = "/management/household/{household}/meter/{uuid}/measurement";
/// A household's energy, for researchers.
pub const MANAGED_SERIES: &str = "/management/household/{household}/series";
/// A household's figures, for researchers.
pub const MANAGED_SUMMARY: &str = "/management/household/{household}/summary";
/// A household's photovoltaic systems.
pub const MANAGED_PV_SYSTEMS: &str = "/management/household/{household}/pv_system";
/// One of them.
pub const MANAGED_PV_SYSTEM: &str = "/management/household/{household}/pv_system/{uuid}";
/// All devices.
pub const MANAGEMENT_DEVICE: &str = "/management/device";
/// One of them.
pub const MANAGED_DEVICE: &str = "/management/device/{uuid}";
/// The state of all devices.
pub const MANAGEMENT_FLEET: &str = "/management/fleet";
/// In which slots a device's meters were measured.
pub const DEVICE_COVERAGE: &str = "/management/device/{uuid}/coverage";
/// A device's incidents and statuses.
pub const DEVICE_HISTORY: &str = "/management/device/{uuid}/history";
/// A device's silence.
pub const DEVICE_SILENCE: &str = "/management/device/{uuid}/silence";
/// A device's one-time token.
pub const MANAGED_ENROLMENT: &str = "/management/device/{uuid}/enrolment";
/// A device's sign-in code.
pub const MANAGED_SIGN_IN_CODE: &str = "/management/device/{uuid}/sign-in-code";
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
/// The archive of an export.
pub const JOB_ARCHIVE: &str = "/management/job/{uuid}/archive";
/// All households' messages.
pub const MANAGEMENT_MESSAGE: &str = "/management/message";
/// Answering one of them.
pub const MESSAGE_ANSWER: &str = "/management/message/{uuid}/answer";
/// Closing it without an answer.
pub const MESSAGE_CLOSE: &str = "/management/message/{uuid}/close";
/// Sessions of researchers and administrators in pages.
pub const MANAGEMENT_SESSION: &str = "/management/session";
/// One of them.
pub const MANAGED_SESSION: &str = "/management/session/{uuid}";
/// Tunnels of devices.
pub const MANAGEMENT_TUNNEL: &str = "/management/tunnel";
/// Sessions of administrators with devices.
pub const TUNNEL_SESSION: &str = "/management/tunnel/session";
/// A session.
pub const MANAGED_TUNNEL_SESSION: &str = "/management/tunnel/session/{uuid}";
/// A session with a service of a device: the connection is upgraded.
pub const TUNNEL_CONNECT: &str = "/management/tunnel/{device}/connect";
/// A device's tunnel: the connection is upgraded.
pub const DEVICE_TUNNEL: &str = "/device/tunnel";
/// A session with a device that is connected to this server, for another server of the database: the
/// connection is upgraded.
pub const INTERNAL_TUNNEL: &str = "/internal/tunnel/{device}";
/// What a device says of its updates, and what it is to run.
pub const DEVICE_UPDATE: &str = "/device/update";
/// Roll-outs of versions of the program.
pub const MANAGEMENT_ROLLOUT: &str = "/management/rollout";
/// One of them.
pub const MANAGED_ROLLOUT: &str = "/management/rollout/{uuid}";
/// Messages about devices.
pub const MANAGEMENT_ALERT: &str = "/management/alert";
/// By which rules they are made.
pub const ALERT_RULE: &str = "/management/alert/rule";
/// How these rules were changed.
pub const ALERT_RULE_CHANGES: &str = "/management/alert/rule/change";
/// A message that tests how they are sent.
pub const ALERT_TEST: &str = "/management/alert/test";
/// One message.
pub const MANAGED_ALERT: &str = "/management/alert/{uuid}";
/// Groups of errors of devices and of the server.
pub const ERROR_GROUP: &str = "/management/error-group";
/// A device's first certificate.
pub const ENROLL: &str = "/device/enroll";
/// A device's next certificate.
pub const RENEW: &str = "/device/renew";
/// The first certificate of a device's page.
pub const DEVICE_FRONTEND: &str = "/device/frontend";
/// By what the sign-in code for a device's page is verified.
pub const DEVICE_SIGN_IN: &str = "/device/sign-in";
/// The outlines of all regions, as a picture.
pub const GEO_REGIONS: &str = "/geo/regions.svg";
/// The outline of one region, with its NUTS code and `.svg` for `{file}`.
pub const GEO_REGION: &str = "/geo/region/{file}";
/// The region that a location lies in.
pub const GEO_LOCATE: &str = "/geo/locate";
/// The survey, for whoever asks.
pub const SURVEY: &str = "/survey";
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

/// A further purpose of consent.
#[must_use]
pub fn purpose_of(name: &str) -> String {
    format!("/household/consent/purpose/{name}")
}

/// Endpoint 11 of one meter.
#[must_use]
pub fn incidents_of(meter: uuid::Uuid) -> String {
    format!("/household/meter/{meter}/incident")
}
