//! The Data API's description of itself (OpenAPI 3.1).
//!
//! Enters: the route table, the contract's schemas. Leaves: the document behind `/openapi.json`,
//! whose copy is kept as `docs/openapi.json`. Absent: any second list of rights; what each
//! operation takes and answers is in `operations`, and a test compares it with the table.

mod answers;
mod links;
mod operations;
mod parameters;

use std::collections::BTreeSet;

use axum::http::Method;
use ebp_core::{
    contract::{Fault, Problem, close_schema, paths},
    scope::{Group, Scope},
};
use serde_json::Value;
use utoipa::{
    PartialSchema,
    openapi::{
        Components, Content, HttpMethod, InfoBuilder, OpenApi, OpenApiBuilder, PathsBuilder,
        Response, ResponseBuilder,
        path::{Operation, OperationBuilder},
        request_body::RequestBodyBuilder,
        schema::{ObjectBuilder, Type},
        security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};

use crate::{
    auth::Access,
    router::{Endpoint, endpoints},
};
use operations::{Described, describe};
use parameters::parameters;

/// The document.
#[must_use]
pub fn document() -> Value {
    // Nothing in it has no JSON; a test looks at all of it.
    let mut document = serde_json::to_value(described()).unwrap_or_default();
    links::put_into(&mut document);
    document
}

fn described() -> OpenApi {
    let mut components = Components::new();
    components.schemas.insert("Problem".into(), Problem::schema());
    components.schemas.insert("Fault".into(), Fault::schema());
    components.responses.extend(answers::components());
    let mut closed = BTreeSet::new();
    let scheme = |scheme| SecurityScheme::Http(Http::new(scheme));
    components.add_security_scheme(
        "certificate",
        SecurityScheme::MutualTls {
            description: Some("A client certificate of the survey's authority".into()),
            extensions: None,
        },
    );
    components.add_security_scheme("token", scheme(HttpAuthScheme::Bearer));
    components.add_security_scheme("group", scheme(HttpAuthScheme::Basic));
    let mut paths = PathsBuilder::new();
    let mut described = describe();
    for endpoint in endpoints() {
        let place =
            described.iter().position(|d| d.method == endpoint.method && d.path == endpoint.path);
        let Some(mut operation) = place.map(|place| described.swap_remove(place)) else { continue };
        if let Some(body) = operation.request.as_ref().filter(|body| body.closed) {
            closed.extend(body.referred.iter().map(|(name, _)| name.clone()));
        }
        for body in [&mut operation.request, &mut operation.answer].into_iter().flatten() {
            components.schemas.extend(body.referred.drain(..));
        }
        let method = method_of(&endpoint.method);
        paths = paths.path(
            endpoint.path,
            utoipa::openapi::PathItem::new(method, describe_operation(&endpoint, operation)),
        );
    }
    for (name, schema) in &mut components.schemas {
        if closed.contains(name) {
            close_schema(schema);
        }
    }
    let info = InfoBuilder::new()
        .title("ebp Data API")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Registrations, consents, devices and measurements of a survey of household meters.\n\n\
             A request may carry the header `traceparent` (W3C Trace Context, version 00). Its trace \
             identifier is logged, and is the `trace_id` of a problem document and of a job; without \
             a valid one the server makes one. Answers of 1 kB and more are compressed as \
             `Accept-Encoding` says (gzip, zstd), but for those that hold a token or a certificate.",
        ));
    OpenApiBuilder::new()
        .info(info.build())
        .paths(paths.build())
        .components(Some(components))
        .build()
}

fn describe_operation(endpoint: &Endpoint, described: Described) -> Operation {
    let Described { summary, request, status, answer, .. } = described;
    let method = endpoint.method.as_str();
    let problems = answers::responses(endpoint, request.is_some());
    let versioned_answers = [paths::MANAGED_HOUSEHOLD, paths::MANAGED_ROLLOUT, paths::ALERT_RULE];
    let gives_version = versioned_answers.contains(&endpoint.path) && status == "200"
        || answers::is_versioned(endpoint) && endpoint.method == Method::PATCH;
    let mut operation = OperationBuilder::new()
        .summary(Some(summary))
        .description(Some(who(endpoint.access)))
        .operation_id(Some(links::operation_id(method, endpoint.path)))
        .tag(tag(endpoint.path));
    for parameter in parameters(endpoint) {
        operation = operation.parameter(parameter);
    }
    let (yes, no) = (utoipa::openapi::Required::True, utoipa::openapi::Required::False);
    if let Some(body) = request {
        let body = RequestBodyBuilder::new()
            .content(body.media, Content::new(Some(body.schema)))
            .required(Some(if body.required { yes } else { no }));
        operation = operation.request_body(Some(body.build()));
    }
    let mut response = ResponseBuilder::new()
        .description("Done")
        .header("X-Request-Id", answers::request_id())
        .header("Cache-Control", answers::cache_control());
    if gives_version {
        let tag = utoipa::openapi::Header::new(ObjectBuilder::new().schema_type(Type::String));
        response = response.header("ETag", tag);
    }
    if let Some(body) = answer {
        response = response.content(body.media, Content::new(Some(body.schema)));
    }
    operation = operation.response(status, response.build());
    for (status, description) in answers::others(endpoint) {
        operation = operation.response(*status, Response::new(*description));
    }
    for (status, problem) in problems {
        operation = operation.response(status, problem);
    }
    for requirement in requirements(endpoint.access) {
        operation = operation.security(requirement);
    }
    operation.build()
}

fn who(access: Access) -> String {
    match access {
        Access::Anybody => "For anybody.".into(),
        Access::Scope(scope) => format!("For participants and devices with the scope `{scope}`."),
        Access::EitherScope([first, second]) => {
            format!("For participants and devices with the scope `{first}` or `{second}`.")
        }
        Access::AllScopes(scopes) => {
            let names: Vec<_> = scopes.iter().map(|scope| format!("`{scope}`")).collect();
            format!("For participants and devices with the scopes {}.", names.join(", "))
        }
        Access::Groups(groups) => {
            let names: Vec<_> = groups.iter().map(|group| group.name()).collect();
            format!("For {}.", names.join(" and "))
        }
        Access::Device => "For a device, by its own certificate.".into(),
        Access::DeviceScope(scope) => {
            format!("For a device, by its own certificate with the scope `{scope}`.")
        }
        Access::Administration => "For a person by a certificate for remote access, and for \
             administrators."
            .into(),
        Access::Server => "For other servers of this survey, by their own certificates.".into(),
    }
}

/// Who may, with the scopes or the group as the scheme's roles (OpenAPI 3.1, section 4.8.30).
fn requirements(access: Access) -> Vec<SecurityRequirement> {
    match access {
        Access::Anybody => Vec::new(),
        Access::Scope(scope) => {
            ["certificate", "token"].map(|s| SecurityRequirement::new(s, [scope.name()])).to_vec()
        }
        Access::EitherScope(scopes) => {
            let of = |scope: Scope| {
                ["certificate", "token"].map(|s| SecurityRequirement::new(s, [scope.name()]))
            };
            scopes.map(of).concat()
        }
        Access::AllScopes(scopes) => {
            let names = || scopes.iter().map(|scope| scope.name());
            ["certificate", "token"].map(|s| SecurityRequirement::new(s, names())).to_vec()
        }
        Access::Groups(groups) => {
            groups.iter().map(|group| SecurityRequirement::new("group", [group.name()])).collect()
        }
        Access::DeviceScope(scope) => {
            vec![SecurityRequirement::new("certificate", [scope.name()])]
        }
        Access::Administration => vec![
            SecurityRequirement::new("certificate", ["tunnel"]),
            SecurityRequirement::new("group", [Group::Administrators.name()]),
        ],
        Access::Server => vec![SecurityRequirement::new("certificate", ["server"])],
        Access::Device => vec![SecurityRequirement::new("certificate", Vec::<String>::new())],
    }
}

/// The group of an operation: the path's first segment.
fn tag(path: &str) -> &str {
    path.split('/').nth(1).filter(|name| !name.is_empty()).unwrap_or("docs")
}

fn method_of(method: &Method) -> HttpMethod {
    match *method {
        Method::POST => HttpMethod::Post,
        Method::PUT => HttpMethod::Put,
        Method::PATCH => HttpMethod::Patch,
        Method::DELETE => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

#[cfg(test)]
mod tests {
    use ebp_core::contract::{
        AlertRuleSet, ConsentGrant, DeviceChange, DeviceStatus, DeviceUpdate, EnrollRequest,
        EnrolmentRequest, FrontendRequest, HouseholdChange, IncidentRequest, MessageAnswer,
        MeterChange, NewDevice, NewJob, NewMessage, NewMeter, NewPvSystem, NewRollout, NewSilence,
        PurposeGrant, PvSystemChange, Registration, RenewRequest, RolloutChange, Withdrawal,
        closed_schemas,
    };
    use serde_json::json;
    use utoipa::ToSchema;

    use super::*;

    #[test]
    fn every_endpoint_is_described_and_nothing_else() {
        let described: Vec<_> = describe().iter().map(|d| (d.method.clone(), d.path)).collect();
        let table: Vec<_> = endpoints().iter().map(|e| (e.method.clone(), e.path)).collect();
        assert_eq!(described, table);
    }

    /// `EBP_BLESS=1 cargo test -p ebp-server openapi` rewrites the copy.
    #[test]
    fn the_copy_in_docs_is_the_document() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
        let text = serde_json::to_string_pretty(&document()).unwrap() + "\n";
        if std::env::var_os("EBP_BLESS").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept == text, "docs/openapi.json is old: EBP_BLESS=1 writes it anew");
    }

    /// What is published of a request's body is what bodies are checked against.
    #[test]
    fn bodies_of_requests_are_checked_by_what_is_published() {
        fn checks<T: ToSchema>(document: &Value, names: &mut BTreeSet<String>) {
            assert_eq!(ebp_store::form::faults::<T>(&json!("no body")).len(), 1);
            let published = &document["components"]["schemas"];
            for (name, schema) in closed_schemas::<T>() {
                assert_eq!(published[&name], json!(schema), "{name}");
            }
            names.remove(T::name().as_ref());
        }
        let bodies = describe().into_iter().filter_map(|operation| operation.request);
        let closed = bodies.filter(|body| body.closed);
        let mut names: BTreeSet<_> =
            closed.filter_map(|body| Some(body.referred.first()?.0.clone())).collect();
        assert!(names.len() > 10, "{names:?}");
        let document = document();
        checks::<AlertRuleSet>(&document, &mut names);
        checks::<ConsentGrant>(&document, &mut names);
        checks::<DeviceChange>(&document, &mut names);
        checks::<MessageAnswer>(&document, &mut names);
        checks::<NewMessage>(&document, &mut names);
        checks::<PurposeGrant>(&document, &mut names);
        checks::<Withdrawal>(&document, &mut names);
        checks::<DeviceStatus>(&document, &mut names);
        checks::<EnrollRequest>(&document, &mut names);
        checks::<EnrolmentRequest>(&document, &mut names);
        checks::<FrontendRequest>(&document, &mut names);
        checks::<HouseholdChange>(&document, &mut names);
        checks::<IncidentRequest>(&document, &mut names);
        checks::<MeterChange>(&document, &mut names);
        checks::<NewDevice>(&document, &mut names);
        checks::<NewJob>(&document, &mut names);
        checks::<NewMeter>(&document, &mut names);
        checks::<NewPvSystem>(&document, &mut names);
        checks::<NewRollout>(&document, &mut names);
        checks::<RolloutChange>(&document, &mut names);
        checks::<DeviceUpdate>(&document, &mut names);
        checks::<NewSilence>(&document, &mut names);
        checks::<PvSystemChange>(&document, &mut names);
        checks::<Registration>(&document, &mut names);
        checks::<RenewRequest>(&document, &mut names);
        assert_eq!(names, BTreeSet::new(), "bodies that this test does not know");
    }

    /// Texts of people are described by the one rule for them.
    #[test]
    fn patterns_of_texts_are_those_of_the_rule() {
        use ebp_core::plain_text::{LINE, LINES, MAYBE_EMPTY_LINE};
        let text = document().to_string();
        let patterns = text.split("\"pattern\":").skip(1).map(|rest| {
            serde_json::Deserializer::from_str(rest).into_iter::<String>().next().unwrap().unwrap()
        });
        let open = patterns.filter(|pattern| pattern.contains(r"\x00-\x1f"));
        let counted = open
            .inspect(|pattern| assert!([LINE, LINES, MAYBE_EMPTY_LINE].contains(&&**pattern)))
            .count();
        assert!(counted > 10, "{counted}");
    }

    #[test]
    fn every_operation_is_in_the_document() {
        let document = document();
        for Endpoint { method, path, .. } in endpoints() {
            let operation = &document["paths"][path][method.as_str().to_lowercase()];
            assert!(operation["responses"]["503"].is_object(), "{method} {path}");
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let pointer = reference.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
        assert!(text.contains("\"openapi\":\"3.1"), "{text}");
    }
}
