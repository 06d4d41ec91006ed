//! TCP bridges to a reading head: ser2net, network adapters.
//!
//! Enters: `host:port`. Leaves: [`TcpPort`]. Absent: Telnet, which [`super::telnet`] undoes, and RFC
//! 2217: the bridge's line settings are its own.

use std::{
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

use rustix::net::sockopt;

use super::{
    LineSettings, Port, PortError, PortName, Received,
    wait::{Ready, readable},
};

/// How long each of the host's addresses gets to answer.
const CONNECT: Duration = Duration::from_secs(5);
/// A dead peer (power failure, cable) sends nothing, not even an end: ask after 15 s of silence,
/// then every 5 s, and give up after the third question.
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_secs(15), Duration::from_secs(5), 3);
/// How long sent bytes may wait for room.
const WRITE: Duration = Duration::from_secs(5);

/// A bridge's raw bytes over TCP.
pub struct TcpPort {
    name: PortName,
    stream: TcpStream,
}

impl TcpPort {
    /// Connects to `host:port`.
    ///
    /// # Errors
    /// Returns `Unreachable`, with the error of the last address that was tried.
    pub fn connect(address: &str) -> Result<Self, PortError> {
        let name = PortName::Tcp(address.to_owned());
        let unreachable = |source| PortError::Unreachable { port: name.clone(), source };
        let mut last = io::Error::new(io::ErrorKind::AddrNotAvailable, "the name has no address");
        for address in address.to_socket_addrs().map_err(unreachable)? {
            match TcpStream::connect_timeout(&address, CONNECT).and_then(prepare) {
                Ok(stream) => return Ok(Self { name, stream }),
                Err(error) => last = error,
            }
        }
        Err(unreachable(last))
    }

    fn gone(&self) -> PortError {
        PortError::Vanished { port: self.name.clone() }
    }

    fn error(&self, source: io::Error) -> PortError {
        use io::ErrorKind as Kind;
        match source.kind() {
            Kind::ConnectionReset
            | Kind::ConnectionAborted
            | Kind::BrokenPipe
            | Kind::NotConnected
            | Kind::HostUnreachable
            | Kind::NetworkUnreachable
            | Kind::TimedOut => self.gone(),
            _ => PortError::Io { port: self.name.clone(), source },
        }
    }
}

fn prepare(stream: TcpStream) -> io::Result<TcpStream> {
    let (idle, interval, count) = KEEPALIVE;
    sockopt::set_socket_keepalive(&stream, true)?;
    sockopt::set_tcp_keepidle(&stream, idle)?;
    sockopt::set_tcp_keepintvl(&stream, interval)?;
    sockopt::set_tcp_keepcnt(&stream, count)?;
    // Light is timed by bytes: they must not wait for company.
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(WRITE))?;
    Ok(stream)
}

impl Port for TcpPort {
    fn name(&self) -> &PortName {
        &self.name
    }

    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<Received, PortError> {
        match readable(&self.stream, wait).map_err(|errno| self.error(errno.into()))? {
            Ready::No => return Ok(Received::Nothing),
            Ready::Gone => return Err(self.gone()),
            Ready::Yes => {}
        }
        match self.stream.read(buffer) {
            Ok(0) if !buffer.is_empty() => Err(self.gone()),
            Ok(count) => Ok(Received::Bytes(count)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Received::Nothing),
            Err(error) => Err(self.error(error)),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.stream.write_all(bytes).map_err(|error| self.error(error))
    }

    fn set_line(&mut self, _line: LineSettings) -> Result<bool, PortError> {
        Ok(false)
    }

    fn set_light(&mut self, _on: bool) -> Result<bool, PortError> {
        Ok(false)
    }

    fn is_live(&self) -> bool {
        true
    }
}
