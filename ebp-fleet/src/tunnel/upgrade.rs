//! Asks for another protocol on a connection (HTTP/1.1 `Upgrade`), and reads the answer.
//!
//! Enters: an encrypted connection, a path, headers. Leaves: the connection for the new protocol, or
//! the refusal with what the server said. Absent: connecting.

use std::{fmt::Write as _, io, time::Duration};

use bytes::{Bytes, BytesMut};
use ebp_core::{contract::Problem, retry_after};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::Counted;

/// The longest head of an answer, bytes.
const LONGEST_HEAD: usize = 16 << 10;
/// The longest body of a refusal that is read, bytes.
const LONGEST_PROBLEM: usize = 64 << 10;
/// The most headers of an answer.
const MOST_HEADERS: usize = 64;

/// What is asked for.
pub struct UpgradeRequest<'a> {
    /// The host, with its port, as the server is addressed.
    pub host: &'a str,
    /// Path and query.
    pub path: &'a str,
    /// The protocol.
    pub protocol: &'a str,
    /// Further headers.
    pub headers: &'a [(&'a str, String)],
}

/// A refusal in the server's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status of HTTP.
    pub status: u16,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
    /// The problem's type, or nothing.
    pub kind: String,
    /// What the problem says, or nothing.
    pub text: String,
}

/// Why there is no other protocol.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpgradeError {
    /// The server refuses.
    #[error("the server refuses with status {}{}{}", .0.status, if .0.text.is_empty() { "" } else { ": " }, .0.text)]
    Refused(Refusal),
    /// The connection broke off.
    #[error("the connection broke off: {0}")]
    Broken(#[from] io::Error),
    /// What answers does not speak HTTP/1.1.
    #[error("what answers is no HTTP/1.1 server: {0}")]
    NoHttp(&'static str),
}

/// A connection that speaks the new protocol.
pub type Upgraded<S> = Counted<S>;

/// Asks, and returns the connection once the server has agreed.
///
/// # Errors
/// [`UpgradeError::Refused`] with what the server says; [`UpgradeError::Broken`] if the connection
/// ends, and [`UpgradeError::NoHttp`] if the answer is none of HTTP.
pub async fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    request: &UpgradeRequest<'_>,
) -> Result<Upgraded<S>, UpgradeError> {
    stream.write_all(head(request)?.as_bytes()).await?;
    stream.flush().await?;
    let (answer, rest) = read_head(&mut stream).await?;
    if answer.status == 101 {
        return Ok(Counted::new(stream, rest));
    }
    Err(UpgradeError::Refused(refusal(&mut stream, answer, rest).await))
}

fn head(request: &UpgradeRequest<'_>) -> Result<String, UpgradeError> {
    let UpgradeRequest { host, path, protocol, headers } = request;
    let mut head = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n"
    );
    for (name, value) in *headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    let lines = headers.len() + 5;
    // A value with a line break would be another header.
    if head.matches(['\r', '\n']).count() != 2 * lines {
        return Err(UpgradeError::NoHttp("a header of the request has a line break"));
    }
    Ok(head)
}

/// Status and headers that count.
pub(super) struct Answer {
    pub(super) status: u16,
    retry_after: Option<Duration>,
    length: Option<usize>,
}

/// Reads the head of an answer, and returns what was read behind it.
pub(super) async fn read_head<S: AsyncRead + Unpin>(
    stream: &mut S,
) -> Result<(Answer, Bytes), UpgradeError> {
    let mut buffer = BytesMut::with_capacity(1024);
    loop {
        if stream.read_buf(&mut buffer).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        if let Some((answer, length)) = parse_head(&buffer)? {
            return Ok((answer, buffer.split_off(length).freeze()));
        }
        if buffer.len() >= LONGEST_HEAD {
            return Err(UpgradeError::NoHttp("its head is too long"));
        }
    }
}

fn parse_head(bytes: &[u8]) -> Result<Option<(Answer, usize)>, UpgradeError> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response.parse(bytes);
    let length = match parsed.map_err(|_| UpgradeError::NoHttp("its head cannot be read"))? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return Ok(None),
    };
    let status = response.code.ok_or(UpgradeError::NoHttp("there is no status"))?;
    let text = |name: &str| {
        let header =
            response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(header.value).ok()
    };
    let wait = text("retry-after");
    let answer = Answer {
        status,
        retry_after: wait.and_then(|wait| retry_after::parse(wait, text("date"), None)),
        length: text("content-length").and_then(|length| length.trim().parse().ok()),
    };
    Ok(Some((answer, length)))
}

/// The refusal, with the problem that its body has. Without a readable one it is the status alone.
async fn refusal<S: AsyncRead + Unpin>(stream: &mut S, answer: Answer, first: Bytes) -> Refusal {
    let length = answer.length.unwrap_or(0).min(LONGEST_PROBLEM);
    let mut body = first.to_vec();
    while body.len() < length {
        match stream.read_buf(&mut body).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
    }
    body.truncate(length);
    let problem: Option<Problem> = serde_json::from_slice(&body).ok();
    let (kind, text) = problem.map_or_else(Default::default, |problem| {
        (problem.kind, printable(&problem.detail.unwrap_or(problem.title)))
    });
    Refusal { status: answer.status, retry_after: answer.retry_after, kind, text }
}

/// The text without control characters: it goes to logs and terminals.
fn printable(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    async fn ask(answer: &'static [u8]) -> Result<Vec<u8>, UpgradeError> {
        let (near, mut far) = duplex(1 << 16);
        let headers = [("ebp-version", "1".to_owned())];
        let request = UpgradeRequest {
            host: "h:1",
            path: "/device/tunnel",
            protocol: "p/1",
            headers: &headers,
        };
        let (upgraded, ()) = tokio::join!(upgrade(near, &request), async {
            let mut head = vec![0; 4096];
            let length = far.read(&mut head).await.unwrap();
            let head = String::from_utf8_lossy(&head[..length]).into_owned();
            assert!(head.starts_with("GET /device/tunnel HTTP/1.1\r\nHost: h:1\r\n"), "{head}");
            assert!(head.ends_with("Upgrade: p/1\r\nebp-version: 1\r\n\r\n"), "{head}");
            far.write_all(answer).await.unwrap();
            drop(far);
        });
        let mut rest = Vec::new();
        upgraded?.read_to_end(&mut rest).await?;
        Ok(rest)
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    #[test]
    fn what_follows_the_head_belongs_to_the_new_protocol() {
        let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: p/1\r\n\r\n\x01rest";
        assert_eq!(run(ask(answer)).unwrap(), b"\x01rest");
    }

    #[test]
    fn refusals_say_why_and_how_long() {
        let answer = b"HTTP/1.1 503 X\r\nRetry-After: 7\r\nContent-Length: 70\r\n\r\n\
            {\"type\":\"urn:x\",\"status\":503,\"title\":\"Later\",\"detail\":\"not\\u001b now\"}";
        let Err(UpgradeError::Refused(refusal)) = run(ask(answer)) else { panic!("not refused") };
        assert_eq!((refusal.status, refusal.retry_after), (503, Some(Duration::from_secs(7))));
        assert_eq!((refusal.kind.as_str(), refusal.text.as_str()), ("urn:x", "not now"));
        let bare = run(ask(b"HTTP/1.1 404 X\r\nRetry-After: 99999999\r\n\r\n")).unwrap_err();
        let UpgradeError::Refused(refusal) = bare else { panic!("{bare}") };
        assert_eq!((refusal.status, refusal.retry_after), (404, Some(retry_after::LONGEST)));
    }

    #[test]
    fn other_protocols_are_an_error_and_end() {
        for other in [&b"SSH-2.0-OpenSSH\r\n"[..], b"", b"HTTP/1.1 101", &[b'x'; 20_000]] {
            let error = run(ask(other)).unwrap_err();
            assert!(!matches!(error, UpgradeError::Refused(_)), "{error}");
        }
        let headers = [("a", "b\r\nc: d".to_owned())];
        let request = UpgradeRequest { host: "h", path: "/", protocol: "p", headers: &headers };
        assert!(head(&request).is_err());
    }
}
