//! A request's identifiers, and its line in the log.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method},
    middleware::Next,
    response::{IntoResponse, Response},
};
use ebp_core::trace::{TRACEPARENT, TraceContext, TraceId};
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    answer::Template, auth::Kind, problem::ApiError, telemetry::Telemetry, trace::answer_as,
};

/// The response's header that names the request, as the log does.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Notes the route of an answer.
pub(crate) async fn mark(
    State(template): State<Template>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    response.extensions_mut().insert(template);
    response
}

/// Breaks off what takes too long.
pub(crate) async fn in_time(
    State(patience): State<Duration>,
    request: Request,
    next: Next,
) -> Response {
    match tokio::time::timeout(patience, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::Unavailable("the request took too long".to_owned()).into_response(),
    }
}

/// One line for each request, without anything that identifies the client; everything logged
/// meanwhile contains the request's identifiers. `request_id` is this server's and the client gets
/// it, too; `trace_id` is the one that the client sent (`traceparent`), or else the same.
pub(crate) async fn log(
    State(telemetry): State<Arc<Telemetry>>,
    mut request: Request,
    next: Next,
) -> Response {
    let (start, method): (Instant, &str) = (Instant::now(), known(request.method()));
    let id = Uuid::new_v4();
    let trace = taken(&request).unwrap_or_else(|| TraceId::from_uuid(id));
    let span = tracing::info_span!("request", request_id = %id, trace_id = %trace);
    let kind = Kind::default();
    request.extensions_mut().insert(kind.clone());
    // Pages show it where they say that something failed.
    request.extensions_mut().insert(id);
    let mut response = answer_as(trace, next.run(request)).instrument(span.clone()).await;
    let route = Template::from_response(&response).unwrap_or("-");
    let (status, took) = (response.status().as_u16(), start.elapsed());
    let identity = kind.0.get().copied().unwrap_or("none");
    let latency_ms = took.as_micros() as f64 / 1000.0;
    span.in_scope(|| tracing::info!(method, route, status, latency_ms, identity, "answered"));
    telemetry.answered(method, route, status, took);
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The identifier that the client sent, if it sent one that is valid, and no other beside it.
fn taken(request: &Request) -> Option<TraceId> {
    let mut sent = request.headers().get_all(TRACEPARENT).iter();
    let (first, second) = (sent.next()?, sent.next());
    let context: TraceContext = first.to_str().ok()?.parse().ok()?;
    second.is_none().then_some(context.id())
}

/// The method's name, of a bounded number: clients may invent some.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}
