//! Issuing certificates: what stands in them and how they reach their files.

use std::{fmt, net::IpAddr, path::Path, time::Duration};

use ebp_core::scope::Scopes;
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    CertificateParams, CertificateSigningRequestParams, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, PublicKeyData, SanType,
};
use time::OffsetDateTime;
use uuid::Uuid;

use ebp_store::{CertificateKind, RegisterEntry, Serial};

use super::{Authority, AuthorityError, file, request_key, scope_extension, serial_number};

pub(super) const DAY: Duration = Duration::from_secs(86_400);
/// How far before its making a certificate is valid: clocks of devices may be behind.
pub(super) const BACKDATED: SignedDuration = SignedDuration::from_mins(5);
/// What a participant's identifier follows in a certificate.
pub(crate) const PARTICIPANT_URN: &str = "urn:ebp:participant:";
/// What a device's identifier follows in a certificate.
pub(crate) const DEVICE_URN: &str = "urn:uuid:";
/// How long a server's certificate is valid.
const SERVER_VALIDITY: Duration = DAY.saturating_mul(397);

/// What a client's certificate is to say.
#[derive(Clone)]
pub struct ClientRequest {
    /// The participant's identifier: it decides whom the certificate stands for.
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
        file::write_atomic(key, self.key_pem.as_bytes(), 0o600)?;
        let mode = match self.entry.kind {
            CertificateKind::Server => 0o644,
            CertificateKind::Client => 0o600,
        };
        file::write_atomic(chain, self.chain_pem.as_bytes(), mode)
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
pub struct CertificateRequest(CertificateSigningRequestParams);

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

impl Authority {
    /// Issues a server's certificate for these host names and IP addresses, valid for 397 days or
    /// until the authority's own ends.
    ///
    /// # Errors
    /// If a name cannot stand in a certificate, or register or key cannot be used.
    pub fn issue_server(&self, hosts: &[String]) -> Result<Issued, AuthorityError> {
        let first = hosts.first().ok_or(AuthorityError::NoHost)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, first.as_str());
        params.subject_alt_names = hosts.iter().map(|h| host_name(h)).collect::<Result<_, _>>()?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let term = Term::AtMost(SERVER_VALIDITY);
        self.issue_any(params, CertificateKind::Server, (None, None), Scopes::default(), term)
    }

    /// Issues a client's certificate: e-mail address (`rfc822Name`), participant and device
    /// (`uniformResourceIdentifier`, `urn:ebp:participant:…` and `urn:uuid:…`) in the subject
    /// alternative name, scopes in their [extension](scope_extension).
    ///
    /// # Errors
    /// If the e-mail address cannot stand in a certificate, the certificate would outlive the
    /// authority's, or register or key cannot be used.
    pub fn issue(&self, request: &ClientRequest) -> Result<Issued, AuthorityError> {
        self.issue_any(
            client_params(request)?,
            CertificateKind::Client,
            (Some(request.participant), request.device),
            request.scopes.clone(),
            Term::Exactly(request.validity),
        )
    }

    /// Signs a client's certificate for the key of a PKCS#10 request (PEM), of which nothing else
    /// counts. It is not registered here: the caller does that before it hands it out.
    ///
    /// # Errors
    /// As [`Self::issue`]; but near the end of the authority's own certificate the device's ends
    /// with it.
    pub fn certify(
        &self,
        request: &ClientRequest,
        csr: &CertificateRequest,
    ) -> Result<Certified, AuthorityError> {
        let (entry, chain_pem) = self.sign(
            client_params(request)?,
            CertificateKind::Client,
            request.device,
            request.scopes.clone(),
            Term::AtMost(request.validity),
            &csr.0.public_key,
        )?;
        Ok(Certified { entry, chain_pem })
    }

    /// Signs and registers. The register knows a certificate before anybody can hold it: one that
    /// is not in the register is never trusted.
    fn issue_any(
        &self,
        params: CertificateParams,
        kind: CertificateKind,
        (participant, device): (Option<Uuid>, Option<Uuid>),
        scopes: Scopes,
        term: Term,
    ) -> Result<Issued, AuthorityError> {
        let key = KeyPair::generate()?;
        let (mut entry, chain_pem) = self.sign(params, kind, device, scopes, term, &key)?;
        let own = participant.filter(|_| device.is_none());
        entry.holder = own.map(|participant| ebp_store::holder(&entry.serial, participant));
        self.change_register(|register| {
            register.entries.push(entry.clone());
            Ok(())
        })?;
        Ok(Issued { entry, chain_pem, key_pem: key.serialize_pem() })
    }

    fn sign(
        &self,
        mut params: CertificateParams,
        kind: CertificateKind,
        device: Option<Uuid>,
        scopes: Scopes,
        term: Term,
        key: &impl PublicKeyData,
    ) -> Result<(RegisterEntry, String), AuthorityError> {
        let issuer = self.issuer()?;
        let now = Timestamp::from_second(self.clock.now().as_second())
            .map_err(|_| AuthorityError::InvalidValidity)?;
        let (not_before, not_after) = self.term(now, term)?;
        let entry = RegisterEntry {
            serial: Serial::random(),
            kind,
            device,
            scopes,
            not_before,
            not_after,
            revoked_at: None,
            holder: None,
        };
        params.serial_number = Some(serial_number(&entry.serial));
        params.not_before = instant(entry.not_before, SignedDuration::ZERO)?;
        params.not_after = instant(entry.not_after, SignedDuration::ZERO)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(key, &issuer)?;
        Ok((entry, certificate.pem() + &self.certificate_pem))
    }

    /// From when and until when a certificate that is made now is valid: within the validity of the
    /// authority's own, outside of which some clients refuse it and none has a use for it.
    fn term(&self, now: Timestamp, term: Term) -> Result<(Timestamp, Timestamp), AuthorityError> {
        let (start, end) = self.validity()?;
        if now < start {
            // The authority was founded before: it is this clock that is wrong.
            let behind = SignedDuration::from_secs(start.duration_since(now).as_secs());
            return Err(AuthorityError::ClockBehind { behind, founded: start });
        }
        if now >= end {
            return Err(AuthorityError::Expired(end));
        }
        let (Term::Exactly(validity) | Term::AtMost(validity)) = term;
        let validity =
            SignedDuration::try_from(validity).map_err(|_| AuthorityError::InvalidValidity)?;
        let not_after = match (term, now.checked_add(validity)) {
            (_, Ok(not_after)) if not_after <= end => not_after,
            (Term::AtMost(_), _) => end,
            (Term::Exactly(_), Ok(_)) => return Err(AuthorityError::OutlivesAuthority(end)),
            (Term::Exactly(_), Err(_)) => return Err(AuthorityError::InvalidValidity),
        };
        Ok((shifted(now, -BACKDATED)?.max(start), not_after))
    }

    /// From when and until when the authority's own certificate is valid.
    pub(super) fn validity(&self) -> Result<(Timestamp, Timestamp), AuthorityError> {
        let read = || {
            let (_, pem) =
                x509_parser::pem::parse_x509_pem(self.certificate_pem.as_bytes()).ok()?;
            let certificate = pem.parse_x509().ok()?;
            let validity = certificate.validity();
            let start = Timestamp::from_second(validity.not_before.timestamp()).ok()?;
            Some((start, Timestamp::from_second(validity.not_after.timestamp()).ok()?))
        };
        read().ok_or(AuthorityError::Certificate(rcgen::Error::CouldNotParseCertificate))
    }
}

/// For how long a certificate is to be valid.
#[derive(Debug, Clone, Copy)]
enum Term {
    /// So long, or it is not made.
    Exactly(Duration),
    /// So long, or until the authority's own ends.
    AtMost(Duration),
}

/// What stands in a client's certificate.
fn client_params(request: &ClientRequest) -> Result<CertificateParams, AuthorityError> {
    if request.scopes == Scopes::default() {
        return Err(AuthorityError::NoScope);
    }
    let mut params = CertificateParams::default();
    let email = email_name(&request.email)?;
    // The common name is what lists of certificates show; the e-mail stays out of it, since
    // it is what programs tend to write into their logs.
    let uri = |urn: String| Ok::<_, rcgen::Error>(SanType::URI(urn.as_str().try_into()?));
    let participant = uri(format!("{PARTICIPANT_URN}{}", request.participant))?;
    match request.device {
        Some(device) => {
            let device_name = uri(format!("{DEVICE_URN}{device}"))?;
            params.subject_alt_names = vec![email, participant, device_name];
            params.distinguished_name.push(DnType::CommonName, format!("ebp device {device}"));
        }
        None => {
            params.subject_alt_names = vec![email, participant];
            params.distinguished_name.push(DnType::CommonName, "ebp participant");
        }
    }
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.custom_extensions = vec![CustomExtension::from_oid_content(
        &scope_extension::OID,
        scope_extension::encode(&request.scopes),
    )];
    Ok(params)
}

fn host_name(host: &str) -> Result<SanType, AuthorityError> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    let invalid = || AuthorityError::InvalidHost(host.to_owned());
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if host.len() > 253 || !host.strip_prefix("*.").unwrap_or(host).split('.').all(label) {
        return Err(invalid());
    }
    host.try_into().map(SanType::DnsName).map_err(|_| invalid())
}

fn email_name(email: &str) -> Result<SanType, AuthorityError> {
    let printable = email.bytes().all(|b| b.is_ascii_graphic());
    let (name, domain) = email.rsplit_once('@').ok_or(AuthorityError::InvalidEmail)?;
    if !printable || name.is_empty() || domain.is_empty() || email.len() > 254 {
        return Err(AuthorityError::InvalidEmail);
    }
    email.try_into().map(SanType::Rfc822Name).map_err(|_| AuthorityError::InvalidEmail)
}

fn shifted(at: Timestamp, by: SignedDuration) -> Result<Timestamp, AuthorityError> {
    at.checked_add(by).map_err(|_| AuthorityError::InvalidValidity)
}

/// `at` and `by` as a certificate's time, which has whole seconds.
pub(super) fn instant(at: Timestamp, by: SignedDuration) -> Result<OffsetDateTime, AuthorityError> {
    OffsetDateTime::from_unix_timestamp(shifted(at, by)?.as_second())
        .map_err(|_| AuthorityError::InvalidValidity)
}
