//! The paths of the Data API (thesis table 4.2).

/// Endpoint 1.
pub const ACCOUNT: &str = "/account";
/// Endpoint 2.
pub const HOUSEHOLD: &str = "/household";
/// Endpoints 3 and 4, and reading the consent.
pub const CONSENT: &str = "/household/consent";
/// Endpoint 5.
pub const MEASUREMENT_DEVICE: &str = "/household/measurement_device";
/// Endpoint 6.
pub const METER: &str = "/household/meter";
/// Endpoint 7, with the meter's uuid for `{uuid}`.
pub const METER_MEASUREMENT: &str = "/household/meter/{uuid}/measurement";
/// Endpoint 8.
pub const MEASUREMENT: &str = "/household/meter/measurement";
/// Endpoint 9.
pub const PV_SYSTEM: &str = "/household/pv_system";
/// Whether the server lives.
pub const HEALTHZ: &str = "/healthz";

/// Endpoint 7 of one meter.
#[must_use]
pub fn measurements_of(meter: uuid::Uuid) -> String {
    format!("/household/meter/{meter}/measurement")
}
