//! Verifying a server's certificate by a rule of our own, and its signatures as rustls does.

use std::{fmt, sync::Arc};

use rustls::{
    DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

/// What a server shows in a handshake.
#[derive(Debug, Clone, Copy)]
pub struct ShownChain<'a> {
    /// Its own certificate.
    pub end_entity: &'a CertificateDer<'a>,
    /// The others that it sends.
    pub intermediates: &'a [CertificateDer<'a>],
    /// By which name it was asked for.
    pub name: &'a ServerName<'a>,
    /// When.
    pub now: UnixTime,
}

/// Which servers are trusted.
pub trait ServerRule: fmt::Debug + Send + Sync {
    /// Accepts a certificate. Its signatures are verified elsewhere.
    ///
    /// # Errors
    /// Returns [`Error`] if the server is not trusted.
    fn require(&self, shown: ShownChain<'_>, provider: &Arc<CryptoProvider>) -> Result<(), Error>;
}

/// A verifier for rustls.
#[derive(Debug)]
pub struct RuleVerifier<R> {
    rule: R,
    provider: Arc<CryptoProvider>,
}

impl<R: ServerRule> RuleVerifier<R> {
    /// By that rule.
    pub const fn new(rule: R, provider: Arc<CryptoProvider>) -> Self {
        Self { rule, provider }
    }
}

impl<R: ServerRule> ServerCertVerifier for RuleVerifier<R> {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = ShownChain { end_entity, intermediates, name, now };
        self.rule.require(shown, &self.provider)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
