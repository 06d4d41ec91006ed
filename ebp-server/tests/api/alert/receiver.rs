//! Receivers of messages: an HTTP server that answers as a test wants, and a mail server.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ebp_core::contract::AlertNotice;
use ring::hmac;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
};

/// What messages are signed with.
pub const SECRET: &str = "a secret of receivers";

/// What a receiver gets.
#[derive(Debug, Clone)]
pub struct Got {
    pub head: String,
    pub body: Vec<u8>,
}

impl Got {
    pub fn header(&self, name: &str) -> &str {
        let line = self.head.lines().find(|line| {
            line.split_once(':').is_some_and(|(given, _)| given.eq_ignore_ascii_case(name))
        });
        line.unwrap_or_else(|| panic!("no {name} in {}", self.head))
            .split_once(':')
            .unwrap()
            .1
            .trim()
    }

    pub fn notice(&self) -> AlertNotice {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Signed with the secret, by the standard that the book names.
    pub fn assert_signed(&self) {
        let (id, at) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        assert_eq!(self.header("idempotency-key"), id);
        let signature = self.header("webhook-signature").strip_prefix("v1,").unwrap();
        let signature = BASE64_STANDARD.decode(signature).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let signed = [format!("{id}.{at}.").as_bytes(), &self.body].concat();
        hmac::verify(&key, &signed, &signature).unwrap();
    }
}

/// An HTTP server that answers as a test wants.
#[derive(Clone)]
pub struct Receiver {
    pub url: String,
    pub got: Arc<Mutex<Vec<Got>>>,
    pub answer: Arc<Mutex<String>>,
}

/// An answer whose body does not end.
pub const ENDLESS: &str = "endless";
/// An answer that comes byte by byte, for ever.
pub const DRIP: &str = "drip";
/// No answer.
pub const NOTHING: &str = "nothing";

impl Receiver {
    pub async fn start() -> Self {
        let (receiver, listener) = Self::bind("http://127.0.0.1").await;
        let this = receiver.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let this = this.clone();
                tokio::spawn(async move { this.serve(stream).await });
            }
        });
        receiver
    }

    /// The same over TLS, by the name `localhost`.
    pub async fn start_tls(acceptor: tokio_rustls::TlsAcceptor) -> Self {
        let (receiver, listener) = Self::bind("https://localhost").await;
        let this = receiver.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (this, acceptor) = (this.clone(), acceptor.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        this.serve(stream).await;
                    }
                });
            }
        });
        receiver
    }

    async fn bind(base: &str) -> (Self, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{base}:{}/hook/a-secret-path", listener.local_addr().unwrap().port());
        let receiver = Self { url, got: Arc::default(), answer: Arc::default() };
        receiver.answers("HTTP/1.1 204 No Content\r\n\r\n");
        (receiver, listener)
    }

    pub fn answers(&self, answer: &str) {
        *self.answer.lock().unwrap() = answer.to_owned();
    }

    async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let mut stream = BufReader::new(stream);
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        self.got.lock().unwrap().push(Got { head, body });
        let answer = self.answer.lock().unwrap().clone();
        match &*answer {
            NOTHING => std::future::pending().await,
            DRIP => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").await;
                while stream.write_all(b"x").await.is_ok() && stream.flush().await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
            ENDLESS => {
                let head = "HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n";
                let _ = stream.write_all(head.as_bytes()).await;
                while stream.write_all(&[b'x'; 65_536]).await.is_ok() {}
            }
            answer => {
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        }
    }

    pub fn count(&self) -> usize {
        self.got.lock().unwrap().len()
    }

    /// What came, once there are so many.
    pub async fn wait(&self, count: usize) -> Vec<Got> {
        for _ in 0..1500 {
            let got = self.got.lock().unwrap().clone();
            if got.len() >= count {
                assert_eq!(got.len(), count, "{got:?}");
                return got;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{} of {count} messages came", self.count());
    }
}

/// A mail server on this machine; it keeps the mails it gets.
pub async fn mail_server() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mails: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = mails.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let kept = kept.clone();
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                stream.write_all(b"220 here\r\n").await.unwrap();
                let mut line = String::new();
                while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
                    let command = std::mem::take(&mut line).to_ascii_uppercase();
                    let answer: &[u8] = match command.get(..4) {
                        Some("DATA") => {
                            stream.write_all(b"354 go on\r\n").await.unwrap();
                            let mut mail = String::new();
                            while !mail.ends_with("\r\n.\r\n") {
                                stream.read_line(&mut mail).await.unwrap();
                            }
                            kept.lock().unwrap().push(mail);
                            b"250 kept\r\n"
                        }
                        Some("QUIT") => b"221 bye\r\n",
                        Some("EHLO") => b"250 here\r\n",
                        _ => b"250 good\r\n",
                    };
                    stream.write_all(answer).await.unwrap();
                }
            });
        }
    });
    (address, mails)
}
