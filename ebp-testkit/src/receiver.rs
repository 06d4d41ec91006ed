//! A small HTTP server that keeps what it is sent, byte by byte, and answers as a test says.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

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
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answers = Answers::Status(200, Vec::new());
        let state = Arc::new(Mutex::new(State { received: Vec::new(), answers, connections: 0 }));
        let own = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that goes away in the middle is no matter of this server's.
                let _ = answer(stream, &own);
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

fn answer(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
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
    reader.into_inner().write_all(text.as_bytes())
}
