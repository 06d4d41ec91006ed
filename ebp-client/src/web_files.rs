//! Files of a web server, read without a certificate of one's own: releases of the program.
//!
//! Enters: a base address, paths below it. Leaves: bytes, from any place on. Absent: whether what comes
//! is what was meant; signatures say that.

use std::{
    fmt,
    io::{self, Read},
    sync::Arc,
    time::Duration,
};

use ebp_core::clock::Clock;
use reqwest::{
    StatusCode, Url,
    blocking::{Client, Response},
    header::{CONTENT_RANGE, RANGE},
};

use crate::{
    Trust,
    client::asked_wait,
    error::{ClientError, innermost},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// For a whole request: a piece of a program at a slow home connection.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Files below an address.
#[derive(Clone)]
pub struct WebFiles {
    client: Client,
    base: Url,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for WebFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebFiles").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

/// An answer without a file: what the errors of [`WebFiles`] wrap.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it answers {status}")]
pub struct WebRefusal {
    status: StatusCode,
    /// How long the server asks not to be called.
    pub retry_after: Option<Duration>,
}

impl WebFiles {
    /// Files below that address (`https://`, or `http://` in a network of one's own).
    ///
    /// # Errors
    /// Returns [`ClientError::InvalidUrl`] if it is no such address, and [`ClientError::SetUp`] if the
    /// authority cannot be used.
    pub fn new(base: &str, trust: &Trust, clock: Arc<dyn Clock>) -> Result<Self, ClientError> {
        let invalid = || ClientError::InvalidUrl { url: base.to_owned() };
        let base_url =
            Url::parse(&format!("{}/", base.trim_end_matches('/'))).map_err(|_| invalid())?;
        let is_plain = matches!(base_url.scheme(), "http" | "https")
            && base_url.username().is_empty()
            && base_url.password().is_none()
            && base_url.query().is_none()
            && base_url.fragment().is_none();
        if !is_plain {
            return Err(invalid());
        }
        let failed = |reason: String| crate::client::set_up(base, reason);
        let (tls, _) =
            trust.client_config(clock.clone()).map_err(|error| failed(error.to_string()))?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .user_agent(concat!("ebp/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| failed(error.to_string()))?;
        Ok(Self { client, base: base_url, clock })
    }

    /// The file of that path; `None` where there is none.
    ///
    /// # Errors
    /// Fails if the server cannot be reached or answers anything else.
    pub fn open(&self, path: &str) -> io::Result<Option<impl Read + use<>>> {
        let response = self.get(path, None)?;
        match response.status() {
            StatusCode::OK => Ok(Some(response)),
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(None),
            _ => Err(self.refusal(&response)),
        }
    }

    /// Reads bytes of the file from `offset` on, as many as there are up to the buffer's length; 0 at
    /// its end.
    ///
    /// # Errors
    /// Fails if the server cannot be reached, has no such file, or answers no part of it.
    pub fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(last) = (buffer.len() as u64).checked_sub(1) else { return Ok(0) };
        let response = self.get(path, Some((offset, offset.saturating_add(last))))?;
        let begins = |response: &Response| {
            let range = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
            range.strip_prefix("bytes ")?.split_once('-')?.0.parse::<u64>().ok()
        };
        match response.status() {
            StatusCode::PARTIAL_CONTENT if begins(&response) == Some(offset) => {}
            // A server may send all of it, and an empty file has no parts.
            StatusCode::OK if offset == 0 => {}
            StatusCode::RANGE_NOT_SATISFIABLE => return Ok(0),
            StatusCode::OK | StatusCode::PARTIAL_CONTENT => {
                return Err(io::Error::other("it does not send the part that was asked for"));
            }
            _ => return Err(self.refusal(&response)),
        }
        let mut response = response.take(buffer.len() as u64);
        let mut read = 0;
        while let Some(rest) = buffer.get_mut(read..).filter(|rest| !rest.is_empty()) {
            match response.read(rest) {
                Ok(0) => break,
                Ok(count) => read += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What came is used: the next piece is asked for from there on.
                Err(_) if read > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }

    fn refusal(&self, response: &Response) -> io::Error {
        let status = response.status();
        let retry_after = asked_wait(status.as_u16(), response.headers(), &*self.clock);
        io::Error::other(WebRefusal { status, retry_after })
    }

    fn get(&self, path: &str, range: Option<(u64, u64)>) -> io::Result<Response> {
        let url = self.base.join(path).map_err(io::Error::other)?;
        let mut request = self.client.get(url);
        if let Some((from, to)) = range {
            request = request.header(RANGE, format!("bytes={from}-{to}"));
        }
        request.send().map_err(|error| io::Error::other(innermost(&error.without_url())))
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write, net::TcpListener, thread};

    use ebp_core::clock::SystemClock;

    use super::*;

    /// A server that answers each request so, and tells what it was asked.
    fn server(answers: Vec<String>) -> (String, thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/releases/", listener.local_addr().unwrap());
        let served = thread::spawn(move || {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut connection, _) = listener.accept().unwrap();
                let mut request = [0; 4096];
                let read = connection.read(&mut request).unwrap();
                asked.push(String::from_utf8_lossy(&request[..read]).into_owned());
                connection.write_all(answer.as_bytes()).unwrap();
            }
            asked
        });
        (base, served)
    }

    fn answer(status: &str, headers: &str, body: &str) -> String {
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
        )
    }

    fn files(base: &str) -> Result<WebFiles, ClientError> {
        WebFiles::new(base, &Trust::Authority(String::new()), Arc::new(SystemClock))
    }

    #[test]
    fn parts_are_read_from_any_place_on() {
        let part = |range: &str, body: &str| {
            answer("206 Partial Content", &format!("Content-Range: bytes {range}/7\r\n"), body)
        };
        let (base, served) = server(vec![
            part("3-6", "gram"),
            part("0-3", "prog"),
            answer("416 Range Not Satisfiable", "", ""),
            answer("200 OK", "", "program"),
            answer("404 Not Found", "", ""),
            answer("404 Not Found", "", ""),
            answer("200 OK", "", "a whole one"),
            // It is longer than it says, and ends early.
            "HTTP/1.1 206 Partial Content\r\nContent-Length: 9\r\nConnection: close\r\n\
             Content-Range: bytes 0-8/9\r\n\r\nab"
                .to_owned(),
        ]);
        let files = files(&base).unwrap();
        let mut buffer = [0; 4];
        assert_eq!(files.read_at("a/b", 3, &mut buffer).unwrap(), 4);
        assert_eq!(&buffer, b"gram");
        let wrong = files.read_at("a/b", 3, &mut buffer).unwrap_err().to_string();
        assert!(wrong.contains("the part that was asked for"), "{wrong}");
        assert_eq!(files.read_at("a/b", 7, &mut buffer).unwrap(), 0);
        // Who has no parts sends all, of which the beginning is used.
        assert_eq!(files.read_at("a/b", 0, &mut buffer).unwrap(), 4);
        assert_eq!(&buffer, b"prog");
        let wrong = files.read_at("a/b", 0, &mut buffer).unwrap_err().to_string();
        assert!(wrong.contains("404"), "{wrong}");
        assert!(files.open("none").unwrap().is_none());
        let mut text = String::new();
        files.open("a").unwrap().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "a whole one");
        assert_eq!(files.read_at("a", 0, &mut buffer).unwrap(), 2);
        let asked = served.join().unwrap();
        assert!(asked[0].starts_with("GET /releases/a/b HTTP/1.1\r\n"), "{}", asked[0]);
        assert!(asked[0].to_lowercase().contains("\r\nrange: bytes=3-6\r\n"), "{}", asked[0]);
    }

    #[test]
    fn a_server_that_refuses_says_when_to_come_back() {
        let asks = "Retry-After: 7200\r\n";
        let (base, served) =
            server(vec![answer("502 Bad Gateway", asks, ""), answer("403 Forbidden", asks, "")]);
        let files = files(&base).unwrap();
        let wait = || {
            let error = files.read_at("a", 0, &mut [0; 4]).unwrap_err();
            let refusal: &WebRefusal = error.get_ref().unwrap().downcast_ref().unwrap();
            refusal.retry_after.map(|wait| wait.as_secs())
        };
        assert_eq!((wait(), wait()), (Some(7200), None));
        served.join().unwrap();
    }

    #[test]
    fn an_address_is_checked() {
        for wrong in ["", "ftp://a/", "https://u:p@a/", "https://a/?b", "https://a/#b", "a/b"] {
            assert!(matches!(files(wrong), Err(ClientError::InvalidUrl { .. })), "{wrong}");
        }
        assert!(files("https://example.org/releases").is_ok());
    }
}
