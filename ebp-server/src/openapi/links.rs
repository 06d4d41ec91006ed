//! Where one operation's answer names what another one asks for.
//!
//! Enters: an operation's identifier. Leaves: links for its success. Absent: links that would only
//! repeat a path.

use ebp_core::contract::paths;
use utoipa::openapi::link::Link;

/// From an operation (method, path) with the value of its answer to an operation's parameter.
type Way = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

const HOUSEHOLD: (&str, &str) = ("household", "$response.body#/household");
const SAME: (&str, &str) = ("household", "$request.path.household");
const MADE: (&str, &str) = ("uuid", "$response.body#/uuid");
const DEVICE: (&str, &str) = ("uuid", "$request.path.uuid");
const SERIAL: (&str, &str) = ("serial", "$response.body#/0/serial");
const FIRST: (&str, &str) = ("uuid", "$response.body#/0/uuid");

#[rustfmt::skip]
const WAYS: [Way; 12] = [
    ("post", paths::MANAGEMENT_HOUSEHOLD, "get", paths::MANAGED_HOUSEHOLD, &[HOUSEHOLD]),
    ("post", paths::MANAGEMENT_HOUSEHOLD, "patch", paths::MANAGED_HOUSEHOLD, &[HOUSEHOLD]),
    ("post", paths::MANAGEMENT_HOUSEHOLD, "post", paths::MANAGED_METERS, &[HOUSEHOLD]),
    ("post", paths::MANAGEMENT_HOUSEHOLD, "post", paths::MANAGED_PV_SYSTEMS, &[HOUSEHOLD]),
    ("post", paths::MANAGED_METERS, "patch", paths::MANAGED_METER, &[SAME, MADE]),
    ("post", paths::MANAGED_PV_SYSTEMS, "patch", paths::MANAGED_PV_SYSTEM, &[SAME, MADE]),
    ("post", paths::MANAGEMENT_DEVICE, "get", paths::MANAGED_DEVICE, &[MADE]),
    ("post", paths::MANAGEMENT_DEVICE, "post", paths::MANAGED_ENROLMENT, &[MADE]),
    ("post", paths::MANAGEMENT_DEVICE, "get", paths::MANAGED_CERTIFICATES, &[MADE]),
    ("get", paths::MANAGED_CERTIFICATES, "delete", paths::MANAGED_CERTIFICATE, &[DEVICE, SERIAL]),
    ("get", paths::METER, "get", paths::METER_MEASUREMENT, &[FIRST]),
    ("get", paths::METER, "get", paths::INCIDENT, &[FIRST]),
];

/// An operation's identifier in the document.
pub fn operation_id(method: &str, path: &str) -> String {
    let name = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("{}{path}", method.to_lowercase()).chars().map(name).collect()
}

/// The links of an operation's success, by name.
pub fn of(method: &str, path: &str) -> impl Iterator<Item = (String, Link)> {
    let from = operation_id(method, path);
    let ways =
        WAYS.into_iter().filter(move |(method, path, ..)| operation_id(method, path) == from);
    ways.map(|(_, _, method, path, parameters)| {
        let to = operation_id(method, path);
        let mut link = Link::builder().operation_id(to.clone());
        for (name, value) in parameters {
            link = link.parameter(*name, *value);
        }
        (to, link.build())
    })
}
