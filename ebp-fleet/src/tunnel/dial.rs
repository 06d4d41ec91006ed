//! Connects to the Data API: resolved anew each time, all addresses, directly or through a proxy.

use std::{collections::VecDeque, io, net::SocketAddr, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use rustls::{
    ClientConfig,
    pki_types::{InvalidDnsNameError, ServerName},
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpStream, lookup_host},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use url::{Host, Url};

#[cfg(feature = "device")]
use std::net::{IpAddr, UdpSocket};

use super::{
    ProxyAddress, ReadAhead, UpgradeError,
    upgrade::{UpgradeRequest, Upgraded, read_head, upgrade},
};

/// The pause between two addresses of a name (RFC 8305).
const NEXT_ADDRESS: Duration = Duration::from_millis(250);
/// How long connecting may take in all.
const CONNECT: Duration = Duration::from_secs(5);
/// How long encryption, and then the answer, may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    host: String,
    port: u16,
    /// Host and port as the server is addressed.
    authority: String,
    /// What precedes every path.
    prefix: String,
}

/// An address that is none of HTTPS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no address such as https://ebp.example.org:8443")]
pub struct InvalidDestination(String);

impl Destination {
    /// The server at that address.
    ///
    /// # Errors
    /// [`InvalidDestination`] if it is not one of HTTPS, or names a user or query.
    pub fn parse(text: &str) -> Result<Self, InvalidDestination> {
        let invalid = || InvalidDestination(text.to_owned());
        let url = Url::parse(text).map_err(|_| invalid())?;
        let plain = url.scheme() == "https"
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        let host = url.host().filter(|_| plain).ok_or_else(invalid)?;
        let port = url.port_or_known_default().ok_or_else(invalid)?;
        let authority = format!("{host}:{port}");
        let host = match host {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let prefix = url.path().trim_end_matches('/').to_owned();
        Ok(Self { host, port, authority, prefix })
    }

    /// Host and port.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// The name has no address: mostly this machine has no network.
    #[error("cannot resolve the name of the server: {0}")]
    Resolve(#[source] io::Error),
    /// Nobody answers at any address.
    #[error("cannot connect: {0}")]
    Connect(#[source] io::Error),
    /// The proxy refuses.
    #[error("the proxy refuses with status {0}")]
    Proxy(u16),
    /// What is at the proxy's address does not speak HTTP.
    #[error("the proxy's answer cannot be read")]
    NoProxy,
    /// The name is none that a certificate can have.
    #[error("the server's name cannot be in a certificate")]
    Name(#[from] InvalidDnsNameError),
    /// Encryption fails: mostly another authority, or a clock that is wrong.
    #[error("cannot encrypt the connection: {0}")]
    Tls(#[source] io::Error),
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// There is a connection, but the server does not agree.
    #[error(transparent)]
    Upgrade(#[from] UpgradeError),
}

impl DialError {
    /// The refusal, if it is the server's.
    #[must_use]
    pub fn refusal(&self) -> Option<&super::Refusal> {
        match self {
            Self::Upgrade(UpgradeError::Refused(refusal)) => Some(refusal),
            _ => None,
        }
    }

    /// Whether the server refused this end's certificate in the handshake. TLS 1.3 tells that only
    /// with the first answer.
    #[must_use]
    pub fn is_certificate_refused(&self) -> bool {
        let (Self::Tls(error) | Self::Upgrade(UpgradeError::Broken(error))) = self else {
            return false;
        };
        let error = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
        use rustls::AlertDescription as Alert;
        matches!(
            error,
            Some(rustls::Error::AlertReceived(
                Alert::BadCertificate
                    | Alert::UnsupportedCertificate
                    | Alert::CertificateExpired
                    | Alert::CertificateRevoked
                    | Alert::CertificateUnknown
                    | Alert::UnknownCA
                    | Alert::AccessDenied
                    | Alert::CertificateRequired
            ))
        )
    }
}

/// How a server is reached.
#[derive(Clone)]
pub struct Dial {
    /// Where it is.
    pub destination: Destination,
    /// Whom it trusts and who asks.
    pub tls: Arc<ClientConfig>,
    /// The proxy in between.
    pub proxy: Option<ProxyAddress>,
}

/// An encrypted connection.
pub type Connection = TlsStream<ReadAhead<TcpStream>>;

impl Dial {
    /// Connects and asks for another protocol.
    ///
    /// # Errors
    /// [`DialError`], which says at which step it ended.
    pub async fn upgrade(
        &self,
        path: &str,
        protocol: &str,
        headers: &[(&str, String)],
    ) -> Result<Upgraded<Connection>, DialError> {
        let stream = self.connect().await?;
        let path = format!("{}{path}", self.destination.prefix);
        let host = self.destination.authority();
        let request = UpgradeRequest { host, path: &path, protocol, headers };
        let upgraded = timeout(HANDSHAKE, upgrade(stream, &request)).await;
        Ok(upgraded.map_err(|_| DialError::Timeout)??)
    }

    async fn connect(&self) -> Result<Connection, DialError> {
        let Destination { host, port, authority, .. } = &self.destination;
        let stream = match &self.proxy {
            None => reach(host, *port).await?,
            Some(proxy) => through(proxy, authority).await?,
        };
        send_at_once(&stream);
        let name = ServerName::try_from(host.clone())?;
        let tls = TlsConnector::from(self.tls.clone());
        let connecting = tls.connect(name, ReadAhead::new(stream));
        let connected = timeout(HANDSHAKE, connecting).await;
        connected.map_err(|_| DialError::Timeout)?.map_err(DialError::Tls)
    }
}

/// The address that this machine would use towards that one now; none without a route.
#[cfg(feature = "device")]
pub(super) fn local_address(server: SocketAddr) -> Option<IpAddr> {
    let any = if server.is_ipv6() { IpAddr::from([0_u16; 8]) } else { IpAddr::from([0_u8; 4]) };
    // No packet is sent: a datagram socket only asks for the route.
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(server).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// Sends small pieces at once, as people who type expect it. It works without.
pub(super) fn send_at_once(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
}

async fn reach(host: &str, port: u16) -> Result<TcpStream, DialError> {
    let reached = timeout(CONNECT, async {
        let addresses = lookup_host((host, port)).await.map_err(DialError::Resolve)?;
        connect_any(alternate(addresses)).await.map_err(DialError::Connect)
    });
    reached.await.map_err(|_| DialError::Timeout)?
}

/// The addresses, those of both families in turn.
fn alternate(addresses: impl Iterator<Item = SocketAddr>) -> VecDeque<SocketAddr> {
    let (mut six, mut four): (VecDeque<_>, VecDeque<_>) = addresses.partition(SocketAddr::is_ipv6);
    let mut all = VecDeque::with_capacity(six.len() + four.len());
    while !(six.is_empty() && four.is_empty()) {
        all.extend(six.pop_front());
        all.extend(four.pop_front());
    }
    all
}

/// The first connection that is made; each address gets a start before the next one.
async fn connect_any(mut addresses: VecDeque<SocketAddr>) -> io::Result<TcpStream> {
    let mut attempts = JoinSet::new();
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        if let Some(address) = addresses.pop_front() {
            attempts.spawn(TcpStream::connect(address));
        }
        tokio::select! {
            Some(ended) = attempts.join_next() => match ended {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = error,
                Err(_) => {}
            },
            () = sleep(NEXT_ADDRESS), if !addresses.is_empty() => {}
            else => return Err(last),
        }
    }
}

async fn through(proxy: &ProxyAddress, authority: &str) -> Result<TcpStream, DialError> {
    let mut stream = reach(&proxy.host, proxy.port).await?;
    let mut head = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
    if let Some(credentials) = &proxy.credentials {
        let credentials = BASE64_STANDARD.encode(credentials);
        head.push_str(&format!("Proxy-Authorization: Basic {credentials}\r\n"));
    }
    head.push_str("\r\n");
    let asked = timeout(HANDSHAKE, async {
        stream.write_all(head.as_bytes()).await.map_err(DialError::Connect)?;
        read_head(&mut stream).await.map_err(|_| DialError::NoProxy)
    });
    let (answer, rest) = asked.await.map_err(|_| DialError::Timeout)??;
    match answer.status {
        // The server speaks only after the client: what is here already is not its.
        200 if rest.is_empty() => Ok(stream),
        200 => Err(DialError::NoProxy),
        status => Err(DialError::Proxy(status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations() {
        let server = Destination::parse("https://[::1]:8443/api/").unwrap();
        assert_eq!((server.host.as_str(), server.authority()), ("::1", "[::1]:8443"));
        assert_eq!(server.prefix, "/api");
        assert_eq!(
            Destination::parse("https://ebp.example").unwrap().authority(),
            "ebp.example:443"
        );
        for wrong in ["http://h", "h:1", "https://u@h", "https://h/?q", ""] {
            assert!(Destination::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn both_families_get_their_turn() {
        let parse = |text: &str| text.parse::<SocketAddr>().unwrap();
        let given = ["10.0.0.1:1", "10.0.0.2:1", "[::1]:1"].map(parse);
        let tried: Vec<_> = alternate(given.into_iter()).into_iter().collect();
        assert_eq!(tried, ["[::1]:1", "10.0.0.1:1", "10.0.0.2:1"].map(parse));
    }
}
