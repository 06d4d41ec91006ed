//! What each request has to pass before a page sees it, and the headers that every answer gets.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{defence::Defence, host::HostNames};

/// How long a request may take, its body included.
const WHOLE_REQUEST: Duration = Duration::from_secs(120);

/// What browsers may load and do on a page.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types ebp";

const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    // `no-referrer` would turn the `Origin` of the page's own forms into `null`.
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=(), display-capture=(), fullscreen=(), browsing-topics=()",
    ),
    (HeaderName::from_static("x-robots-tag"), "noindex"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// Why a request is refused before any page sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// `Host` is missing, given twice, or no name of this page.
    Host,
    /// A request that changes something comes from another page.
    Origin,
    /// A request of another method than GET, HEAD and POST.
    Method,
    /// It took too long.
    Time,
}

/// Makes the page that a refused request is answered with.
pub type RefusalPage = dyn Fn(Refused, &HeaderMap) -> Response + Send + Sync;

/// The checks.
#[derive(Clone)]
pub struct Checks {
    /// The page's names.
    pub hosts: Arc<HostNames>,
    /// `http` or `https`, as browsers see it.
    pub scheme: &'static str,
    /// What is shown when a request is refused.
    pub page: Arc<RefusalPage>,
}

/// Checks a request, and adds the headers to its answer. It runs before routing, so that it holds
/// for every path, those of static files included.
pub async fn check(State(checks): State<Checks>, request: Request, next: Next) -> Response {
    let is_head = request.method() == Method::HEAD;
    let mut response = match refuse(&checks, &request) {
        Some(refused) => (checks.page)(refused, request.headers()),
        None => {
            let headers = request.headers().clone();
            match tokio::time::timeout(WHOLE_REQUEST, next.run(request)).await {
                Ok(response) => response,
                Err(_) => (checks.page)(Refused::Time, &headers),
            }
        }
    };
    add_headers(response.headers_mut(), checks.scheme);
    if is_head {
        *response.body_mut() = Body::empty();
    }
    response
}

fn refuse(checks: &Checks, request: &Request) -> Option<Refused> {
    let headers = request.headers();
    let Some(host) = only(headers, &header::HOST) else { return Some(Refused::Host) };
    // An absolute request target has to name the same host.
    let target = request.uri().authority().map(axum::http::uri::Authority::as_str);
    let is_own = checks.hosts.contains(host) && target.is_none_or(|target| target == host);
    if !is_own && Defence::Host.is_on() {
        return Some(Refused::Host);
    }
    match *request.method() {
        Method::GET | Method::HEAD => None,
        Method::POST => {
            let own = format!("{}://{host}", checks.scheme);
            let is_own =
                only(headers, &header::ORIGIN).is_some_and(|from| from.eq_ignore_ascii_case(&own));
            // Browsers send it to loopback and https only; where it is there it has to agree.
            let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
            let is_own = is_own && site.is_none_or(|site| site == b"same-origin");
            (!is_own && Defence::Origin.is_on()).then_some(Refused::Origin)
        }
        _ => Some(Refused::Method),
    }
}

/// The value of a header that is there exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn add_headers(headers: &mut HeaderMap, scheme: &str) {
    // Browsers ignore it on `http://` names, and complain in the console.
    if scheme == "https" {
        let name = HeaderName::from_static("cross-origin-opener-policy");
        headers.insert(name, HeaderValue::from_static("same-origin"));
    }
    for (name, value) in HEADERS {
        let is_policy = [header::CONTENT_SECURITY_POLICY, header::X_FRAME_OPTIONS].contains(&name);
        if is_policy && !Defence::Policy.is_on() {
            continue;
        }
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Static files say otherwise. Without this, Back shows the figures after sign-out.
    if Defence::NoStore.is_on() {
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
}

impl Refused {
    /// The answer's status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Host => StatusCode::MISDIRECTED_REQUEST,
            Self::Origin => StatusCode::FORBIDDEN,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Time => StatusCode::REQUEST_TIMEOUT,
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        self.status().into_response()
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, middleware, routing::get};
    use tower::ServiceExt;

    use super::*;

    async fn answer(method: &str, headers: &[(&str, &str)]) -> Response {
        let checks = Checks {
            hosts: Arc::new(HostNames::new("ebp", &[])),
            scheme: "http",
            page: Arc::new(|refused, _| refused.into_response()),
        };
        let router = Router::new()
            .route("/", get(async || "ok").post(async || "ok").delete(async || "ok"))
            .layer(middleware::from_fn_with_state(checks, check));
        let mut request = Request::builder().method(method).uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    async fn status(method: &str, headers: &[(&str, &str)]) -> u16 {
        answer(method, headers).await.status().as_u16()
    }

    #[tokio::test]
    async fn a_name_that_is_not_ours_gets_nothing() {
        assert_eq!(status("GET", &[("host", "ebp.local")]).await, 200);
        assert_eq!(status("GET", &[("host", "ebp.attacker.example")]).await, 421);
        assert_eq!(status("GET", &[]).await, 421);
        assert_eq!(status("GET", &[("host", "ebp"), ("host", "ebp")]).await, 421);
    }

    #[tokio::test]
    async fn only_own_pages_change_anything() {
        let post = async |headers: &[(&str, &str)]| {
            let host = [("host", "ebp.local:8080")];
            status("POST", &[&host[..], headers].concat()).await
        };
        assert_eq!(post(&[("origin", "http://ebp.local:8080")]).await, 200);
        for origin in [
            "null",
            "http://ebp.local",
            "http://ebp.local:8081",
            "https://ebp.local:8080",
            "http://nas.local:8080",
            "http://attacker.example",
            "http://ebp.local:8080.attacker.example",
            "",
        ] {
            assert_eq!(post(&[("origin", origin)]).await, 403, "{origin}");
        }
        assert_eq!(post(&[]).await, 403);
        let own = ("origin", "http://ebp.local:8080");
        assert_eq!(post(&[own, own]).await, 403);
        assert_eq!(post(&[own, ("sec-fetch-site", "same-origin")]).await, 200);
        assert_eq!(post(&[own, ("sec-fetch-site", "same-site")]).await, 403);
        assert_eq!(status("DELETE", &[("host", "ebp")]).await, 405);
    }

    #[tokio::test]
    async fn every_answer_has_the_headers() {
        for host in ["ebp", "attacker.example"] {
            let answer = answer("GET", &[("host", host)]).await;
            for (name, value) in HEADERS {
                assert_eq!(answer.headers()[&name], value, "{name} for {host}");
            }
            assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
            assert!(!answer.headers().contains_key("strict-transport-security"));
        }
    }
}
