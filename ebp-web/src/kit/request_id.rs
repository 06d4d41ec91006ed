//! An identifier of each request: on error pages, in the answer's header, and before the log's lines about
//! it, so that whoever asks for help can be helped.

use std::fmt::Write;

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use ring::rand::{SecureRandom, SystemRandom};
use tracing::Instrument;

/// The header of each answer.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    static CURRENT: String;
}

/// The identifier of the request that is being answered: `4f2a-91c0-77de`. Empty outside of one.
#[must_use]
pub fn current() -> String {
    CURRENT.try_with(Clone::clone).unwrap_or_default()
}

/// Gives a request its identifier. It has to be the outermost layer.
pub async fn identify(request: Request, next: Next) -> Response {
    let id = draw();
    let span = tracing::info_span!("request", %id);
    let mut response = CURRENT.scope(id.clone(), next.run(request)).instrument(span).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

fn draw() -> String {
    let mut bytes = [0; 6];
    // Without randomness all are alike, and nothing else is lost.
    let _ = SystemRandom::new().fill(&mut bytes);
    let mut text = String::with_capacity(14);
    for (place, byte) in bytes.iter().enumerate() {
        if place > 0 && place % 2 == 0 {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, middleware, routing::get};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn each_request_has_one_of_its_own() {
        assert_eq!(current(), "");
        let router =
            Router::new().route("/", get(async || current())).layer(middleware::from_fn(identify));
        let mut seen = Vec::new();
        for _ in 0..2 {
            let request = Request::get("/").header(HEADER, "forged").body(Body::empty()).unwrap();
            let answer = router.clone().oneshot(request).await.unwrap();
            let id = answer.headers()[HEADER].to_str().unwrap().to_owned();
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            assert_eq!((body.as_ref(), id.len()), (id.as_bytes(), 14));
            seen.push(id);
        }
        assert_ne!(seen[0], seen[1]);
    }
}
