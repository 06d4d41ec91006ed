//! The configuration of rustls' own benchmark (`rustls-bench --key-type ecdsa-p256 --provider ring`,
//! mutual, TLS 1.3): both sides have a certificate of an intermediate authority, send it and the root
//! along, and the server trusts both; TLS13_AES_128_GCM_SHA256; two tickets where sessions are
//! resumed, none where they are not.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::{
    CipherSuite, ClientConfig, HandshakeKind, RootCertStore, ServerConfig,
    client::Resumption,
    crypto::ring,
    server::{NoServerSessionStorage, WebPkiClientVerifier},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

/// Server and client.
pub fn configuration(kind: HandshakeKind) -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    // Of the same name, a verifier would try one for the other.
    let named = |mut params: CertificateParams, name| {
        params.distinguished_name.push(DnType::CommonName, name);
        params
    };
    let authority = |name| {
        let mut params = named(CertificateParams::default(), name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        (params, KeyPair::generate().unwrap())
    };
    let (params, key) = authority("root");
    let root = params.self_signed(&key).unwrap();
    let issuer = Issuer::new(params, key);
    let (params, key) = authority("intermediate");
    let intermediate = params.signed_by(&key, &issuer).unwrap();
    let issuer = Issuer::new(params, key);
    let end = |usage| {
        let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let mut params = named(params, "end");
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        let end = params.signed_by(&key, &issuer).unwrap();
        let chain: Vec<CertificateDer> =
            vec![end.into(), intermediate.der().clone(), root.der().clone()];
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
        (chain, key)
    };
    let mut roots = RootCertStore::empty();
    roots.add(root.der().clone()).unwrap();
    let roots = Arc::new(roots);

    let provider = Arc::new(ring::default_provider());
    let (chain, key) = end(ExtendedKeyUsagePurpose::ServerAuth);
    let mut trusted = RootCertStore::empty();
    for certificate in &chain {
        trusted.add(certificate.clone()).unwrap();
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(trusted.into(), provider.clone());
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(chain, key)
        .unwrap();
    if kind == HandshakeKind::Resumed {
        server.ticketer = ring::Ticketer::new().unwrap();
    } else {
        server.session_storage = Arc::new(NoServerSessionStorage {});
    }

    let mut provider = ring::default_provider();
    provider.cipher_suites.retain(|one| one.suite() == CipherSuite::TLS13_AES_128_GCM_SHA256);
    let (chain, key) = end(ExtendedKeyUsagePurpose::ClientAuth);
    let mut client = ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .unwrap();
    if kind == HandshakeKind::Full {
        client.resumption = Resumption::disabled();
    }
    (server.into(), client.into())
}
