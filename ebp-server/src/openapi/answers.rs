//! Every answer that an operation can give beside its success: a problem, by status.
//!
//! Enters: an endpoint, and whether it takes a body. Leaves: responses. Absent: the success; it is
//! in `operations`.

use axum::http::Method;
use ebp_core::contract::{PROBLEM_JSON, paths};
use utoipa::openapi::{
    Content, Header, Ref, RefOr, Response, ResponseBuilder,
    schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type},
};

use crate::{answer::is_kept, auth::Access, router::Endpoint};

/// A status that the API answers, and how.
struct Answer {
    status: u16,
    /// In `components/responses`.
    name: &'static str,
    description: &'static str,
    header: Option<(&'static str, Type, &'static str)>,
}

const fn answer(status: u16, name: &'static str, description: &'static str) -> Answer {
    Answer { status, name, description, header: None }
}

const fn with(answer: Answer, header: (&'static str, Type, &'static str)) -> Answer {
    Answer { header: Some(header), ..answer }
}

const RETRY: (&str, Type, &str) =
    ("Retry-After", Type::Integer, "Seconds until it may be tried again");

/// All of them.
#[rustfmt::skip]
static ANSWERS: [Answer; 14] = [
    answer(400, "Malformed", "Body, query or path are not of their form; `errors` lists every fault of a body"),
    with(answer(401, "Unauthenticated", "No, a revoked or an unknown identity"),
        ("WWW-Authenticate", Type::String, "What is accepted beside client certificates")),
    answer(403, "Forbidden", "The identity does not permit this"),
    answer(404, "NotFound", "Nothing by that name, or somebody else's"),
    answer(408, "Timeout", "The body did not arrive in time"),
    answer(409, "Conflict", "Not in the state that things are in: the type says which"),
    answer(410, "Gone", "Consent is revoked for good"),
    answer(412, "Changed", "What is to be changed was changed since it was read: get it again, and send the change with its ETag"),
    answer(413, "TooLarge", "The body is beyond a limit"),
    with(answer(415, "UnsupportedMedia", "The body is not JSON, or packed in a way that is not read"),
        ("Accept-Encoding", Type::String, "How a body may be packed")),
    answer(422, "Inconsistent", "The body is of its form, but what it says cannot be; `errors` says where"),
    with(answer(429, "TooMany", "Too many requests, tries at a secret, renewals, or measurements of a meter"), RETRY),
    answer(500, "Failed", "The server failed"),
    with(answer(503, "Unavailable", "Not at the moment"), RETRY),
];

/// The responses that operations refer to, by name.
pub fn components() -> impl Iterator<Item = (String, RefOr<Response>)> {
    ANSWERS.iter().map(|Answer { name, description, header, .. }| {
        let problem = Content::new(Some(Ref::from_schema_name("Problem")));
        let mut response = ResponseBuilder::new()
            .description(*description)
            .content(PROBLEM_JSON, problem)
            .header("X-Request-Id", request_id());
        if let Some((name, kind, description)) = header {
            let schema = ObjectBuilder::new().schema_type(kind.clone());
            let mut header = Header::new(schema);
            header.description = Some((*description).to_owned());
            response = response.header(*name, header);
        }
        ((*name).to_owned(), response.build().into())
    })
}

/// The header of every response: the identifier of the request in the log.
pub fn request_id() -> Header {
    let uuid = SchemaFormat::KnownFormat(KnownFormat::Uuid);
    Header::new(ObjectBuilder::new().schema_type(Type::String).format(Some(uuid)))
}

/// The header of every response: how long it may be kept.
pub fn cache_control() -> Header {
    Header::new(ObjectBuilder::new().schema_type(Type::String))
}

/// What an endpoint answers besides, if all is well.
pub fn others(endpoint: &Endpoint) -> &'static [(&'static str, &'static str)] {
    match (endpoint.path, endpoint.method.as_str()) {
        (paths::MANAGEMENT_HOUSEHOLD, "POST") => {
            &[("204", "With `dry_run`: it would be registered")]
        }
        (paths::JOB_ARCHIVE, "GET") => &[
            ("206", "The octets that `Range` asks for; `Content-Range` says which, of how many"),
            (
                "416",
                "No octet is where `Range` asks for some; `Content-Range` says how many there are",
            ),
        ],
        (path, "GET") if is_kept(path) || path == paths::SURVEY => {
            &[("304", "The client has it: its `ETag` is among those of `If-None-Match`")]
        }
        _ => &[],
    }
}

/// Whether `If-Match` says of an endpoint's request which version of a household, of a roll-out, or of
/// the rules of alerts, it changes.
pub fn is_versioned(endpoint: &Endpoint) -> bool {
    is_household_versioned(endpoint)
        || is_rollout_versioned(endpoint)
        || (endpoint.path == paths::ALERT_RULE && endpoint.method == Method::PUT)
}

/// Whether that is a roll-out's version.
pub fn is_rollout_versioned(endpoint: &Endpoint) -> bool {
    endpoint.path == paths::MANAGED_ROLLOUT && endpoint.method == Method::PATCH
}

/// Whether that is a household's version.
pub fn is_household_versioned(endpoint: &Endpoint) -> bool {
    let is_household =
        endpoint.path == paths::MANAGED_HOUSEHOLD && endpoint.method == Method::PATCH;
    let members = [
        paths::MANAGED_METERS,
        paths::MANAGED_METER,
        paths::MANAGED_PV_SYSTEMS,
        paths::MANAGED_PV_SYSTEM,
    ];
    is_household || (members.contains(&endpoint.path) && endpoint.method != Method::GET)
}

/// Whether the endpoint's connection speaks another protocol afterwards.
fn is_upgraded(path: &str) -> bool {
    [paths::DEVICE_TUNNEL, paths::TUNNEL_CONNECT, paths::INTERNAL_TUNNEL].contains(&path)
}

/// The problems that an endpoint can answer: status, and reference to the response.
pub fn responses(endpoint: &Endpoint, has_body: bool) -> Vec<(String, RefOr<Response>)> {
    let Endpoint { method, path, access } = endpoint;
    let named = path.contains('{');
    let listed = matches!(
        *path,
        paths::MANAGEMENT_HOUSEHOLD
            | paths::MANAGEMENT_DEVICE
            | paths::MANAGED_CERTIFICATES
            | paths::MANAGEMENT_ALERT
            | paths::MANAGEMENT_ROLLOUT
            | paths::MANAGEMENT_JOB
            | paths::GEO_LOCATE
            | paths::SERIES
            | paths::SUMMARY
            | paths::MANAGEMENT_MESSAGE
            | paths::MESSAGE
            | paths::SURVEY
            | paths::MANAGEMENT_FLEET
            | paths::MANAGEMENT_TUNNEL
            | paths::TUNNEL_SESSION
    );
    let upgraded = is_upgraded(path);
    let versioned = is_versioned(endpoint);
    // What was added by mistake can be removed while nothing needs it. Certificates can be revoked.
    let certificates = [paths::MANAGED_CERTIFICATES, paths::MANAGED_CERTIFICATE].contains(path);
    let silence = *path == paths::DEVICE_SILENCE;
    let session = [paths::MANAGED_SESSION, paths::MANAGED_TUNNEL_SESSION].contains(path);
    let removes = *method == Method::DELETE && !certificates && !silence && !session;
    let of_device = silence || [paths::DEVICE_COVERAGE, paths::DEVICE_HISTORY].contains(path);
    let by_state = [
        paths::JOB_CANCEL,
        paths::JOB_RETRY,
        paths::JOB_RESULT,
        paths::JOB_ARCHIVE,
        paths::MESSAGE_CLOSE,
    ]
    .contains(path);
    let known = *access != Access::Anybody;
    let of_household = matches!(
        access,
        Access::Scope(_) | Access::EitherScope(_) | Access::AllScopes(_) | Access::Device
    );
    let made_for_device = *path == paths::MANAGED_SIGN_IN_CODE;
    let can = |status| match status {
        400 => has_body || named || listed || upgraded,
        401 => known || has_body,
        403 => known,
        404 => named || has_body || [paths::SURVEY, paths::GEO_REGIONS].contains(path),
        409 => of_household || has_body || removes || by_state || upgraded,
        410 => of_household || has_body || removes || of_device || made_for_device || upgraded,
        412 => versioned,
        408 | 413 | 415 | 422 => has_body,
        429 | 500 | 503 => true,
        _ => false,
    };
    ANSWERS
        .iter()
        .filter(|answer| can(answer.status))
        .map(|answer| {
            let reference = Ref::new(format!("#/components/responses/{}", answer.name));
            (answer.status.to_string(), reference.into())
        })
        .collect()
}
