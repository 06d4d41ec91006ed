//! Answers GET at one path over HTTP, for few askers of this machine or of the household's network.
//!
//! A request has a bounded head and no body, an answer ends its connection, and a slow asker is left.
//! At an address of this machine alone, the request must name that machine: a page of another site
//! that has made its name resolve to it is refused.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{error::PublishError, output::Output};

/// The longest head of a request, bytes.
const LONGEST_HEAD: usize = 8 * 1024;
/// The most headers of a request.
const MOST_HEADERS: usize = 64;
/// How many are answered at once.
const MOST_CONNECTIONS: usize = 8;
/// How long a request and its answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is answered.
pub(crate) struct Site {
    pub(crate) path: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) body: Box<dyn Fn() -> String + Send + Sync>,
}

/// A listener on a thread of its own, until it is dropped.
pub(crate) struct Listener {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
}

impl Listener {
    pub(crate) fn start(at: SocketAddr, output: Output, site: Site) -> Result<Self, PublishError> {
        let fault = |source| PublishError::Listen { at, source };
        let listener = TcpListener::bind(at).map_err(fault)?;
        let address = listener.local_addr().map_err(fault)?;
        let is_over = Arc::new(AtomicBool::new(false));
        let own = Arc::clone(&is_over);
        thread::Builder::new()
            .name(format!("{output}-port"))
            .spawn(move || accept(&listener, &own, &Arc::new(site), address.ip().is_loopback()))
            .map_err(|error| PublishError::Thread(output, error))?;
        Ok(Self { address, is_over })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // Wakes the thread.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_millis(200));
    }
}

fn accept(listener: &TcpListener, is_over: &AtomicBool, site: &Arc<Site>, is_local: bool) {
    let open = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        if is_over.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else {
            // Too many open files: there may be fewer soon.
            thread::sleep(Duration::from_millis(100));
            continue;
        };
        if open.fetch_add(1, Ordering::SeqCst) >= MOST_CONNECTIONS {
            open.fetch_sub(1, Ordering::SeqCst);
            continue;
        }
        let (site, counted) = (Arc::clone(site), Arc::clone(&open));
        let answer = move || {
            // A client that disconnects ends its connection.
            let _ = answer(stream, &site, is_local);
            counted.fetch_sub(1, Ordering::SeqCst);
        };
        if thread::Builder::new().name("asker".to_owned()).spawn(answer).is_err() {
            open.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

fn answer(mut stream: TcpStream, site: &Site, is_local: bool) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let until = Instant::now() + PATIENCE;
    let mut head = Vec::new();
    let status = loop {
        if let Some(status) = judge(&head, site, is_local) {
            break status;
        }
        if head.len() >= LONGEST_HEAD {
            break Status::TooLong;
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        stream.set_read_timeout(Some(left))?;
        let mut piece = [0; 1024];
        match stream.read(&mut piece)? {
            0 => return Ok(()),
            count => head.extend_from_slice(&piece[..count]),
        }
    };
    let body = match status {
        Status::Body { .. } => (site.body)(),
        _ => String::new(),
    };
    let line = match status {
        Status::Body { .. } => "200 OK",
        Status::Malformed => "400 Bad Request",
        Status::OtherHost => "403 Forbidden",
        Status::OtherPath => "404 Not Found",
        Status::OtherMethod => "405 Method Not Allowed\r\nAllow: GET, HEAD",
        Status::TooLong => "431 Request Header Fields Too Large",
    };
    let head = format!(
        "HTTP/1.1 {line}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        site.content_type,
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    if !matches!(status, Status::Body { is_head: true }) {
        stream.write_all(body.as_bytes())?;
    }
    stream.flush()
}

#[derive(Debug, PartialEq, Eq)]
enum Status {
    Body { is_head: bool },
    Malformed,
    OtherHost,
    OtherPath,
    OtherMethod,
    TooLong,
}

/// What is answered to that head; nothing while it is not whole.
fn judge(head: &[u8], site: &Site, is_local: bool) -> Option<Status> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(head) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return None,
        Err(_) => return Some(Status::Malformed),
    }
    let mut hosts =
        request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("host"));
    let host = hosts.next().and_then(|header| str::from_utf8(header.value).ok());
    if hosts.next().is_some() {
        return Some(Status::Malformed);
    }
    if is_local && !host.is_some_and(names_this_machine) {
        return Some(Status::OtherHost);
    }
    let path = request.path.unwrap_or_default();
    Some(match request.method {
        _ if path.split('?').next() != Some(site.path) => Status::OtherPath,
        Some("GET") => Status::Body { is_head: false },
        Some("HEAD") => Status::Body { is_head: true },
        _ => Status::OtherMethod,
    })
}

/// Whether a `Host` is this machine itself, with any port.
fn names_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.eq_ignore_ascii_case("localhost")
        || name
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Site {
        Site { path: "/", content_type: "text/plain", body: Box::new(|| "ok\n".to_owned()) }
    }

    #[test]
    fn requests_are_judged() {
        let judge = |head: &str, is_local| judge(head.as_bytes(), &site(), is_local);
        let get = Some(Status::Body { is_head: false });
        assert_eq!(judge("GET / HTTP/1.1\r\nHost: localhost:8075\r\n\r\n", true), get);
        assert_eq!(judge("GET /?a HTTP/1.1\r\nHost: [::1]:8075\r\n\r\n", true), get);
        assert_eq!(judge("GET / HTTP/1.1\r\nHost: ebp.lan\r\n\r\n", false), get);
        assert_eq!(
            judge("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", true),
            Some(Status::OtherHost)
        );
        assert_eq!(judge("GET / HTTP/1.1\r\n\r\n", true), Some(Status::OtherHost));
        let twice = "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n";
        assert_eq!(judge(twice, true), Some(Status::Malformed));
        assert_eq!(
            judge("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", true),
            Some(Status::OtherMethod)
        );
        assert_eq!(
            judge("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n", true),
            Some(Status::OtherPath)
        );
        assert_eq!(judge("GET / HTTP/1.1\r\nHost: local", true), None);
        assert_eq!(judge("\0", true), Some(Status::Malformed));
    }

    #[test]
    fn an_asker_is_answered_and_a_flood_is_refused() {
        let at = "127.0.0.1:0".parse().unwrap();
        let listener = Listener::start(at, Output::Json, site()).unwrap();
        let ask = |text: &[u8]| {
            let mut stream = TcpStream::connect(listener.address).unwrap();
            stream.write_all(text).unwrap();
            let mut answer = String::new();
            let _ = stream.read_to_string(&mut answer);
            answer
        };
        let answer = ask(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nok\n"),
            "{answer}"
        );
        let answer = ask(b"HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
        let long = [b"GET / HTTP/1.1\r\nX: ".to_vec(), vec![b'a'; LONGEST_HEAD]].concat();
        assert!(ask(&long).starts_with("HTTP/1.1 431 "));
    }
}
