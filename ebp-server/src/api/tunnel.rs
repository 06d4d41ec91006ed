//! Tunnels of devices, and sessions through them: connections that are upgraded, and lists.

use std::sync::Arc;

use axum::{
    Json,
    extract::{FromRequestParts, Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use ebp_core::contract::{Listing, Tunnel, TunnelSession};
use ebp_fleet::tunnel::{Heartbeat, protocol, server::OpenRequest};
use ebp_survey::Survey;
use hyper::upgrade::OnUpgrade;

use super::{
    management::{list_query, listing},
    query, uuid,
};
use crate::{
    auth::{Administrator, DeviceHolder, OtherServer, Source},
    problem::ApiError,
    tunnel::{Connect, Device, Passed, Tunnels},
};

/// The longest version of a program that is stored, bytes.
const LONGEST_VERSION: usize = 64;

/// The service that is meant where none is named.
const USUAL_SERVICE: &str = "ssh";

/// A connection that may be upgraded to the protocol that its request names.
pub struct Upgrade {
    connection: OnUpgrade,
    protocol: HeaderValue,
}

impl<S: Sync> FromRequestParts<S> for Upgrade {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let found = parts.headers.get(header::UPGRADE).cloned();
        let connection = parts.extensions.remove::<OnUpgrade>();
        let missing = || ApiError::Invalid("the request does not ask for an upgrade".to_owned());
        let (protocol, connection) = found.zip(connection).ok_or_else(missing)?;
        Ok(Self { connection, protocol })
    }
}

impl Upgrade {
    /// The connection, if its request asks for that protocol.
    fn require(self, protocol: &'static str) -> Result<OnUpgrade, ApiError> {
        if self.protocol.as_bytes().eq_ignore_ascii_case(protocol.as_bytes()) {
            return Ok(self.connection);
        }
        Err(ApiError::Invalid(format!("the header `Upgrade` must be {protocol}")))
    }
}

/// The answer after which the connection speaks that protocol.
fn switch(protocol: &'static str) -> Response {
    let headers = [(header::UPGRADE, protocol), (header::CONNECTION, "upgrade")];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

/// `GET /device/tunnel`: the device's tunnel, held until either end ends it.
pub async fn hold(
    State(tunnels): State<Arc<Tunnels>>,
    holder: DeviceHolder,
    upgrade: Upgrade,
    request: Request,
) -> Result<Response, ApiError> {
    let connection = upgrade.require(protocol::DEVICE_PROTOCOL)?;
    let headers = request.headers();
    let instance = text(headers, protocol::INSTANCE).and_then(|text| text.parse().ok());
    let seconds = text(headers, protocol::HEARTBEAT).and_then(|text| text.parse().ok());
    let wrong = |name| ApiError::Invalid(format!("the header `{name}` is missing or wrong"));
    let version = text(headers, protocol::VERSION).unwrap_or_default();
    let device = Device {
        device: holder.device,
        certificate: holder.certificate,
        instance: instance.ok_or_else(|| wrong(protocol::INSTANCE))?,
        version: version.chars().take(LONGEST_VERSION).collect(),
        heartbeat: seconds
            .and_then(Heartbeat::from_secs)
            .ok_or_else(|| wrong(protocol::HEARTBEAT))?,
        source: request.extensions().get().map(|Source(source)| *source),
    };
    tunnels.accept(device, connection).await?;
    Ok(switch(protocol::DEVICE_PROTOCOL))
}

/// `GET /management/tunnel/{device}/connect?service`: a session with a service of the device.
pub async fn connect(
    State(tunnels): State<Arc<Tunnels>>,
    administrator: Administrator,
    Path(device): Path<String>,
    uri: Uri,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    let device = uuid(&device)?;
    let mut service = USUAL_SERVICE.to_owned();
    query::read(&uri, &["service"], |_, value| {
        if !protocol::is_service_name(value) {
            return Err("`service` is no name of a service".into());
        }
        value.clone_into(&mut service);
        Ok(())
    })?;
    let connection = upgrade.require(protocol::SESSION_PROTOCOL)?;
    tunnels.connect(Connect { device, service, administrator }, connection).await?;
    Ok(switch(protocol::SESSION_PROTOCOL))
}

/// `GET /internal/tunnel/{device}`: a session of another server's administrator. It is never
/// forwarded again.
pub async fn pass(
    State(tunnels): State<Arc<Tunnels>>,
    _server: OtherServer,
    Path(device): Path<String>,
    upgrade: Upgrade,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let device = uuid(&device)?;
    let connection = upgrade.require(protocol::SESSION_PROTOCOL)?;
    let wrong = |name| ApiError::Invalid(format!("the header `{name}` is missing or wrong"));
    let named = |name: &'static str, is_good: fn(&str) -> bool| {
        text(&headers, name).filter(|text| is_good(text)).ok_or_else(|| wrong(name))
    };
    let session = text(&headers, protocol::SESSION).and_then(|text| text.parse().ok());
    let request = OpenRequest {
        service: named(protocol::SERVICE, protocol::is_service_name)?.to_owned(),
        administrator: named(protocol::ADMINISTRATOR, protocol::is_administrator_name)?.to_owned(),
        session: session.ok_or_else(|| wrong(protocol::SESSION))?,
    };
    tunnels.pass(Passed { device, request }, connection).await?;
    Ok(switch(protocol::SESSION_PROTOCOL))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// `GET /management/tunnel?limit&cursor`: every device that ever had a tunnel, by when it began.
pub async fn list(
    State(survey): State<Arc<Survey>>,
    uri: Uri,
) -> Result<Json<Listing<Tunnel>>, ApiError> {
    let page = survey.store().tunnels(list_query(&uri)?, survey.clock().now()).await?;
    Ok(Json(listing(page)))
}

/// `DELETE /management/tunnel/session/{uuid}`: ends it, and answers how it ended.
pub async fn end(
    State(tunnels): State<Arc<Tunnels>>,
    administrator: Administrator,
    Path(session): Path<String>,
) -> Result<Json<TunnelSession>, ApiError> {
    Ok(Json(tunnels.end_session(uuid(&session)?, administrator.name()).await?))
}

/// `GET /management/tunnel/session?limit&cursor`: sessions, oldest first.
pub async fn sessions(
    State(survey): State<Arc<Survey>>,
    uri: Uri,
) -> Result<Json<Listing<TunnelSession>>, ApiError> {
    Ok(Json(listing(survey.store().tunnel_sessions(list_query(&uri)?).await?)))
}
