//! The API's description of itself: for machines, and a page to read and to try it.

use std::sync::LazyLock;

use axum::{
    Json,
    http::header,
    response::{Html, IntoResponse, Response},
};

use serde_json::Value;

use crate::openapi;

/// `GET /openapi.json`.
pub async fn document() -> Json<&'static Value> {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(openapi::document);
    Json(&DOCUMENT)
}

/// `GET /docs`: one page that needs nothing but this server.
pub async fn page() -> Response {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                  connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers = [(header::CONTENT_SECURITY_POLICY, policy)];
    (headers, Html(include_str!("description.html"))).into_response()
}
