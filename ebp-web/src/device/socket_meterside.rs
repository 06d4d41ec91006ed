//! [`Meterside`] by the daemon's local socket: lines of JSON.

use std::{path::PathBuf, time::Duration};

use ebp_device::socket::{Answer, Request, Status, Telegram};
use uuid::Uuid;

use super::{
    local_socket,
    meterside::{Meterside, MetersideError},
};

/// The daemon's socket.
#[derive(Debug, Clone)]
pub struct SocketMeterside {
    path: PathBuf,
}

impl SocketMeterside {
    /// The socket at that path, which is opened for each request.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    fn ask(&self, request: Request, wait: Duration) -> Result<Answer, MetersideError> {
        local_socket::ask(&self.path, &request, wait).map_err(|error| {
            tracing::debug!("{}: {error}", self.path.display());
            MetersideError::Missing
        })
    }
}

impl Meterside for SocketMeterside {
    fn status(&self) -> Result<Status, MetersideError> {
        match self.ask(Request::Status {}, Duration::from_secs(10))? {
            Answer::Status(status) => Ok(*status),
            Answer::Refusal(refusal) => Err(MetersideError::Refused(refusal.reason)),
            Answer::Telegram(_) | Answer::Taken {} => Err(MetersideError::Missing),
        }
    }

    fn now(&self, meter: Uuid) -> Result<Telegram, MetersideError> {
        match self.ask(Request::Now { meter }, Duration::from_secs(60))? {
            Answer::Telegram(telegram) => Ok(telegram),
            Answer::Refusal(refusal) => Err(MetersideError::Refused(refusal.reason)),
            Answer::Status(_) | Answer::Taken {} => Err(MetersideError::Missing),
        }
    }
}

#[cfg(test)]
mod tests {
    use ebp_device::socket::Reason;

    use super::*;
    use crate::device::local_socket::tests::answering;

    #[test]
    fn answers_are_read() {
        let (_folder, path) = answering(
            "{\"refusal\":{\"reason\":\"no-consent\",\"detail\":\"consent is not granted\"}}\n",
        );
        let refused = SocketMeterside::new(path).now(Uuid::nil());
        assert_eq!(refused, Err(MetersideError::Refused(Reason::NoConsent)));
    }

    #[test]
    fn a_daemon_that_is_gone_or_talks_nonsense_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let gone = SocketMeterside::new(folder.path().join("read.sock"));
        assert_eq!(gone.status(), Err(MetersideError::Missing));
        for text in ["", "{}\n", "x\n", "{\"status\":{}}\n"] {
            let (_folder, path) = answering(text);
            let status = SocketMeterside::new(path).status();
            assert_eq!(status, Err(MetersideError::Missing), "{text}");
        }
    }
}
