//! Clients of the worst kind: they trickle, break off, speak no TLS, nest and lie. After each of
//! them a good client is served.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use ebp_client::identity::Identity;
use ebp_core::clock::SystemClock;
use flate2::{Compression, write::GzEncoder};
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::{
    senders::{assert_complete, batch, client, granted_at, insist},
    support::{household::Household, server::Server},
};

/// The server's patience in these tests is seconds; a client that is let hang fails them.
const SOON: Duration = Duration::from_secs(15);

struct Scene {
    server: Server,
    household: Household,
    tls: Arc<ClientConfig>,
}

type Tls = StreamOwned<ClientConnection, TcpStream>;

impl Scene {
    fn set() -> Self {
        let server = Server::configured(
            "[limits]\nhandshake_seconds = 2\nheaders_seconds = 2\nbody_seconds = 4\n",
        );
        let household = Household::register(&server, "erika@example.org", &["MT175"], "15m");
        household.account(&server).grant();
        let certificate = &household.device_certificate;
        let identity = Identity::load(&certificate.chain, &certificate.key, &server.ca()).unwrap();
        let tls = Arc::new(identity.client_config(Arc::new(SystemClock)).unwrap());
        Self { server, household, tls }
    }

    fn tcp(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.server.port())).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.set_write_timeout(Some(SOON)).unwrap();
        stream
    }

    fn connect(&self) -> Tls {
        let name = "localhost".try_into().unwrap();
        StreamOwned::new(ClientConnection::new(self.tls.clone(), name).unwrap(), self.tcp())
    }

    /// Sends a request as it is, and returns all that comes until the server closes.
    fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        // A server that has heard enough need not hear the rest.
        let _ = stream.write_all(bytes).and_then(|()| stream.flush());
        rest(&mut stream)
    }

    /// An upload with that body and those headers.
    fn upload(&self, headers: &str, body: &[u8]) -> String {
        let head = format!(
            "POST /household/meter/measurement HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-length: {}\r\n{headers}\r\n",
            body.len()
        );
        self.exchange(&[head.as_bytes(), body].concat())
    }
}

/// All that comes until the server closes; that it does not is a failure.
fn rest(stream: &mut impl Read) -> String {
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    let since = Instant::now();
    loop {
        assert!(since.elapsed() < SOON, "the server lets the client hang");
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => answer.extend(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                panic!("the server lets the client hang")
            }
            // A connection that is cut has no farewell; what came before it counts.
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[track_caller]
fn assert_problem(case: &str, answer: &str, statuses: &[u16]) {
    let status: u16 = answer.get(9..12).and_then(|s| s.parse().ok()).unwrap_or_default();
    assert!(statuses.contains(&status), "{case}: {answer}");
    assert!(answer.contains("application/problem+json"), "{case}: {answer}");
}

/// Writes a byte at a time until the server closes the connection, and returns what it said.
fn trickle(stream: &mut (impl Read + Write), bytes: &[u8]) -> String {
    let since = Instant::now();
    for byte in bytes.iter().cycle() {
        assert!(since.elapsed() < SOON, "the server listens to a trickle for ever");
        if stream.write_all(&[*byte]).and_then(|()| stream.flush()).is_err() {
            break;
        }
        thread::sleep(Duration::from_millis(100));
        if since.elapsed() > Duration::from_secs(6) {
            return rest(stream);
        }
    }
    String::new()
}

#[test]
fn bad_clients_get_an_answer_or_a_closed_door() {
    let mut scene = Scene::set();
    let since = granted_at(&scene.server, &scene.household);
    let device = client(&scene.server, &scene.household);
    let mut stored = std::collections::BTreeSet::new();
    let mut number = 0;
    let mut served = |case: &str| {
        let request = batch(&scene.household, since, number, 2);
        number += 2;
        let before = Instant::now();
        insist(&device, &request);
        assert!(before.elapsed() < SOON, "after {case}");
        stored.extend(request.measurements.iter().map(|item| item.uuid));
    };
    served("nothing");

    // Slow ones.
    let mut silent = scene.tcp();
    assert_eq!(rest(&mut silent), "");
    served("silence instead of a handshake");
    trickle(&mut scene.tcp(), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
    served("a trickling handshake");
    trickle(&mut scene.connect(), b"GET /household HTTP/1.1\r\nx: ");
    served("trickling headers");
    let mut stream = scene.connect();
    stream
        .write_all(
            b"POST /household/meter/measurement HTTP/1.1\r\nhost: x\r\ncontent-length: 9999\r\n\r\n",
        )
        .unwrap();
    let answer = trickle(&mut stream, b" ");
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
    served("a trickling body");

    // Ones that break off.
    let whole = serde_json::to_vec(&batch(&scene.household, since, 500_000, 4)).unwrap();
    for cut in [0, 1, whole.len() / 2, whole.len() - 1] {
        let mut stream = scene.connect();
        let head = format!(
            "POST /household/meter/measurement HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n",
            whole.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&whole[..cut]).unwrap();
        stream.flush().unwrap();
        stream.sock.shutdown(Shutdown::Both).unwrap();
        served("a request that was cut off");
    }

    // Ones that speak no TLS, or not to the end.
    let mut oversized = b"\x16\x03\x03\xff\xff".to_vec();
    oversized.extend([0; 70_000]);
    let hello_without_end = b"\x16\x03\x01\x00\x05\x01\x00\xff\xff\xff".to_vec();
    for bytes in [
        b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
        b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(),
        vec![0; 4096],
        vec![0xff; 4096],
        b"\x15\x03\x01\x00\x02\x02\x28".to_vec(),
        oversized,
        hello_without_end,
    ] {
        let mut stream = scene.tcp();
        let _ = stream.write_all(&bytes);
        let answer = rest(&mut stream);
        assert!(answer.len() < 64, "{answer}");
        served("what is no TLS");
    }

    // Ones that send what cannot be read.
    let good = String::from_utf8(whole).unwrap();
    let json = "content-type: application/json\r\n";
    let deep = |open: &str| format!(r#"{{"measurements":{}"#, open.repeat(200_000));
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut latin1 = good.clone().into_bytes();
    latin1.insert(good.find("measured_at").unwrap(), 0xe9);
    for (case, body) in [
        ("nested arrays", deep("[").into_bytes()),
        ("nested objects", deep(r#"{"a":"#).into_bytes()),
        ("nested data", good.replace("[{\"0100", &format!("{}\"0100", "[".repeat(200_000))).into()),
        ("UTF-16", utf16),
        ("invalid UTF-8", latin1),
        ("cut off JSON", good.as_bytes()[..good.len() - 2].to_vec()),
        ("nothing", Vec::new()),
    ] {
        assert_problem(case, &scene.upload(json, &body), &[400]);
        served(case);
    }
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&vec![b' '; 200 << 20]).unwrap();
    let bomb = packed.finish().unwrap();
    let gzip = format!("{json}content-encoding: gzip\r\n");
    assert_problem("a bomb", &scene.upload(&gzip, &bomb), &[413]);
    served("a bomb");
    assert_problem("half a bomb", &scene.upload(&gzip, &bomb[..bomb.len() / 2]), &[400, 413]);
    assert_problem("no gzip", &scene.upload(&gzip, good.as_bytes()), &[400]);
    assert_problem("brotli", &scene.upload("content-encoding: br\r\n", good.as_bytes()), &[415]);
    assert_problem("CSV", &scene.upload("content-type: text/csv\r\n", good.as_bytes()), &[415]);
    served("wrong encodings");

    // Ones that send too much, or lie about how much.
    let huge = "POST /household/meter/measurement HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
                content-length: 10000000000\r\n\r\n";
    assert_problem("a promise of too much", &scene.exchange(huge.as_bytes()), &[413]);
    served("a promise of too much");
    let mut endless = scene.connect();
    let head = "POST /household/meter/measurement HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
                transfer-encoding: chunked\r\n\r\n";
    endless.write_all(head.as_bytes()).unwrap();
    let mut chunk = b"10000\r\n".to_vec();
    chunk.extend([b' '; 0x10000]);
    chunk.extend(b"\r\n");
    for _ in 0..4096 {
        if endless.write_all(&chunk).is_err() {
            break;
        }
    }
    let answer = rest(&mut endless);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413 "), "{answer}");
    served("an endless body");
    let headers = format!("GET /household HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(1 << 20));
    let answer = scene.exchange(headers.as_bytes());
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    served("endless headers");
    for line in ["GET", "GET / HTTP/9.9", "\0\0\0\0", "POST /x HTTP/1.1\r\ncontent-length: -1"] {
        let answer = scene.exchange(format!("{line}\r\n\r\n").as_bytes());
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{line}: {answer}");
    }
    served("what is no HTTP");

    assert!(scene.server.is_running());
    assert_complete(&scene.server, &scene.household, &stored);
}
