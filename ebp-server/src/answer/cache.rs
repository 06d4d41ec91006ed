//! How long an answer may be kept, by whom, and whether the client has it already.

use axum::{
    body::{Body, HttpBody, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use ebp_core::contract::paths;
use ring::digest::{SHA256, digest};

use super::template::Template;
use crate::problem::ApiError;

/// What anybody may keep, and for how many seconds: it is the same for everybody and says nothing of
/// households. Everything else is kept by nobody: a back button must not show what a session has
/// seen, and a proxy nothing at all.
const KEPT: [(&str, u32); 5] = [
    (paths::ROOT, 3_600),
    (paths::OPENAPI, 3_600),
    (paths::DOCS, 3_600),
    (paths::GEO_REGIONS, 86_400),
    (paths::GEO_REGION, 86_400),
];

/// Whether anybody may keep what the route answers.
pub(crate) fn is_kept(path: &str) -> bool {
    KEPT.iter().any(|(kept, _)| *kept == path)
}

/// A longer answer is not marked: it is not held in memory for that. The longest is the OpenAPI
/// document with a fifth of it.
const MARKED: u64 = 1 << 20;

/// Says how long the answer may be kept, and answers 304 where the client has it.
pub(crate) async fn say_how_long(request: Request, next: Next) -> Response {
    let known = match *request.method() {
        Method::GET | Method::HEAD => request.headers().get(header::IF_NONE_MATCH).cloned(),
        _ => None,
    };
    let response = next.run(request).await;
    let path = Template::from_response(&response);
    let seconds = KEPT
        .iter()
        .find(|(kept, _)| response.status() == StatusCode::OK && Some(*kept) == path)
        .map(|(_, seconds)| *seconds);
    match seconds {
        Some(seconds) => marked(response, seconds, known.as_ref()).await,
        None => {
            let mut response = response;
            let headers = response.headers_mut();
            if !headers.contains_key(header::CACHE_CONTROL) {
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            }
            response
        }
    }
}

/// The answer with a mark by which it is known again.
async fn marked(mut response: Response, seconds: u32, known: Option<&HeaderValue>) -> Response {
    let says = HeaderValue::from_str(&format!("public, max-age={seconds}"));
    response.headers_mut().extend(says.ok().map(|says| (header::CACHE_CONTROL, says)));
    if response.body().size_hint().upper().is_none_or(|octets| octets > MARKED) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, usize::try_from(MARKED).unwrap_or(usize::MAX)).await else {
        return ApiError::Internal("an answer broke off".to_owned()).into_response();
    };
    if let Some(tag) = tag(&parts.headers, &body) {
        let same = known.is_some_and(|known| matches(known, &tag));
        parts.headers.insert(header::ETAG, tag);
        if same {
            parts.status = StatusCode::NOT_MODIFIED;
            parts.headers.remove(header::CONTENT_TYPE);
            parts.headers.remove(header::CONTENT_LENGTH);
            return Response::from_parts(parts, Body::empty());
        }
    }
    Response::from_parts(parts, Body::from(body))
}

/// The one that the handler set, or one of the content. It is weak: compressed, the same content has
/// other octets.
fn tag(headers: &HeaderMap, body: &[u8]) -> Option<HeaderValue> {
    if let Some(tag) = headers.get(header::ETAG) {
        return Some(tag.clone());
    }
    let digest = digest(&SHA256, body);
    let digits: String = digest.as_ref().iter().take(16).map(|o| format!("{o:02x}")).collect();
    HeaderValue::from_str(&format!("W/\"{digits}\"")).ok()
}

/// Whether the tag is among those of `If-None-Match` (weak comparison, RFC 9110, 8.8.3.2).
fn matches(known: &HeaderValue, tag: &HeaderValue) -> bool {
    let opaque = |text: &str| text.trim().trim_start_matches("W/").to_owned();
    let (Ok(known), Ok(tag)) = (known.to_str(), tag.to_str()) else { return false };
    known.trim() == "*" || known.split(',').any(|one| opaque(one) == opaque(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_among_others() {
        let tag = tag(&HeaderMap::new(), b"content").unwrap();
        let text = tag.to_str().unwrap().to_owned();
        let strong = text.trim_start_matches("W/").to_owned();
        for known in [text.clone(), strong, format!("\"x\", {text}"), "*".to_owned()] {
            assert!(matches(&HeaderValue::from_str(&known).unwrap(), &tag), "{known}");
        }
        for other in ["", "\"x\"", "W/\"\"", "W/", "\"*\""] {
            assert!(!matches(&HeaderValue::from_static(other), &tag), "{other}");
        }
        assert!(!matches(&HeaderValue::from_bytes(b"\xff").unwrap(), &tag));
    }
}
