//! The Data API's description of itself (OpenAPI 3.1).
//!
//! Enters: the route table, the contract's schemas. Leaves: the document behind `/openapi.json`,
//! whose copy is kept as `docs/openapi.json`. Absent: any second list of rights; what each
//! operation takes and answers stands in `operations`, and a test holds it against the table.

mod operations;

use axum::http::Method;
use ebp_core::contract::{Problem, paths};
use utoipa::{
    PartialSchema,
    openapi::{
        Components, Content, HttpMethod, InfoBuilder, OpenApi, OpenApiBuilder, PathsBuilder, Ref,
        ResponseBuilder, Schema,
        path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn},
        request_body::RequestBodyBuilder,
        schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type},
        security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};

use crate::{
    auth::Access,
    router::{Endpoint, endpoints},
};
use operations::{Described, describe};

/// Queries: of a meter's measurements, and of the lists under `/management`.
const MEASUREMENT_QUERY: [(&str, Kind); 4] = [
    ("from", Kind::Instant),
    ("to", Kind::Instant),
    ("limit", Kind::Limit),
    ("cursor", Kind::Cursor),
];
const LIST_QUERY: [(&str, Kind); 2] = [("limit", Kind::Limit), ("cursor", Kind::Cursor)];

#[derive(Clone, Copy)]
enum Kind {
    Instant,
    Limit,
    Cursor,
    Uuid,
    Serial,
}

impl Kind {
    fn schema(self) -> Schema {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let known = |format| Some(SchemaFormat::KnownFormat(format));
        match self {
            Self::Instant => text.format(known(KnownFormat::DateTime)),
            Self::Uuid => text.format(known(KnownFormat::Uuid)),
            Self::Cursor => text.pattern(Some("^[0-9a-f]{48}$")),
            Self::Serial => text.pattern(Some("^[0-9a-f]{32}$")),
            Self::Limit => ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(1))
                .maximum(Some(10_000)),
        }
        .into()
    }
}

/// The document.
#[must_use]
pub fn document() -> OpenApi {
    let mut components = Components::new();
    components.schemas.insert("Problem".into(), Problem::schema());
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
        for body in [&mut operation.request, &mut operation.answer].into_iter().flatten() {
            components.schemas.extend(body.referred.drain(..));
        }
        let method = method_of(&endpoint.method);
        paths = paths.path(
            endpoint.path,
            utoipa::openapi::PathItem::new(method, describe_operation(&endpoint, operation)),
        );
    }
    let info = InfoBuilder::new()
        .title("ebp Data API")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Registrations, consents, devices and measurements of a survey of household meters.",
        ));
    OpenApiBuilder::new()
        .info(info.build())
        .paths(paths.build())
        .components(Some(components))
        .build()
}

fn describe_operation(endpoint: &Endpoint, described: Described) -> Operation {
    let Described { summary, request, status, answer, .. } = described;
    let name = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let id = format!("{}{}", endpoint.method.as_str().to_lowercase(), endpoint.path);
    let mut operation = OperationBuilder::new()
        .summary(Some(summary))
        .description(Some(who(endpoint.access)))
        .operation_id(Some(id.chars().map(name).collect::<String>()))
        .tag(endpoint.path.split('/').nth(1).unwrap_or_default());
    for parameter in parameters(endpoint) {
        operation = operation.parameter(parameter);
    }
    if let Some(body) = request {
        let content = Content::new(Some(body.schema));
        let body = RequestBodyBuilder::new()
            .content("application/json", content)
            .required(Some(utoipa::openapi::Required::True));
        operation = operation.request_body(Some(body.build()));
    }
    let mut response = ResponseBuilder::new().description("Done");
    if let Some(body) = answer {
        response = response.content("application/json", Content::new(Some(body.schema)));
    }
    let problem = ResponseBuilder::new()
        .description("A problem (RFC 9457); its type says which")
        .content("application/problem+json", Content::new(Some(Ref::from_schema_name("Problem"))));
    operation = operation.response(status, response.build()).response("default", problem.build());
    for scheme in schemes(endpoint.access) {
        operation = operation.security(SecurityRequirement::new(*scheme, Vec::<String>::new()));
    }
    operation.build()
}

fn parameters(endpoint: &Endpoint) -> Vec<Parameter> {
    let parameter = |name: &str, place, kind: Kind, required| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(place)
            .required(required)
            .schema(Some(kind.schema()))
            .build()
    };
    let (yes, no) = (utoipa::openapi::Required::True, utoipa::openapi::Required::False);
    let in_path = endpoint.path.split(['{', '}']).skip(1).step_by(2).map(|name| {
        let kind = if name == "serial" { Kind::Serial } else { Kind::Uuid };
        parameter(name, ParameterIn::Path, kind, yes.clone())
    });
    let query: &[(&str, Kind)] = match (endpoint.path, endpoint.method.as_str()) {
        (paths::METER_MEASUREMENT, "GET") => &MEASUREMENT_QUERY,
        (paths::MANAGEMENT_HOUSEHOLD | paths::MANAGEMENT_DEVICE, "GET") => &LIST_QUERY,
        _ => &[],
    };
    let in_query =
        query.iter().map(|(name, kind)| parameter(name, ParameterIn::Query, *kind, no.clone()));
    in_path.chain(in_query).collect()
}

fn who(access: Access) -> String {
    match access {
        Access::Anybody => "For anybody.".into(),
        Access::Scope(scope) => format!("For participants and devices with the scope `{scope}`."),
        Access::Groups(groups) => {
            let names: Vec<_> = groups.iter().map(|group| group.name()).collect();
            format!("For {}.", names.join(" and "))
        }
        Access::Device => "For a device, by its own certificate.".into(),
        Access::DeviceScope(scope) => {
            format!("For a device, by its own certificate with the scope `{scope}`.")
        }
    }
}

const fn schemes(access: Access) -> &'static [&'static str] {
    match access {
        Access::Anybody => &[],
        Access::Scope(_) => &["certificate", "token"],
        Access::Groups(_) => &["group"],
        Access::Device | Access::DeviceScope(_) => &["certificate"],
    }
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
    use super::*;

    #[test]
    fn every_endpoint_is_described_and_nothing_else() {
        let described: Vec<_> = describe().iter().map(|d| (d.method.clone(), d.path)).collect();
        let table: Vec<_> = endpoints().iter().map(|e| (e.method.clone(), e.path)).collect();
        assert_eq!(described, table);
    }

    /// `EBP_BLESS=1 cargo test -p ebp-server openapi` writes the copy anew.
    #[test]
    fn the_copy_in_docs_is_the_document() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
        let text = document().to_pretty_json().unwrap() + "\n";
        if std::env::var_os("EBP_BLESS").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept == text, "docs/openapi.json is old: EBP_BLESS=1 writes it anew");
    }

    #[test]
    fn every_operation_is_in_the_document() {
        let document = serde_json::to_value(document()).unwrap();
        for Endpoint { method, path, .. } in endpoints() {
            let operation = &document["paths"][path][method.as_str().to_lowercase()];
            assert!(operation["responses"]["default"].is_object(), "{method} {path}");
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = serde_json::to_value(document()).unwrap();
        let text = document.to_string();
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(document["components"]["schemas"].get(name).is_some(), "{name}");
        }
        assert!(text.contains("\"openapi\":\"3.1"), "{text}");
    }
}
