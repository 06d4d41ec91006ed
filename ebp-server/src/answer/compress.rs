//! Compresses answers by what the client accepts (gzip and zstd).
//!
//! Three kinds of answers are left as they are. Those that hold a secret beside what the client sent
//! ([`SECRET`]): the length of a compressed body tells how much the two have in common (BREACH).
//! Those with a strong `ETag`, which promises the same octets. And those whose parts are awaited one
//! by one, which a compressor would hold back.
//!
//! An encoder takes memory as long as its client reads. There are so many places for encoders; while
//! all are taken, answers go out as they are.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::{Body, HttpBody},
    extract::{Request, State},
    http::{self, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use ebp_core::contract::paths;
use http_body_util::BodyExt;
use tokio::sync::Semaphore;
use tower::{ServiceExt, service_fn};
use tower_http::{CompressionLevel, compression::Compression};

use super::template::Template;

/// A shorter answer is not compressed, octets: it fits into a packet.
const LEAST: u64 = 1_024;

/// Encoders at the same time.
const PLACES: usize = 64;

/// Answers with a token, a code or a certificate beside members of the request.
const SECRET: [&str; 6] = [
    paths::MANAGED_ENROLMENT,
    paths::MANAGED_SIGN_IN_CODE,
    paths::DEVICE_FRONTEND,
    paths::DEVICE_SIGN_IN,
    paths::ENROLL,
    paths::RENEW,
];

/// Whose parts are awaited one by one.
const AWAITED: [&str; 3] = ["text/event-stream", "application/x-ndjson", "application/json-seq"];

/// Places for encoders.
#[derive(Clone)]
pub(crate) struct Compressing(Arc<Semaphore>);

impl Default for Compressing {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(PLACES)))
    }
}

/// Compresses the answer if that is worth it, allowed, and wanted by the client.
pub(crate) async fn compress(
    State(Compressing(places)): State<Compressing>,
    request: Request,
    next: Next,
) -> Response {
    let mut asked = http::Request::new(());
    for accepted in request.headers().get_all(header::ACCEPT_ENCODING) {
        asked.headers_mut().append(header::ACCEPT_ENCODING, accepted.clone());
    }
    let mut response = next.run(request).await;
    if Template::from_response(&response).is_some_and(|path| SECRET.contains(&path)) {
        return response;
    }
    append(&mut response, header::VARY, "Accept-Encoding");
    if !is_worth_it(&response) || asked.headers().is_empty() {
        return response;
    }
    let Ok(place) = places.try_acquire_owned() else { return response };
    let given = service_fn(move |_: http::Request<()>| {
        let response = std::mem::take(&mut response);
        async { Ok::<_, Infallible>(response) }
    });
    let service =
        Compression::new(given).quality(quality(&asked)).compress_when(|_, _, _: &_, _: &_| true);
    let Ok(response) = service.oneshot(asked).await;
    let compressed = response.headers().contains_key(header::CONTENT_ENCODING);
    response.map(|body| match compressed {
        // The place is given back with the body.
        true => Body::new(body.map_frame(move |frame| {
            let _ = &place;
            frame
        })),
        false => Body::new(body),
    })
}

/// At its fastest zstd is as small as gzip in the middle, and takes the least memory.
fn quality(asked: &http::Request<()>) -> CompressionLevel {
    let is_zstd = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.contains("zstd"));
    match asked.headers().get_all(header::ACCEPT_ENCODING).iter().any(is_zstd) {
        true => CompressionLevel::Fastest,
        false => CompressionLevel::Precise(5),
    }
}

fn is_worth_it(response: &Response) -> bool {
    let headers = response.headers();
    let of_kind = |kinds: &[&str]| {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        kind.is_some_and(|kind| kinds.iter().any(|one| kind.starts_with(one)))
    };
    let is_strong = |tag: &HeaderValue| !tag.as_bytes().starts_with(b"W/");
    let hint = response.body().size_hint();
    hint.exact().is_none_or(|octets| octets >= LEAST)
        && !headers.contains_key(header::CONTENT_ENCODING)
        && !headers.get(header::ETAG).is_some_and(is_strong)
        && of_kind(&["application/", "text/", "image/svg+xml"])
        && !of_kind(&AWAITED)
        && !of_kind(&["application/zip", "application/vnd.apache.parquet"])
}

/// Appends a value to a list header.
fn append(response: &mut Response, name: HeaderName, value: &'static str) {
    response.headers_mut().append(name, HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Members of answers that are secret, or stand beside one.
    const MEMBERS: [&str; 5] = ["token", "chain", "code", "sign_in_code", "sign_in_hash"];

    #[test]
    fn answers_with_a_secret_are_among_those_that_are_left() {
        let document = crate::openapi::document();
        let mut found = Vec::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for operation in methods.as_object().unwrap().values() {
                let answers = operation["responses"].as_object().unwrap();
                let schemas = answers.iter().filter(|(status, _)| status.starts_with('2'));
                let schemas = schemas.map(|(_, one)| &one["content"]["application/json"]["schema"]);
                let names = schemas.filter_map(|schema| schema["$ref"].as_str());
                let has_secret = |name: &str| {
                    let schema: Option<&Value> = document.pointer(&name[1..]);
                    MEMBERS.iter().any(|member| {
                        schema.is_some_and(|schema| schema["properties"][*member].is_object())
                    })
                };
                if names.into_iter().any(has_secret) {
                    found.push(path.as_str());
                }
            }
        }
        assert!(found.len() >= 3, "{found:?}");
        for path in found {
            assert!(SECRET.contains(&path), "{path} is compressed");
        }
    }
}
