//! Reading a client's certificate after the handshake has verified it.

use std::{fmt, sync::Arc};

use ebp_core::scope::Scopes;
use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use uuid::Uuid;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use ebp_store::{Names, Serial};
use ebp_survey::authority::{DEVICE_URN, PARTICIPANT_URN, scope_extension};

use super::OwnCertificate;
use crate::limit::Client;

/// What a client's certificate says.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// Its serial number.
    pub serial: Serial,
    /// The identity that it proves.
    pub names: Names,
    /// What it permits.
    pub scopes: Scopes,
    /// Valid from.
    pub not_before: Timestamp,
    /// Valid until.
    pub not_after: Timestamp,
}

/// Does not show the e-mail address.
impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate")
            .field("serial", &self.serial)
            .field("device", &self.names.device)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

impl ClientCertificate {
    /// Who asks by it: the device, or the certificate itself where it names none.
    #[must_use]
    pub fn client(&self) -> Client<'_> {
        self.names.device.map_or(Client::Certificate(self.serial), Client::Device)
    }

    /// Reads the names, scopes and validity. Exactly one e-mail address and one participant, and at
    /// most one device: with more of them it would be ambiguous.
    #[must_use]
    pub fn parse(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let names = &certificate.subject_alternative_name().ok()??.value.general_names;
        let mut emails = names.iter().filter_map(|name| match name {
            GeneralName::RFC822Name(email) => Some(*email),
            _ => None,
        });
        let email = emails.next()?.to_owned();
        let (mut participant, mut device) = (None, None);
        for name in names {
            let GeneralName::URI(uri) = name else { continue };
            let (place, uuid) = match uri.strip_prefix(PARTICIPANT_URN) {
                Some(uuid) => (&mut participant, uuid),
                None => (&mut device, uri.strip_prefix(DEVICE_URN)?),
            };
            if place.replace(Uuid::try_parse(uuid).ok()?).is_some() {
                return None;
            }
        }
        if emails.next().is_some() || participant.is_none() {
            return None;
        }
        let scopes = certificate.get_extension_unique(&scope_extension::oid()?).ok()??;
        let validity = certificate.validity();
        Some(Self {
            serial: Serial::from_octets(certificate.raw_serial())?,
            names: Names { participant, email, device },
            scopes: scope_extension::decode(scopes.value)?,
            not_before: Timestamp::from_second(validity.not_before.timestamp()).ok()?,
            not_after: Timestamp::from_second(validity.not_after.timestamp()).ok()?,
        })
    }
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Default)]
pub enum Peer {
    /// Nobody who showed a certificate.
    #[default]
    Anonymous,
    /// Somebody with a certificate of our authority that is not one for clients of this API.
    Unreadable,
    /// The holder of a certificate.
    Certificate(Arc<ClientCertificate>),
    /// A person who connects to devices, or another server.
    Own(Arc<OwnCertificate>),
}

impl Peer {
    /// Reads the chain that the handshake has verified.
    #[must_use]
    pub fn from_chain(chain: Option<&[CertificateDer<'_>]>) -> Self {
        match chain.and_then(<[_]>::first) {
            None => Self::Anonymous,
            Some(der) => match (ClientCertificate::parse(der), OwnCertificate::parse(der)) {
                (Some(certificate), _) => Self::Certificate(Arc::new(certificate)),
                (None, Some(certificate)) => Self::Own(Arc::new(certificate)),
                (None, None) => Self::Unreadable,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ebp_core::clock::FixedClock;
    use rustls_pki_types::pem::PemObject;

    use super::*;
    use ebp_survey::authority::{Authority, ClientRequest};

    fn der(pem: &str) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
    }

    #[test]
    fn what_the_authority_wrote_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(FixedClock("2026-11-24T12:00:00Z".parse().unwrap()));
        let authority = Authority::init(dir.path(), "Test CA", clock).unwrap();
        for device in [None, Some(Uuid::from_u128(7))] {
            let request = ClientRequest {
                participant: Uuid::from_u128(5),
                email: "erika@example.org".into(),
                device,
                scopes: Scopes::all(),
                validity: Duration::from_secs(60),
            };
            let issued = authority.issue(&request).unwrap();
            let certificate = ClientCertificate::parse(&der(&issued.chain_pem)).unwrap();
            assert_eq!(certificate.names.email, request.email);
            assert_eq!(certificate.names.participant, Some(request.participant));
            assert_eq!(certificate.names.device, device);
            assert_eq!(certificate.scopes, request.scopes);
            assert_eq!(certificate.serial, issued.entry.serial);
            assert_eq!(certificate.not_after, issued.entry.not_after);
            assert!(!format!("{certificate:?}").contains("erika"));
        }
        let server = authority.issue_server(&["localhost".into()]).unwrap();
        assert_eq!(ClientCertificate::parse(&der(&server.chain_pem)), None);
    }

    #[test]
    fn damage_is_refused_and_never_panics() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(FixedClock("2026-11-24T12:00:00Z".parse().unwrap()));
        let authority = Authority::init(dir.path(), "Test CA", clock).unwrap();
        let request = ClientRequest {
            participant: Uuid::from_u128(5),
            email: "erika@example.org".into(),
            device: Some(Uuid::from_u128(7)),
            scopes: Scopes::all(),
            validity: Duration::from_secs(60),
        };
        let der = der(&authority.issue(&request).unwrap().chain_pem).to_vec();
        for length in 0..der.len() {
            assert_eq!(ClientCertificate::parse(&der[..length]), None);
        }
        for place in 0..der.len() {
            let mut damaged = der.clone();
            damaged[place] ^= 0x55;
            // Most are unreadable, some only wrong: the signature is not checked here.
            let _ = ClientCertificate::parse(&damaged);
        }
    }
}
