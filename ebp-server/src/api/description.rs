//! The API's description of itself: for machines, and a page to read and to try it.

use std::sync::{Arc, LazyLock};

use axum::{
    Json,
    extract::State,
    http::header,
    response::{Html, IntoResponse, Response},
};
use serde_json::Value;

/// The API's description for machines, made when it is first asked for.
pub struct Description(pub LazyLock<Value>);

/// `GET /openapi.json`.
pub async fn document(State(description): State<Arc<Description>>) -> Response {
    Json(&*description.0).into_response()
}

/// `GET /`: where the API is described, for people and (RFC 8631) for machines.
pub async fn root() -> Response {
    const PAGE: &str = "<!doctype html><html lang=\"en\"><title>ebp Data API</title>\
        <p>This is a Data API of ebp. It is described at <a href=\"/docs\">/docs</a>, \
        for programs at <a href=\"/openapi.json\">/openapi.json</a>.</p></html>\n";
    let links = "</docs>; rel=\"service-doc\", </openapi.json>; rel=\"service-desc\"";
    let policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers = [(header::LINK, links), (header::CONTENT_SECURITY_POLICY, policy)];
    (headers, Html(PAGE)).into_response()
}

/// `GET /docs`: one page that needs nothing but this server.
pub async fn page() -> Response {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                  connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers = [(header::CONTENT_SECURITY_POLICY, policy)];
    (headers, Html(include_str!("description.html"))).into_response()
}
