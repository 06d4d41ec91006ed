//! Mails and webhooks over TLS: the receiver's certificate is of a test's authority, and has its name or
//! another one.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use ebp_core::contract::DeliveryState;
use ebp_server::alert::{AlertSettings, MailSettings, MailTls};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
};
use tokio_rustls::{TlsAcceptor, rustls};

use super::{
    receiver::{NOTHING, Receiver},
    test, watching,
};

/// An authority with a server's certificate.
struct TestAuthority {
    /// Its certificate (PEM).
    root: String,
    /// Answers by the certificate.
    acceptor: TlsAcceptor,
}

impl TestAuthority {
    /// With a certificate for that name.
    fn for_name(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        let own = KeyPair::generate().unwrap();
        let server = CertificateParams::new([name.to_owned()]).unwrap();
        let server = server.signed_by(&own, &issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain: Vec<CertificateDer<'static>> = vec![server.der().clone()];
        let key = PrivateKeyDer::try_from(own.serialize_der()).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        Self { root: root.pem(), acceptor: TlsAcceptor::from(Arc::new(config)) }
    }

    /// Lets alerts trust the authority.
    fn trust(&self, alerts: &mut AlertSettings, folder: &Path) {
        let file = folder.join("ca.pem");
        std::fs::write(&file, &self.root).unwrap();
        alerts.ca = Some(file);
        alerts.allowed = ["127.0.0.1", "::1"].map(|text| text.parse().unwrap()).to_vec();
    }
}

#[tokio::test]
async fn webhooks_over_https_want_a_certificate_of_their_name() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = Receiver::start().await;
    for name in ["localhost", "other.example"] {
        let authority = TestAuthority::for_name(name);
        let receiver = Receiver::start_tls(authority.acceptor.clone()).await;
        let server = watching(Some(&receiver), |alerts, _| authority.trust(alerts, folder.path()));
        let server = server.await;
        let delivery = test(&server).await.deliveries.remove(0);
        if name == "localhost" {
            assert_eq!(delivery.state, DeliveryState::Sent, "{delivery:?}");
            receiver.wait(1).await[0].assert_signed();
            let redirect = format!("HTTP/1.1 308 There\r\nlocation: {}\r\n\r\n", elsewhere.url);
            for (answer, why) in [
                (&*redirect, "redirections are not followed"),
                (NOTHING, "does not answer in time"),
                (super::receiver::DRIP, "does not answer in time"),
            ] {
                receiver.answers(answer);
                let delivery = test(&server).await.deliveries.remove(0);
                let error = delivery.error.unwrap();
                assert!(error.contains(why), "{error}");
                assert!(!error.contains("localhost"), "{error}");
            }
        } else {
            assert_eq!(delivery.state, DeliveryState::GivenUp, "a certificate for {name}");
            let error = delivery.error.unwrap();
            assert!(error.contains("certificate"), "{error}");
            assert_eq!(receiver.count(), 0, "nothing is sent to it");
        }
        server.stop().await;
    }
    assert_eq!(elsewhere.count(), 0);

    // Nor is one of another authority enough.
    let authority = TestAuthority::for_name("localhost");
    let receiver = Receiver::start_tls(TestAuthority::for_name("localhost").acceptor).await;
    let server = watching(Some(&receiver), |alerts, _| authority.trust(alerts, folder.path()));
    let server = server.await;
    assert_eq!(test(&server).await.deliveries[0].state, DeliveryState::GivenUp);
    assert_eq!(receiver.count(), 0);
    server.stop().await;
}

/// How a mail server speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Offer {
    Implicit,
    StartTls,
    /// It says that it knows no TLS.
    Plain,
}

/// A mail server; it keeps the commands and mails that it gets.
async fn mail_server(offer: Offer, acceptor: TlsAcceptor) -> (u16, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::<Mutex<String>>::default();
    let kept = heard.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, kept) = (acceptor.clone(), kept.clone());
            tokio::spawn(async move {
                if offer == Offer::Implicit {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    converse(&mut BufReader::new(stream), true, false, &kept).await;
                    return;
                }
                let mut stream = BufReader::new(stream);
                if converse(&mut stream, true, offer == Offer::StartTls, &kept).await {
                    let Ok(stream) = acceptor.accept(stream.into_inner()).await else { return };
                    converse(&mut BufReader::new(stream), false, false, &kept).await;
                }
            });
        }
    });
    (port, heard)
}

/// Answers commands until the connection ends; true if TLS was asked for, and offered.
async fn converse(
    stream: &mut (impl AsyncBufReadExt + AsyncRead + AsyncWrite + Unpin),
    greet: bool,
    offer: bool,
    kept: &Mutex<String>,
) -> bool {
    if greet && stream.write_all(b"220 here\r\n").await.is_err() {
        return false;
    }
    let mut line = String::new();
    while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
        kept.lock().unwrap().push_str(&line);
        let command = std::mem::take(&mut line).to_ascii_uppercase();
        let answer: &[u8] = match command.get(..4) {
            Some("STAR") if offer => {
                let _ = stream.write_all(b"220 go on\r\n").await;
                return true;
            }
            Some("DATA") => {
                let _ = stream.write_all(b"354 go on\r\n").await;
                let mut mail = String::new();
                while !mail.ends_with("\r\n.\r\n") {
                    if stream.read_line(&mut mail).await.unwrap_or(0) == 0 {
                        return false;
                    }
                }
                kept.lock().unwrap().push_str(&mail);
                b"250 kept\r\n"
            }
            Some("QUIT") => b"221 bye\r\n",
            Some("EHLO") if offer => b"250-here\r\n250 STARTTLS\r\n",
            Some("EHLO") => b"250 here\r\n",
            _ => b"250 good\r\n",
        };
        if stream.write_all(answer).await.is_err() {
            return false;
        }
    }
    false
}

#[tokio::test]
async fn mails_over_tls_want_a_certificate_of_the_servers_name() {
    let folder = tempfile::tempdir().unwrap();
    for (name, offer, tls, is_sent) in [
        ("localhost", Offer::Implicit, MailTls::Implicit, true),
        ("localhost", Offer::StartTls, MailTls::StartTls, true),
        ("other.example", Offer::Implicit, MailTls::Implicit, false),
        ("other.example", Offer::StartTls, MailTls::StartTls, false),
        // A server that offers no TLS, or somebody between who removes the offer.
        ("localhost", Offer::Plain, MailTls::StartTls, false),
        ("localhost", Offer::Plain, MailTls::Implicit, false),
    ] {
        let case = format!("{name}, {offer:?} and {tls:?}");
        let authority = TestAuthority::for_name(name);
        let (port, heard) = mail_server(offer, authority.acceptor.clone()).await;
        let server = watching(None, |alerts, _| {
            authority.trust(alerts, folder.path());
            alerts.mail = Some(MailSettings {
                pages: None,
                server: format!("localhost:{port}"),
                tls,
                user: None,
                password: None,
                from: "ebp@example.org".into(),
                to: vec!["first@example.org".into()],
            });
        })
        .await;
        let message = test(&server).await;
        let delivery = &message.deliveries[0];
        let heard = heard.lock().unwrap().clone();
        if is_sent {
            assert_eq!(delivery.state, DeliveryState::Sent, "{case}: {delivery:?}");
            assert!(heard.contains(&format!("Message-ID: <{}@", message.uuid)), "{case}: {heard}");
        } else {
            assert_eq!(delivery.state, DeliveryState::GivenUp, "{case}: {delivery:?}");
            // Neither who sends nor to whom.
            assert!(!heard.contains("example.org"), "{case}: {heard}");
        }
        server.stop().await;
    }
}
