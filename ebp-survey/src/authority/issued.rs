//! What is issued, the credential of the request, and the instants and names in the certificate.

use std::{fmt, path::Path, time::Duration};

use ebp_core::scope::Scopes;
use ebp_store::{CertificateKind, RegisterEntry, Serial};
use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateSigningRequestParams, PublicKeyData, SerialNumber};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{AuthorityError, request_key};
use crate::atomic_file::write_atomic;

pub(super) const DAY: Duration = Duration::from_secs(86_400);

/// How far before its making a certificate is valid: clocks of devices may be behind.
pub(super) const BACKDATED: SignedDuration = SignedDuration::from_mins(5);

/// What a participant's identifier follows in a certificate.
pub const PARTICIPANT_URN: &str = "urn:ebp:participant:";

/// What a device's identifier follows in a certificate.
pub const DEVICE_URN: &str = "urn:uuid:";

/// What a person's name follows in an administrator's certificate.
pub const ADMINISTRATOR_URN: &str = "urn:ebp:administrator:";

/// What every server's certificate says: servers of one database trust each other by it.
pub const SERVER_URN: &str = "urn:ebp:server";

/// What a client's certificate is to say.
#[derive(Clone)]
pub struct ClientRequest {
    /// The participant's identifier: it decides whom the certificate identifies.
    pub participant: Uuid,
    /// The participant's e-mail address.
    pub email: String,
    /// The measurement device that will hold it; without one it is the participant's own.
    pub device: Option<Uuid>,
    /// What it permits.
    pub scopes: Scopes,
    /// For how long.
    pub validity: Duration,
}

/// Does not show the e-mail address.
impl fmt::Debug for ClientRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientRequest")
            .field("device", &self.device)
            .field("scopes", &self.scopes)
            .field("validity", &self.validity)
            .finish_non_exhaustive()
    }
}

/// A certificate with its private key, which exists nowhere else.
pub struct Issued {
    /// What the register says of it.
    pub entry: RegisterEntry,
    /// The certificate and the authority's own (PEM).
    pub chain_pem: String,
    /// The private key (PEM).
    pub key_pem: String,
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("entry", &self.entry).finish_non_exhaustive()
    }
}

impl Issued {
    /// Writes chain and key, each whole or not at all, the key first. Both have mode 0600, since a
    /// client's certificate carries an e-mail address; a server's chain has 0644.
    ///
    /// # Errors
    /// If one cannot be written.
    pub fn save(&self, chain: &Path, key: &Path) -> Result<(), AuthorityError> {
        let failed = |path: &Path, source| AuthorityError::file(path, source);
        write_atomic(key, self.key_pem.as_bytes(), 0o600).map_err(|source| failed(key, source))?;
        let mode = match self.entry.kind {
            CertificateKind::Server => 0o644,
            CertificateKind::Client => 0o600,
        };
        write_atomic(chain, self.chain_pem.as_bytes(), mode).map_err(|source| failed(chain, source))
    }
}

/// A certificate for a key that its holder made.
pub struct Certified {
    /// What is to be registered of it.
    pub entry: RegisterEntry,
    /// The certificate and the authority's own (PEM).
    pub chain_pem: String,
}

impl fmt::Debug for Certified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certified").field("entry", &self.entry).finish_non_exhaustive()
    }
}

/// A PKCS#10 request that is signed by its own key.
pub struct CertificateRequest(pub(super) CertificateSigningRequestParams);

impl CertificateRequest {
    /// Reads a request (PEM) and verifies its signature.
    ///
    /// # Errors
    /// [`AuthorityError::InvalidRequest`] if it is none or is not signed by its own key,
    /// [`AuthorityError::UnsupportedKey`] if the key is neither ECDSA P-256 nor Ed25519.
    pub fn parse(pem: &str) -> Result<Self, AuthorityError> {
        // By the key itself, and before its signature, which may be of a kind that is not verified:
        // how a request is signed does not say on which curve its key is.
        let supported = request_key::kind(pem).ok_or(AuthorityError::InvalidRequest)?;
        let algorithm = supported.map_err(AuthorityError::UnsupportedKey)?;
        let request = CertificateSigningRequestParams::from_pem(pem)
            .map_err(|_| AuthorityError::InvalidRequest)?;
        if PublicKeyData::algorithm(&request.public_key) != algorithm {
            return Err(AuthorityError::InvalidRequest);
        }
        Ok(Self(request))
    }

    /// The public key's octets.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.0.public_key.der_bytes()
    }
}

/// A certificate revocation list (RFC 5280, 5).
#[derive(Debug, Clone)]
pub struct Crl {
    /// In PEM.
    pub pem: String,
    /// In DER.
    pub der: Vec<u8>,
}

pub(super) fn shifted(at: Timestamp, by: SignedDuration) -> Result<Timestamp, AuthorityError> {
    at.checked_add(by).map_err(|_| AuthorityError::InvalidValidity)
}

/// `at` and `by` as a certificate's time, which has whole seconds.
pub(super) fn instant(at: Timestamp, by: SignedDuration) -> Result<OffsetDateTime, AuthorityError> {
    OffsetDateTime::from_unix_timestamp(shifted(at, by)?.as_second())
        .map_err(|_| AuthorityError::InvalidValidity)
}

/// A serial number as certificates and revocation lists carry it.
pub(super) fn serial_number(serial: &Serial) -> SerialNumber {
    SerialNumber::from_slice(serial.octets())
}
