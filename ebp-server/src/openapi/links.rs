//! Links from one operation's response to another one's parameters.
//!
//! Enters: an operation's identifier. Leaves: links for its success. Absent: links that would only
//! repeat a path.

use ebp_core::contract::paths;
use serde_json::{Map, Value, json};

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
const SERIAL: (&str, &str) = ("serial", "$response.body#/items/0/serial");
const FIRST_ITEM: (&str, &str) = ("uuid", "$response.body#/items/0/uuid");
const FIRST: (&str, &str) = ("uuid", "$response.body#/0/uuid");

#[rustfmt::skip]
const WAYS: [Way; 30] = [
    ("post", paths::MANAGEMENT_HOUSEHOLD, "get", paths::MANAGED_HOUSEHOLD, &[HOUSEHOLD]),
    ("post", paths::MANAGEMENT_HOUSEHOLD, "patch", paths::MANAGED_HOUSEHOLD, &[HOUSEHOLD]),
    ("post", paths::MANAGEMENT_HOUSEHOLD, "post", paths::MANAGED_METERS, &[HOUSEHOLD]),
    ("post", paths::MANAGEMENT_HOUSEHOLD, "post", paths::MANAGED_PV_SYSTEMS, &[HOUSEHOLD]),
    ("post", paths::MANAGED_METERS, "patch", paths::MANAGED_METER, &[SAME, MADE]),
    ("post", paths::MANAGED_PV_SYSTEMS, "patch", paths::MANAGED_PV_SYSTEM, &[SAME, MADE]),
    ("post", paths::MANAGEMENT_DEVICE, "get", paths::MANAGED_DEVICE, &[MADE]),
    ("post", paths::MANAGEMENT_DEVICE, "post", paths::MANAGED_ENROLMENT, &[MADE]),
    ("post", paths::MANAGEMENT_DEVICE, "get", paths::MANAGED_CERTIFICATES, &[MADE]),
    ("post", paths::MANAGEMENT_DEVICE, "post", paths::MANAGED_SIGN_IN_CODE, &[MADE]),
    ("post", paths::MANAGEMENT_HOUSEHOLD, "get", paths::HOUSEHOLD_CHANGES, &[HOUSEHOLD]),
    ("post", paths::MANAGEMENT_DEVICE, "get", paths::DEVICE_COVERAGE, &[MADE]),
    ("post", paths::MANAGEMENT_DEVICE, "get", paths::DEVICE_HISTORY, &[MADE]),
    ("post", paths::MANAGEMENT_DEVICE, "post", paths::DEVICE_SILENCE, &[MADE]),
    ("post", paths::DEVICE_SILENCE, "get", paths::DEVICE_SILENCE, &[DEVICE]),
    ("post", paths::DEVICE_SILENCE, "delete", paths::DEVICE_SILENCE, &[DEVICE]),
    ("get", paths::MANAGED_CERTIFICATES, "delete", paths::MANAGED_CERTIFICATE, &[DEVICE, SERIAL]),
    ("post", paths::MANAGEMENT_JOB, "get", paths::MANAGED_JOB, &[MADE]),
    ("post", paths::MANAGEMENT_JOB, "post", paths::JOB_CANCEL, &[MADE]),
    ("post", paths::MANAGEMENT_JOB, "post", paths::JOB_RETRY, &[MADE]),
    ("post", paths::MANAGEMENT_JOB, "get", paths::JOB_RESULT, &[MADE]),
    ("post", paths::MANAGEMENT_JOB, "get", paths::JOB_ARCHIVE, &[MADE]),
    ("post", paths::MANAGEMENT_HOUSEHOLD, "post", paths::REVOCATION, &[HOUSEHOLD]),
    ("get", paths::MANAGEMENT_MESSAGE, "post", paths::MESSAGE_ANSWER, &[FIRST_ITEM]),
    ("get", paths::MANAGEMENT_MESSAGE, "post", paths::MESSAGE_CLOSE, &[FIRST_ITEM]),
    ("post", paths::ALERT_TEST, "get", paths::MANAGED_ALERT, &[MADE]),
    ("post", paths::MANAGEMENT_ROLLOUT, "get", paths::MANAGED_ROLLOUT, &[MADE]),
    ("post", paths::MANAGEMENT_ROLLOUT, "patch", paths::MANAGED_ROLLOUT, &[MADE]),
    ("get", paths::METER, "get", paths::METER_MEASUREMENT, &[FIRST]),
    ("get", paths::METER, "get", paths::INCIDENT, &[FIRST]),
];

/// An operation's identifier in the document.
pub fn operation_id(method: &str, path: &str) -> String {
    let name = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("{}{path}", method.to_lowercase()).chars().map(name).collect()
}

/// Puts the links into the document. (The library's own type of a link writes names that OpenAPI
/// does not know.)
pub fn put_into(document: &mut Value) {
    for (method, path, to, target, parameters) in WAYS {
        let responses = document["paths"][path][method]["responses"].as_object_mut();
        let done = responses.and_then(|responses| {
            responses.iter_mut().find(|(status, _)| status.starts_with('2')).map(|(_, done)| done)
        });
        let Some(done) = done else { continue };
        let to = operation_id(to, target);
        let parameters: Map<_, _> =
            parameters.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        done["links"][&to] = json!({ "operationId": to, "parameters": parameters });
    }
}
