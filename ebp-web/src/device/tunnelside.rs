//! What the pages ask of `ebp tunnel` on the same device, by its local socket. It alone writes: who
//! connects, and what the household chose.

use std::{path::PathBuf, time::Duration};

use ebp_fleet::tunnel::local::{Answer, LoggedSession, Request, Status};
use jiff::Timestamp;

use super::local_socket;

/// How long an answer is waited for.
const WAIT: Duration = Duration::from_secs(10);

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TunnelsideError {
    /// It does not run, or has no socket there.
    #[error("the tunnel does not answer")]
    Missing,
    /// It refuses: the configuration never permits access, or its log cannot be used.
    #[error("the tunnel refuses")]
    Refused,
}

/// The device's end of the tunnel. Each call blocks its thread.
pub trait Tunnelside: Send + Sync {
    /// Its status.
    ///
    /// # Errors
    /// Returns [`TunnelsideError`]; so does every function here.
    fn status(&self) -> Result<Status, TunnelsideError>;
    /// The latest sessions, newest first.
    ///
    /// # Errors
    /// See [`Self::status`].
    fn sessions(&self, most: u32) -> Result<Vec<LoggedSession>, TunnelsideError>;
    /// Lets administrators in until then; not at all if that has passed; as the configuration says
    /// without it.
    ///
    /// # Errors
    /// See [`Self::status`].
    fn set_access(&self, until: Option<Timestamp>) -> Result<Status, TunnelsideError>;
}

/// [`Tunnelside`] by the socket.
#[derive(Debug, Clone)]
pub struct SocketTunnelside {
    path: PathBuf,
}

impl SocketTunnelside {
    /// The socket at that path, which is opened for each request.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    fn ask(&self, request: &Request) -> Result<Answer, TunnelsideError> {
        match local_socket::ask(&self.path, request, WAIT) {
            Ok(Answer::Refusal(why)) => {
                tracing::warn!("the tunnel refuses: {why}");
                Err(TunnelsideError::Refused)
            }
            Ok(answer) => Ok(answer),
            Err(error) => {
                tracing::debug!("{}: {error}", self.path.display());
                Err(TunnelsideError::Missing)
            }
        }
    }

    fn ask_status(&self, request: &Request) -> Result<Status, TunnelsideError> {
        match self.ask(request)? {
            Answer::Status(status) => Ok(status),
            _ => Err(TunnelsideError::Missing),
        }
    }
}

impl Tunnelside for SocketTunnelside {
    fn status(&self) -> Result<Status, TunnelsideError> {
        self.ask_status(&Request::Status {})
    }

    fn sessions(&self, most: u32) -> Result<Vec<LoggedSession>, TunnelsideError> {
        match self.ask(&Request::Sessions { most })? {
            Answer::Sessions(sessions) => Ok(sessions),
            _ => Err(TunnelsideError::Missing),
        }
    }

    fn set_access(&self, until: Option<Timestamp>) -> Result<Status, TunnelsideError> {
        self.ask_status(&Request::SetAccess { until })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::local_socket::tests::answering;

    #[test]
    fn a_refusal_is_none_and_so_is_nonsense() {
        for (text, expected) in [
            ("{\"refusal\":\"never\"}\n", TunnelsideError::Refused),
            ("{\"sessions\":[]}\n", TunnelsideError::Missing),
            ("", TunnelsideError::Missing),
            ("{\"status\":{}}\n", TunnelsideError::Missing),
        ] {
            let (_folder, path) = answering(text);
            assert_eq!(SocketTunnelside::new(path).set_access(None), Err(expected), "{text}");
        }
        let (_folder, path) = answering("{\"sessions\":[]}\n");
        assert_eq!(SocketTunnelside::new(path).sessions(9), Ok(Vec::new()));
    }
}
