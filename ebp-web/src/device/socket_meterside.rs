//! [`Meterside`] by the daemon's local socket: lines of JSON.

use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::PathBuf,
    time::Duration,
};

use ebp_device::socket::{Answer, Request, Status, Telegram};
use uuid::Uuid;

use super::meterside::{Meterside, MetersideError};

/// The longest answer: a hundred measurements and a few meters.
const LONGEST: u64 = 1 << 20;

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
        let answer = || -> std::io::Result<Answer> {
            let mut stream = UnixStream::connect(&self.path)?;
            stream.set_read_timeout(Some(wait))?;
            stream.set_write_timeout(Some(wait))?;
            let mut line = serde_json::to_vec(&request)?;
            line.push(b'\n');
            stream.write_all(&line)?;
            let mut text = Vec::new();
            BufReader::new(stream).take(LONGEST).read_until(b'\n', &mut text)?;
            Ok(serde_json::from_slice(&text)?)
        };
        answer().map_err(|error| {
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
            Answer::Telegram(_) => Err(MetersideError::Missing),
        }
    }

    fn now(&self, meter: Uuid) -> Result<Telegram, MetersideError> {
        match self.ask(Request::Now { meter }, Duration::from_secs(60))? {
            Answer::Telegram(telegram) => Ok(telegram),
            Answer::Refusal(refusal) => Err(MetersideError::Refused(refusal.reason)),
            Answer::Status(_) => Err(MetersideError::Missing),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use ebp_device::socket::Reason;

    use super::*;

    /// A daemon that gives one answer.
    fn answering(text: &'static str) -> (tempfile::TempDir, SocketMeterside) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("read.sock");
        let listener = UnixListener::bind(&path).unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = String::new();
            BufReader::new(&stream).read_line(&mut asked).unwrap();
            stream.write_all(text.as_bytes()).unwrap();
        });
        (folder, SocketMeterside::new(path))
    }

    #[test]
    fn answers_are_read() {
        let (_folder, meterside) = answering(
            "{\"refusal\":{\"reason\":\"no-consent\",\"detail\":\"consent is not granted\"}}\n",
        );
        let refused = meterside.now(Uuid::nil());
        assert_eq!(refused, Err(MetersideError::Refused(Reason::NoConsent)));
    }

    #[test]
    fn a_daemon_that_is_gone_or_talks_nonsense_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let gone = SocketMeterside::new(folder.path().join("read.sock"));
        assert_eq!(gone.status(), Err(MetersideError::Missing));
        for text in ["", "{}\n", "x\n", "{\"status\":{}}\n"] {
            assert_eq!(answering(text).1.status(), Err(MetersideError::Missing), "{text}");
        }
    }
}
