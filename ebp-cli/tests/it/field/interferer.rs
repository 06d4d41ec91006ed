//! A server between the device and the real one that answers as servers do on bad days.

use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use ebp_client::identity::Identity;
use ebp_core::clock::SystemClock;
use reqwest::blocking::Client;
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::support::{household::Household, server::Server};

/// The result of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mood {
    /// The real server's answer.
    Well,
    /// These bytes instead; the real server hears nothing.
    Instead(String),
    /// The real server does it, and these bytes are the answer.
    DoneBut(String),
    /// The real server's answer up to its middle, then the end.
    Half,
    /// The real server's answer, that long after it was asked.
    Late(Duration),
}

/// It, with the moods that are to come.
pub struct Interferer {
    port: u16,
    moods: Arc<Mutex<VecDeque<Mood>>>,
    uploads: Arc<Mutex<usize>>,
}

impl Interferer {
    /// Between that household's device and the server.
    pub fn start(server: &Server, household: &Household) -> Self {
        let read = |name: &str| std::fs::read(server.data().join(name)).unwrap();
        let certificates = read("server.pem");
        let chain = CertificateDer::pem_slice_iter(&certificates);
        let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_slice(&read("server.key")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let certificate = &household.device_certificate;
        let identity = Identity::load(&certificate.chain, &certificate.key, &server.ca()).unwrap();
        let tls = identity.client_config(Arc::new(SystemClock)).unwrap();
        let real = Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (moods, uploads) = (Arc::<Mutex<VecDeque<Mood>>>::default(), Arc::default());
        let own = Self { port, moods: Arc::clone(&moods), uploads: Arc::clone(&uploads) };
        let (config, url) = (Arc::new(config), server.url());
        thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let stream = StreamOwned::new(connection, socket);
                let (real, url) = (real.clone(), url.clone());
                let (moods, uploads) = (Arc::clone(&moods), Arc::clone(&uploads));
                thread::spawn(move || serve(stream, &real, &url, &moods, &uploads));
            }
        });
        own
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// The results of the next uploads; later ones succeed. Other requests are always answered.
    pub fn be(&self, moods: impl IntoIterator<Item = Mood>) {
        self.moods.lock().unwrap().extend(moods);
    }

    /// Whether all moods are over.
    pub fn is_well(&self) -> bool {
        self.moods.lock().unwrap().is_empty()
    }

    /// How many uploads have come.
    pub fn uploads(&self) -> usize {
        *self.uploads.lock().unwrap()
    }
}

/// One request on a connection, then it is closed.
fn serve(
    mut stream: StreamOwned<ServerConnection, TcpStream>,
    real: &Client,
    url: &str,
    moods: &Mutex<VecDeque<Mood>>,
    uploads: &Mutex<usize>,
) -> Option<()> {
    let (line, headers, body) = request(&mut stream).ok()?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?, words.next()?);
    let is_upload = method == "POST" && path.ends_with("/measurement");
    if is_upload {
        *uploads.lock().unwrap() += 1;
    }
    let mood = is_upload.then(|| moods.lock().unwrap().pop_front()).flatten();
    if let Some(Mood::Instead(bytes)) = &mood {
        return end(stream, bytes.as_bytes());
    }
    let mut ask = real.request(method.parse().ok()?, format!("{url}{path}")).body(body);
    for (name, value) in headers {
        if !["host", "content-length", "accept-encoding"].contains(&&*name) {
            ask = ask.header(name, value);
        }
    }
    let answer = ask.send().ok()?;
    let status = answer.status();
    let kind = answer.headers().get("content-type").and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or("application/json").to_owned();
    let body = answer.bytes().ok()?;
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    match mood.unwrap_or(Mood::Well) {
        Mood::DoneBut(bytes) => end(stream, bytes.as_bytes()),
        Mood::Half => end(stream, &[head.as_bytes(), &body[..body.len() / 2]].concat()),
        Mood::Late(wait) => {
            thread::sleep(wait);
            end(stream, &[head.as_bytes(), &body].concat())
        }
        Mood::Well | Mood::Instead(_) => end(stream, &[head.as_bytes(), &body].concat()),
    }
}

fn end(mut stream: StreamOwned<ServerConnection, TcpStream>, bytes: &[u8]) -> Option<()> {
    stream.write_all(bytes).ok()?;
    stream.conn.send_close_notify();
    stream.flush().ok()
}

type Request = (String, Vec<(String, String)>, Vec<u8>);

fn request(stream: &mut impl Read) -> io::Result<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let (mut headers, mut length) = (Vec::new(), 0);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().unwrap();
        }
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((line, headers, body))
}
