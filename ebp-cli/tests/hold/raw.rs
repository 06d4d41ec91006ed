//! Requests written octet by octet over mutual TLS, as clients of the worst kind do.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    sync::Arc,
    time::Duration,
};

use ebp_client::identity::Identity;
use ebp_core::clock::SystemClock;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::support::{household::Certificate, server::Server};

/// For a connection, an octet or an answer; whoever is let wait for longer fails the test.
pub const SOON: Duration = Duration::from_secs(60);

/// A connection.
pub type Tls = StreamOwned<ClientConnection, TcpStream>;

/// The TLS of whoever has that certificate.
pub fn tls(server: &Server, certificate: &Certificate) -> Arc<ClientConfig> {
    let identity = Identity::load(&certificate.chain, &certificate.key, &server.ca()).unwrap();
    Arc::new(identity.client_config(Arc::new(SystemClock)).unwrap())
}

/// A connection whose handshake is complete.
pub fn connect(server: &Server, tls: &Arc<ClientConfig>) -> io::Result<Tls> {
    let stream = TcpStream::connect(("127.0.0.1", server.port()))?;
    stream.set_read_timeout(Some(SOON))?;
    stream.set_write_timeout(Some(SOON))?;
    let name = "localhost".try_into().unwrap();
    let mut stream = StreamOwned::new(ClientConnection::new(tls.clone(), name).unwrap(), stream);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    Ok(stream)
}

/// The head of an upload of so many octets, or in chunks.
pub fn upload_head(length: Option<usize>, encoding: &str) -> String {
    let length = length.map_or("transfer-encoding: chunked".to_owned(), |length| {
        format!("content-length: {length}")
    });
    let encoding = match encoding {
        "" => String::new(),
        packed => format!("content-encoding: {packed}\r\n"),
    };
    format!(
        "POST /household/meter/measurement HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/json\r\n{encoding}{length}\r\n\r\n"
    )
}

/// Cuts the connection in both directions, without a farewell.
pub fn hang_up(stream: &Tls) {
    let _ = stream.sock.shutdown(Shutdown::Both);
}

/// All that comes until the server closes.
pub fn rest(stream: &mut Tls) -> String {
    let mut answer = Vec::new();
    // A connection that is cut has no farewell; what came before it counts.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends it, as far as the server listens.
pub fn send(stream: &mut Tls, bytes: &[u8]) -> bool {
    stream.write_all(bytes).and_then(|()| stream.flush()).is_ok()
}
