//! Issuing certificates: their content, and writing them to files.

use std::{net::IpAddr, time::Duration};

use ebp_core::scope::Scopes;
use ebp_store::{CertificateKind, RegisterEntry, Serial};
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
    PublicKeyData, SanType,
};
use uuid::Uuid;

use super::{
    Authority, AuthorityError,
    issued::{
        ADMINISTRATOR_URN, BACKDATED, CertificateRequest, Certified, ClientRequest, DAY,
        DEVICE_URN, Issued, PARTICIPANT_URN, SERVER_URN, instant, serial_number, shifted,
    },
    scope_extension,
};

/// How long a server's certificate is valid.
const SERVER_VALIDITY: Duration = DAY.saturating_mul(397);

impl Authority {
    /// Issues a server's certificate as [`Self::make_server`], and registers it in the folder's file.
    ///
    /// # Errors
    /// If a name cannot be put into a certificate, or register or key cannot be used.
    pub fn issue_server(&self, hosts: &[String]) -> Result<Issued, AuthorityError> {
        let issued = self.make_server(hosts)?;
        self.add_to_file(&issued.entry)?;
        Ok(issued)
    }

    /// Makes a server's certificate for these host names and IP addresses, valid for 397 days or
    /// until the authority's own ends. It is not registered here: the caller does that before
    /// anybody gets it.
    ///
    /// # Errors
    /// If a name cannot be put into a certificate, or the key cannot be used.
    pub fn make_server(&self, hosts: &[String]) -> Result<Issued, AuthorityError> {
        let first = hosts.first().ok_or(AuthorityError::NoHost)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, first.as_str());
        params.subject_alt_names = hosts.iter().map(|h| host_name(h)).collect::<Result<_, _>>()?;
        // It is a client's towards the other servers of its database.
        params.subject_alt_names.push(SanType::URI(SERVER_URN.try_into()?));
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let term = Term::AtMost(SERVER_VALIDITY);
        self.make_any(params, CertificateKind::Server, (None, None), Scopes::default(), term)
    }

    /// Issues a client's certificate as [`Self::make`], and registers it in the folder's file.
    ///
    /// # Errors
    /// If the e-mail address cannot be put into a certificate, the certificate would outlive the
    /// authority's, or register or key cannot be used.
    pub fn issue(&self, request: &ClientRequest) -> Result<Issued, AuthorityError> {
        let issued = self.make(request)?;
        self.add_to_file(&issued.entry)?;
        Ok(issued)
    }

    /// Makes a client's certificate: e-mail address (`rfc822Name`), participant and device
    /// (`uniformResourceIdentifier`, `urn:ebp:participant:…` and `urn:uuid:…`) in the subject
    /// alternative name, scopes in their [extension](scope_extension). It is not registered here: the
    /// caller does that before anybody gets it.
    ///
    /// # Errors
    /// If the e-mail address cannot be put into a certificate, the certificate would outlive the
    /// authority's, or the key cannot be used.
    pub fn make(&self, request: &ClientRequest) -> Result<Issued, AuthorityError> {
        self.make_any(
            client_params(request)?,
            CertificateKind::Client,
            (Some(request.participant), request.device),
            request.scopes.clone(),
            Term::Exactly(request.validity),
        )
    }

    /// Makes a person's certificate for remote access: their name (`urn:ebp:administrator:…`) in the
    /// subject alternative name, and the scope `tunnel`. It is not registered here: the caller does
    /// that before anybody gets it.
    ///
    /// # Errors
    /// If the name cannot be put into a certificate, the certificate would outlive the authority's, or
    /// the key cannot be used.
    pub fn make_administrator(
        &self,
        name: &str,
        validity: Duration,
    ) -> Result<Issued, AuthorityError> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, format!("ebp administrator {name}"));
        let urn = format!("{ADMINISTRATOR_URN}{name}");
        params.subject_alt_names = vec![SanType::URI(urn.as_str().try_into()?)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let extension = scope_extension::encode_text(scope_extension::TUNNEL);
        params.custom_extensions =
            vec![CustomExtension::from_oid_content(&scope_extension::OID, extension)];
        let (kind, term) = (CertificateKind::Client, Term::Exactly(validity));
        let mut issued = self.make_any(params, kind, (None, None), Scopes::default(), term)?;
        issued.entry.administrator = Some(name.to_owned());
        Ok(issued)
    }

    /// Issues a person's certificate as [`Self::make_administrator`], and registers it in the folder's
    /// file.
    ///
    /// # Errors
    /// As [`Self::make_administrator`], or if the register cannot be used.
    pub fn issue_administrator(
        &self,
        name: &str,
        validity: Duration,
    ) -> Result<Issued, AuthorityError> {
        let issued = self.make_administrator(name, validity)?;
        self.add_to_file(&issued.entry)?;
        Ok(issued)
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

    fn make_any(
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
            administrator: None,
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
        // Times in certificates are whole seconds: less would be over when it is made.
        if validity < SignedDuration::from_secs(1) {
            return Err(AuthorityError::NoValidity);
        }
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

/// The content of a client's certificate.
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
