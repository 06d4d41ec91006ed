//! All routes of the participant's page.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};

use super::{
    consent, consent_copy, data, devices, document, live, map, measurements, pending, problem,
    purpose, registration, remote_access, sign_in, state::DeviceWeb, today, visitor::Visitor,
};
use crate::kit::{
    check::{self, Checks},
    file,
    form::limit,
    host::HostNames,
    request_id,
};

/// The longest body of a request, bytes.
const LONGEST_BODY: usize = 64 * 1024;

/// The pages. `scheme` is `http`, or `https` where TLS ends before this process.
pub fn router(web: Arc<DeviceWeb>, hosts: HostNames, scheme: &'static str) -> Router {
    let hosts = Arc::new(hosts);
    let page = {
        let (web, hosts) = (Arc::clone(&web), Arc::clone(&hosts));
        Arc::new(move |refused, headers: &_| problem::refused(&web, &hosts, refused, headers))
    };
    let checks = Checks { hosts, scheme, page };
    Router::new()
        .route("/", get(sign_in::show))
        .route("/sign-in", post(sign_in::sign_in))
        .route("/signed-in", get(sign_in::arrive))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/today", get(today::show))
        .route("/measurements", get(measurements::show))
        .route("/measurements.csv", get(measurements::csv))
        .route("/measurements.json", get(measurements::json))
        .route("/pending", get(pending::show))
        .route("/live", get(live::show))
        .route("/registration", get(registration::show).post(registration::send))
        .route("/regions.svg", get(map::regions))
        .route("/registration/check", post(registration::check))
        .route("/devices", get(devices::show))
        .route("/remote-access", get(remote_access::show).post(remote_access::set))
        .route("/consent", get(consent::show))
        .route("/consent/confirm", post(consent::confirm))
        .route("/consent/grant", post(consent::grant))
        .route("/consent/revoke", post(consent::revoke))
        .route("/consent/purpose", post(purpose::change))
        .route("/consent/copy", get(consent_copy::show))
        .route("/data", get(data::show))
        .route("/data.json", get(data::everything))
        .route("/data.csv", get(data::measurements))
        .route("/help", get(document::help))
        .route("/privacy", get(document::privacy))
        .route("/accessibility", get(document::accessibility))
        .fallback(not_found)
        .layer(middleware::from_fn_with_state(Arc::clone(&web), end))
        .route("/static/{name}", get(file::serve))
        .layer(limit(LONGEST_BODY))
        .layer(middleware::from_fn_with_state(checks, check::check))
        .layer(middleware::from_fn(request_id::identify))
        .with_state(web)
}

async fn not_found(visitor: Visitor) -> Response {
    problem::not_found(&visitor)
}

/// After a revocation every address shows the final page: before anything is asked, and in place of
/// the page during which it became known.
async fn end(State(web): State<Arc<DeviceWeb>>, request: Request, next: Next) -> Response {
    let uri = request.uri();
    let visitor = Visitor::from_headers(&web, request.headers(), uri.path(), uri.query());
    if let Some(end) = web.parts.ended.get() {
        return document::ended(&visitor, end);
    }
    let response = next.run(request).await;
    match web.parts.ended.get() {
        Some(end) => document::ended(&visitor, end),
        None => response,
    }
}
