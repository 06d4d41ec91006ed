//! A client that costs little: requests are octets made before, of answers only what is asked for
//! is read.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use ebp_survey::authority::Authority;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// The authority as clients trust it.
pub fn roots(authority: &Authority) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let der = CertificateDer::from_pem_slice(authority.certificate_pem().as_bytes()).unwrap();
    roots.add(der).unwrap();
    roots.into()
}

/// A client's TLS, with that chain and key (PEM) or without.
pub fn tls(roots: &Arc<RootCertStore>, identity: Option<(&str, &str)>) -> Arc<ClientConfig> {
    let config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots.clone());
    let config = match identity {
        None => config.with_no_client_auth(),
        Some((chain, key)) => {
            let chain =
                CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<_, _>>().unwrap();
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            config.with_client_auth_cert(chain, key).unwrap()
        }
    };
    config.into()
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub retry_after: Option<Duration>,
    pub close: bool,
    pub body: Vec<u8>,
}

trait Stream: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send {}
impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send> Stream for T {}

/// A connection that is kept.
pub struct Connection {
    stream: Box<dyn Stream>,
    read: Vec<u8>,
}

impl Connection {
    /// Over TLS.
    pub async fn tls(address: SocketAddr, config: &Arc<ClientConfig>) -> std::io::Result<Self> {
        Ok(Self { stream: Box::new(handshake(address, config).await?), read: Vec::new() })
    }

    /// Over TLS, from that address of this machine.
    pub async fn tls_from(
        source: [u8; 4],
        address: SocketAddr,
        config: &Arc<ClientConfig>,
    ) -> std::io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((source, 0).into())?;
        let stream = socket.connect(address).await?;
        Ok(Self { stream: Box::new(secure(stream, address, config).await?), read: Vec::new() })
    }

    /// In the clear.
    pub async fn plain(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: Box::new(stream), read: Vec::new() })
    }

    /// Sends the request and reads its answer.
    pub async fn send(&mut self, request: &[u8]) -> std::io::Result<Answer> {
        self.stream.write_all(request).await?;
        self.stream.flush().await?;
        self.read.clear();
        let ended = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        let head = loop {
            if let Some(end) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err(ended());
            }
        };
        let text = String::from_utf8_lossy(&self.read[..head]).to_ascii_lowercase();
        let header =
            |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let length: usize = header("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
        let status = text.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
        let seconds = header("retry-after").and_then(|seconds| seconds.parse().ok());
        let close = header("connection") == Some("close");
        while self.read.len() < head + length {
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err(ended());
            }
        }
        let body = self.read[head..].to_vec();
        Ok(Answer { status, retry_after: seconds.map(Duration::from_secs), close, body })
    }
}

/// A TLS connection.
pub async fn handshake(
    address: SocketAddr,
    config: &Arc<ClientConfig>,
) -> std::io::Result<TlsStream<TcpStream>> {
    secure(TcpStream::connect(address).await?, address, config).await
}

async fn secure(
    stream: TcpStream,
    address: SocketAddr,
    config: &Arc<ClientConfig>,
) -> std::io::Result<TlsStream<TcpStream>> {
    stream.set_nodelay(true)?;
    let name = ServerName::from(address.ip());
    TlsConnector::from(config.clone()).connect(name, stream).await
}

/// A request with a JSON body.
pub fn post(path: &str, body: &[u8]) -> Vec<u8> {
    let mut request = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    request
}

/// A request without a body; `headers` end in CRLF each.
pub fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}\r\n").into_bytes()
}
