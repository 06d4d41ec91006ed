//! The listener of the pages of researchers and administrators, beside that of the Data API.
//!
//! Enters: how pages are made, a bound socket. Leaves: what they are made of. Absent: HTML; certificates
//! of clients, which browsers are never asked for here.

mod certificate;
mod state;

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderName},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use ebp_survey::{ServerState, Survey, VerifySecret};

use crate::{
    ServeError,
    answer::Template,
    auth::Source,
    limit::{Client, Requests},
    listener::Transport,
    request::log,
    telemetry::Telemetry,
    web_settings::WebSettings,
};
pub(crate) use state::PageServer;

/// Where proxies say whom they forward a request of.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What pages are made of.
#[derive(Clone)]
pub struct PageParts {
    /// The survey.
    pub survey: Arc<Survey>,
    /// Verifies the groups' secrets.
    pub secrets: Arc<dyn VerifySecret>,
    /// The server itself.
    pub server: Arc<dyn ServerState>,
    /// The survey's time zone, by its IANA name.
    pub zone: String,
    /// Names by which browsers reach the pages.
    pub hostnames: Vec<String>,
    /// `http` or `https`, as browsers see it.
    pub scheme: &'static str,
}

/// Makes pages. Requests have the browser's address ([`IpAddr`]) and the request's identifier
/// ([`uuid::Uuid`]) among their extensions.
pub type Pages = Box<dyn FnOnce(PageParts) -> Router + Send>;

/// A server's own pages: how they are made, and where they are served.
pub struct OwnPages {
    /// Makes them.
    pub pages: Pages,
    /// A bound socket.
    pub listener: tokio::net::TcpListener,
}

/// How the listener protects what it carries. A certificate is read again as it changes, until the
/// server ends.
pub(crate) fn transport(settings: &WebSettings) -> Result<Transport, ServeError> {
    Ok(match &settings.certificate {
        Some(files) => Transport::Tls(certificate::server_config(files)?.into()),
        None => Transport::Plain,
    })
}

/// What the pages' requests pass before any page sees them.
#[derive(Clone)]
struct Entrance {
    proxies: Arc<[IpAddr]>,
    requests: Arc<Requests>,
}

/// The pages with what surrounds them: where a request comes from, how often it may, its line in the
/// log.
pub(crate) fn surrounded(
    pages: Router,
    settings: &WebSettings,
    requests: Arc<Requests>,
    telemetry: Arc<Telemetry>,
) -> Router {
    let entrance = Entrance { proxies: settings.trusted_proxies.as_slice().into(), requests };
    pages
        .layer(middleware::from_fn_with_state(entrance, enter))
        .layer(middleware::from_fn_with_state(telemetry, log))
}

async fn enter(State(entrance): State<Entrance>, mut request: Request, next: Next) -> Response {
    let Some(Source(peer)) = request.extensions().get().copied() else {
        return crate::ApiError::Internal("no source".into()).into_response();
    };
    let source = origin(peer, &entrance.proxies, request.headers());
    if let Err(error) = entrance.requests.admit(Client::Address(source)) {
        return error.into_response();
    }
    request.extensions_mut().insert(source);
    let mut response = next.run(request).await;
    response.extensions_mut().insert(Template("pages"));
    response
}

/// Where a request comes from: the peer, or what trusted proxies say, from the nearest on.
fn origin(peer: IpAddr, proxies: &[IpAddr], headers: &HeaderMap) -> IpAddr {
    let is_proxy = |address: IpAddr| proxies.contains(&address.to_canonical());
    let mut origin = peer;
    let said: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    for address in said.into_iter().rev() {
        if !is_proxy(origin) {
            break;
        }
        let Ok(address) = address.trim().parse() else { break };
        origin = address;
    }
    origin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_say_where_a_request_comes_from() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let proxies = [address("10.0.0.1"), address("10.0.0.2")];
        let from = |peer: &str, said: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in said {
                headers.append(FORWARDED_FOR, value.parse().unwrap());
            }
            origin(address(peer), &proxies, &headers).to_string()
        };
        assert_eq!(from("192.0.2.9", &["192.0.2.1"]), "192.0.2.9", "anybody could say that");
        assert_eq!(from("10.0.0.1", &["198.51.100.7, 192.0.2.1"]), "192.0.2.1");
        assert_eq!(from("10.0.0.1", &["198.51.100.7", "192.0.2.1, 10.0.0.2"]), "192.0.2.1");
        assert_eq!(from("::ffff:10.0.0.1", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(from("10.0.0.1", &["unknown"]), "10.0.0.1");
        assert_eq!(from("10.0.0.1", &[]), "10.0.0.1");
    }
}
