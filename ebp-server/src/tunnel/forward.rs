//! Forwards a session by one hop, to the server that has the device's tunnel.

use std::time::Duration;

use ebp_core::contract::{paths, problem_type};
use ebp_fleet::tunnel::{
    Refusal, Upgraded,
    dial::{Connection, Destination, Dial, DialError},
    protocol,
    server::OpenRequest,
};
use tokio::time::timeout;
use uuid::Uuid;

use super::tunnels::Tunnels;
use crate::problem::{ApiError, TunnelError};

/// How long the other server may take: less than an administrator waits.
const FORWARD: Duration = Duration::from_secs(8);

impl Tunnels {
    /// Asks the server at `url` for a session. None if it does not have the tunnel, or is not there.
    pub(super) async fn forward(
        &self,
        url: &str,
        device: Uuid,
        request: &OpenRequest,
    ) -> Result<Option<Upgraded<Connection>>, ApiError> {
        let Some(tls) = self.peers.clone() else {
            return Err(ApiError::Internal("this server has no certificate for others".to_owned()));
        };
        let destination = Destination::parse(url)
            .map_err(|error| ApiError::Internal(format!("another server's address: {error}")))?;
        let dial = Dial { destination, tls, proxy: None };
        let headers = [
            (protocol::SERVICE, request.service.clone()),
            (protocol::ADMINISTRATOR, request.administrator.clone()),
            (protocol::SESSION, request.session.to_string()),
        ];
        let path = paths::INTERNAL_TUNNEL.replace("{device}", &device.to_string());
        let asked = dial.upgrade(&path, protocol::SESSION_PROTOCOL, &headers);
        match timeout(FORWARD, asked).await {
            Ok(Ok(connection)) => Ok(Some(connection)),
            Ok(Err(error)) => judge(&error),
            Err(_) => Err(TunnelError::Silent.into()),
        }
    }
}

/// What the other server's answer means.
fn judge(error: &DialError) -> Result<Option<Upgraded<Connection>>, ApiError> {
    let Some(Refusal { status, kind, text, .. }) = error.refusal() else {
        return match error {
            DialError::Connect(source)
                if source.kind() == std::io::ErrorKind::ConnectionRefused =>
            {
                Ok(None)
            }
            error => {
                tracing::warn!(%error, "another server cannot be asked for a device's tunnel");
                Err(TunnelError::Silent.into())
            }
        };
    };
    Err(match (status, kind.as_str()) {
        (404, problem_type::NOT_FOUND) if text == NO_SERVICE => TunnelError::NoService.into(),
        (404, _) => return Ok(None),
        (409, problem_type::ACCESS_SWITCHED_OFF) => TunnelError::SwitchedOff.into(),
        (401 | 403, _) => {
            ApiError::Internal(format!("another server refuses this one with status {status}"))
        }
        (status, _) => {
            tracing::debug!(status, %text, "another server refuses a session");
            TunnelError::Refused(*status).into()
        }
    })
}

/// What distinguishes a service that a device does not have from a device that a server does not.
const NO_SERVICE: &str = "the device allows no service of that name";
