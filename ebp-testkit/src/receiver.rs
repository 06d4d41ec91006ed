//! A small HTTP server, with TLS or without, that keeps what it is sent, byte by byte, and answers as a test says.

use std::{
    io::{BufRead, BufReader, Error, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring, pki_types::PrivateKeyDer};

/// How long a client may be silent within a request.
const PATIENCE: Duration = Duration::from_secs(10);

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The request's first line and its headers, as they were sent.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

/// What requests are answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answers {
    /// A status and further headers, each `Name: value`.
    Status(u16, Vec<String>),
    /// Nothing: the connection is closed as soon as there is one.
    Closed,
}

#[derive(Debug)]
struct State {
    received: Vec<Received>,
    answers: Answers,
    /// Connections, whatever they were answered with.
    connections: usize,
}

/// The server. Its thread ends with the test's process.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    /// Starts it at a free port of this machine; it answers 200.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(answer)
    }

    /// The same with TLS, as `localhost`, by a certificate of an authority of its own, whose certificate
    /// (PEM) is returned.
    #[must_use]
    pub fn start_tls() -> (Self, String) {
        let (config, root) = tls_config();
        let receiver = Self::start_with(move |stream, state| {
            let connection = ServerConnection::new(Arc::clone(&config)).map_err(Error::other)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            answer(StreamOwned::new(connection, stream), state)
        });
        (receiver, root)
    }

    fn start_with(
        serve: impl Fn(TcpStream, &Mutex<State>) -> std::io::Result<()> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answers = Answers::Status(200, Vec::new());
        let state = Arc::new(Mutex::new(State { received: Vec::new(), answers, connections: 0 }));
        let own = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = stream.set_read_timeout(Some(PATIENCE));
                // A client that goes away in the middle is no matter of this server's.
                let _ = serve(stream, &own);
            }
        });
        Self { address, state }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers so from now on.
    pub fn answer_with(&self, answers: Answers) {
        self.state.lock().unwrap().answers = answers;
    }

    /// What has arrived so far, in its order.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.state.lock().unwrap().received.clone()
    }

    /// How many connections there were.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }
}

/// A certificate for `localhost` by a new authority, and that one's.
fn tls_config() -> (Arc<ServerConfig>, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&key).unwrap();
    let issuer = Issuer::new(params, key);
    let own = KeyPair::generate().unwrap();
    let server = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let server = server.signed_by(&own, &issuer).unwrap();
    let own = PrivateKeyDer::try_from(own.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![server.der().clone()], own)
        .unwrap();
    (Arc::new(config), root.pem())
}

fn answer(stream: impl Read + Write, state: &Mutex<State>) -> std::io::Result<()> {
    let answers = {
        let mut state = state.lock().unwrap();
        state.connections += 1;
        state.answers.clone()
    };
    let Answers::Status(status, headers) = answers else { return Ok(()) };
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    state.lock().unwrap().received.push(Received { head, body });
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let text = format!(
        "HTTP/1.1 {status} -\r\n{headers}connection: close\r\ncontent-length: 2\r\n\r\n{{}}"
    );
    let mut stream = reader.into_inner();
    stream.write_all(text.as_bytes())?;
    stream.flush()
}
