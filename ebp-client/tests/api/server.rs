//! A server of one thread: it shakes hands, reads a request, gives the answer that it was told to.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        mpsc::{self, Receiver},
    },
    thread,
    time::Duration,
};

use ebp_client::{Client, ClientOptions, identity::Identity};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion, crypto::ring,
    server::WebPkiClientVerifier,
};

use crate::authority::{Authority, Wish};

/// A request as it arrived.
pub struct Request {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

pub struct Server {
    address: SocketAddr,
    pub requests: Receiver<Request>,
}

/// What a server's TLS is like.
pub struct Setting<'a> {
    pub authority: &'a Authority,
    pub wish: Wish,
    pub versions: &'a [&'static SupportedProtocolVersion],
}

impl<'a> Setting<'a> {
    pub fn new(authority: &'a Authority) -> Self {
        Self { authority, wish: Wish::default(), versions: rustls::ALL_VERSIONS }
    }
}

impl Server {
    /// Gives each connection the next answer; after the last it is gone.
    pub fn start(setting: &Setting<'_>, answers: Vec<Vec<u8>>) -> Self {
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(
            Arc::new(setting.authority.roots()),
            provider.clone(),
        )
        .with_crls([setting.authority.revocations()])
        .build()
        .unwrap();
        let (chain, key) = setting.authority.issue(&setting.wish).parsed();
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(setting.versions)
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = mpsc::channel();
        thread::spawn(move || {
            for answer in answers {
                let Ok((socket, _)) = listener.accept() else { return };
                let connection = ServerConnection::new(config.clone()).unwrap();
                let mut stream = StreamOwned::new(connection, socket);
                match serve(&mut stream, &answer) {
                    Ok(request) => drop(sender.send(request)),
                    // The alert is on its way; closing with bytes unread would overtake it.
                    Err(_) => drain(&mut stream.sock),
                }
            }
        });
        Self { address, requests }
    }

    /// A client that shows `identity`.
    pub fn client(&self, identity: &Identity) -> Client {
        self.client_with(identity, ClientOptions::default())
    }

    pub fn client_with(&self, identity: &Identity, options: ClientOptions) -> Client {
        let url = format!("https://localhost:{}/", self.address.port());
        Client::new(&url, identity, options).unwrap()
    }
}

fn serve(
    stream: &mut StreamOwned<ServerConnection, TcpStream>,
    answer: &[u8],
) -> io::Result<Request> {
    let mut reader = BufReader::new(&mut *stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let mut request = Request { line: line.trim_end().to_owned(), headers, body: Vec::new() };
    if let Some(length) = request.header("content-length") {
        request.body = vec![0; length.parse().unwrap()];
        reader.read_exact(&mut request.body)?;
    }
    if answer.is_empty() {
        thread::sleep(Duration::from_secs(2));
        return Ok(request);
    }
    stream.write_all(answer)?;
    stream.conn.send_close_notify();
    stream.flush()?;
    Ok(request)
}

fn drain(socket: &mut TcpStream) {
    let _ = socket.set_read_timeout(Some(Duration::from_millis(500)));
    let mut buffer = [0; 1024];
    while matches!(socket.read(&mut buffer), Ok(1..)) {}
}

/// An answer with a body; `headers` end in line breaks.
pub fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}
