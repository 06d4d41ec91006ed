//! The key set at an HTTPS address: fetched, kept, rotated, and not to be had.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ebp_core::clock::SystemClock;
use ebp_server::{
    ApiError,
    auth::{KeySource, TokenSettings, Tokens, server_config},
};
use ebp_survey::authority::Authority;
use jiff::{SignedDuration, Timestamp};
use rcgen::{KeyPair, PKCS_ED25519, PublicKeyData, SigningKey};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

struct Signer(KeyPair, &'static str);

impl Signer {
    fn new(kid: &'static str) -> Self {
        Self(KeyPair::generate_for(&PKCS_ED25519).unwrap(), kid)
    }

    fn jwk(&self) -> serde_json::Value {
        json!({"kty": "OKP", "crv": "Ed25519", "kid": self.1, "x": encode(self.0.der_bytes())})
    }

    fn token(&self) -> String {
        let header = json!({"alg": "EdDSA", "kid": self.1});
        let claims = json!({"email": "erika@example.org", "scope": "account", "aud": "ebp",
                            "exp": 4_000_000_000_i64});
        let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = self.0.sign(message.as_bytes()).unwrap();
        format!("{message}.{}", encode(signature))
    }
}

/// An HTTPS server that answers everything with one text.
struct Https {
    answer: Arc<Mutex<Vec<u8>>>,
    asked: Arc<AtomicUsize>,
    url: String,
    dir: tempfile::TempDir,
}

impl Https {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority =
            Authority::init(&dir.path().join("a"), "Keys", Arc::new(SystemClock)).unwrap();
        let (chain, key) = (dir.path().join("s.pem"), dir.path().join("s.key"));
        authority.issue_server(&["localhost".to_owned()]).unwrap().save(&chain, &key).unwrap();
        let ca = dir.path().join("a/ca.pem");
        let tls: TlsAcceptor =
            server_config(&ca, &chain, &key, Arc::new(SystemClock)).unwrap().into();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (answer, asked) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let served = (answer.clone(), asked.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, (answer, asked)) = (tls.clone(), served.clone());
                tokio::spawn(async move {
                    let Ok(mut stream) = tls.accept(stream).await else { return };
                    let mut head = vec![0; 4096];
                    let _ = stream.read(&mut head).await;
                    asked.fetch_add(1, Ordering::SeqCst);
                    let answer = answer.lock().unwrap().clone();
                    let _ = stream.write_all(&answer).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Self { answer, asked, url: format!("https://localhost:{port}/keys"), dir }
    }

    fn says(&self, status: &str, headers: &str, body: &str) {
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        *self.answer.lock().unwrap() = answer.into_bytes();
    }

    fn publishes(&self, signers: &[&Signer]) {
        let keys: Vec<_> = signers.iter().map(|signer| signer.jwk()).collect();
        self.says("200 OK", "", &json!({ "keys": keys }).to_string());
    }

    fn tokens(&self) -> Tokens {
        self.tokens_by("a/ca.pem")
    }

    fn tokens_by(&self, ca: &str) -> Tokens {
        Tokens::new(TokenSettings {
            audience: "ebp".into(),
            issuer: None,
            keys: KeySource::Url {
                url: self.url.clone(),
                authority: Some(self.dir.path().join(ca)),
            },
        })
        .unwrap()
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn at(minutes: i64) -> Timestamp {
    "2026-11-25T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes)
}

fn wrong(result: Result<impl Sized, ApiError>) -> bool {
    matches!(result, Err(ApiError::Unauthenticated(_)))
}

fn unavailable(result: Result<impl Sized, ApiError>) -> String {
    match result {
        Err(ApiError::Unavailable(reason)) => reason,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("accepted"),
    }
}

#[tokio::test]
async fn kept_for_an_hour_and_asked_for_new_keys_once_a_minute() {
    let (https, old, new) = (Https::start().await, Signer::new("old"), Signer::new("new"));
    let tokens = https.tokens();
    https.publishes(&[&old]);
    for _ in 0..5 {
        tokens.verify(&old.token(), at(0)).await.unwrap();
    }
    assert_eq!(https.asked(), 1);
    // A token of a key that is not there: asked again, but not by each of many.
    for _ in 0..5 {
        assert!(wrong(tokens.verify(&new.token(), at(0)).await));
    }
    assert_eq!(https.asked(), 1, "just asked");
    for _ in 0..5 {
        assert!(wrong(tokens.verify(&new.token(), at(2)).await));
    }
    assert_eq!(https.asked(), 2);
    // The key comes, and counts from the next asking on; the old one goes.
    https.publishes(&[&new]);
    assert!(wrong(tokens.verify(&new.token(), at(2)).await));
    tokens.verify(&new.token(), at(4)).await.unwrap();
    assert!(wrong(tokens.verify(&old.token(), at(4)).await), "withdrawn");
    assert_eq!(https.asked(), 3);
    tokens.verify(&new.token(), at(60)).await.unwrap();
    assert_eq!(https.asked(), 3, "still fresh");
    tokens.verify(&new.token(), at(65)).await.unwrap();
    assert_eq!(https.asked(), 4, "an hour old");
    // Another's key by the same name is another key.
    assert!(wrong(tokens.verify(&Signer::new("new").token(), at(65)).await));
}

#[tokio::test]
async fn an_outage_is_survived_for_a_day() {
    let (https, signer) = (Https::start().await, Signer::new("k"));
    let tokens = https.tokens();
    https.says("503 Service Unavailable", "", "");
    for _ in 0..5 {
        let reason = unavailable(tokens.verify(&signer.token(), at(0)).await);
        assert!(reason.contains("503"), "{reason}");
    }
    assert_eq!(https.asked(), 1, "an address that fails is not hammered");
    https.publishes(&[&signer]);
    tokens.verify(&signer.token(), at(2)).await.unwrap();
    https.says("500 Internal Server Error", "", "");
    for minutes in [70, 71, 72] {
        tokens.verify(&signer.token(), at(minutes)).await.unwrap();
    }
    tokens.verify(&signer.token(), at(23 * 60)).await.unwrap();
    unavailable(tokens.verify(&signer.token(), at(25 * 60)).await);
    https.publishes(&[&signer]);
    tokens.verify(&signer.token(), at(25 * 60 + 2)).await.unwrap();
}

#[tokio::test]
async fn only_a_key_set_from_that_very_address() {
    let (https, signer) = (Https::start().await, Signer::new("k"));
    let other = Https::start().await;
    other.publishes(&[&signer]);
    let refusal = async || unavailable(https.tokens().verify(&signer.token(), at(0)).await);
    https.says("302 Found", &format!("location: {}\r\n", other.url), "");
    assert!(refusal().await.contains("302"));
    assert_eq!(other.asked(), 0, "keys come from the address that was configured");
    https.says("200 OK", "", "<html>log in first</html>");
    assert!(refusal().await.contains("no key set"));
    let keys: Vec<_> = (0..4000).map(|_| signer.jwk()).collect();
    https.says("200 OK", "", &json!({ "keys": keys }).to_string());
    assert!(refusal().await.contains("longer than"));
    // Promised and never sent.
    https.says("200 OK", "x-content: 1\r\n", "");
    *https.answer.lock().unwrap() =
        b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\nconnection: close\r\n\r\n{\"keys\":".to_vec();
    refusal().await;

    // Not vouched for by the authority that was named.
    std::fs::copy(other.dir.path().join("a/ca.pem"), https.dir.path().join("other.pem")).unwrap();
    https.publishes(&[&signer]);
    let before = https.asked();
    let tokens = https.tokens_by("other.pem");
    let reason = unavailable(tokens.verify(&signer.token(), at(0)).await);
    assert!(reason.contains("certificate"), "{reason}");
    assert!(!reason.contains(&https.url), "{reason}");
    assert_eq!(https.asked(), before);
}

#[tokio::test]
async fn what_cannot_be_is_said_at_the_start() {
    let settings = |url: &str, authority: Option<&str>| TokenSettings {
        audience: "ebp".into(),
        issuer: None,
        keys: KeySource::Url { url: url.into(), authority: authority.map(Into::into) },
    };
    let refused = |settings| Tokens::new(settings).err().unwrap().to_string();
    assert!(refused(settings("http://login.example.org/keys", None)).contains("https://"));
    let missing = refused(settings("https://login.example.org", Some("/nowhere/ca.pem")));
    assert!(missing.contains("keys_ca") && missing.contains("/nowhere/ca.pem"), "{missing}");
}
