//! Certificates that are no participant's: those of persons who connect to devices, and of servers.

use ebp_fleet::tunnel::protocol::is_administrator_name;
use ebp_store::Serial;
use ebp_survey::authority::{ADMINISTRATOR_URN, SERVER_URN, scope_extension};
use jiff::Timestamp;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// The certificate of a person or a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCertificate {
    /// Its serial number.
    pub serial: Serial,
    /// Valid from.
    pub not_before: Timestamp,
    /// Valid until.
    pub not_after: Timestamp,
    /// Whose it is.
    pub holder: Holder,
}

/// Whose a certificate is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// A person with that name, who may connect to devices.
    Administrator(String),
    /// A server of this survey.
    Server,
}

impl OwnCertificate {
    /// Reads a certificate that names one person and nothing else, or a server.
    #[must_use]
    pub fn parse(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let names = &certificate.subject_alternative_name().ok()??.value.general_names;
        let mut uris = names.iter().filter_map(|name| match name {
            GeneralName::URI(uri) => Some(*uri),
            _ => None,
        });
        let uri = uris.next().filter(|_| uris.next().is_none())?;
        let holder = match uri.strip_prefix(ADMINISTRATOR_URN) {
            Some(name) if names.len() == 1 && is_administrator_name(name) => {
                let scopes = certificate.get_extension_unique(&scope_extension::oid()?).ok()??;
                if !scope_extension::permits_tunnel(scopes.value) {
                    return None;
                }
                Holder::Administrator(name.to_owned())
            }
            None if uri == SERVER_URN => Holder::Server,
            _ => return None,
        };
        let validity = certificate.validity();
        Some(Self {
            serial: Serial::from_octets(certificate.raw_serial())?,
            not_before: Timestamp::from_second(validity.not_before.timestamp()).ok()?,
            not_after: Timestamp::from_second(validity.not_after.timestamp()).ok()?,
            holder,
        })
    }
}

/// A person who manages devices, by their certificate, or the group that shares a secret.
#[derive(Debug, Clone)]
pub struct Administrator(pub Option<std::sync::Arc<OwnCertificate>>);

impl Administrator {
    /// The name for logs.
    #[must_use]
    pub fn name(&self) -> &str {
        match self.0.as_deref() {
            Some(OwnCertificate { holder: Holder::Administrator(name), .. }) => name,
            _ => "shared",
        }
    }
}

/// A request of another server of this survey.
#[derive(Debug, Clone, Copy)]
pub struct OtherServer;

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use ebp_core::{clock::FixedClock, scope::Scopes};
    use ebp_survey::authority::{Authority, ClientRequest, Issued};
    use rustls_pki_types::{CertificateDer, pem::PemObject};
    use uuid::Uuid;

    use super::*;

    fn parse(issued: &Issued) -> Option<OwnCertificate> {
        let der = CertificateDer::from_pem_slice(issued.chain_pem.as_bytes()).unwrap();
        OwnCertificate::parse(&der)
    }

    #[test]
    fn persons_and_servers_are_read_and_participants_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(FixedClock("2026-11-24T12:00:00Z".parse().unwrap()));
        let authority = Authority::init(dir.path(), "Test CA", clock).unwrap();
        let issued = authority.issue_administrator("erika", Duration::from_secs(60)).unwrap();
        let read = parse(&issued).unwrap();
        assert_eq!(read.holder, Holder::Administrator("erika".into()));
        assert_eq!(read.serial, issued.entry.serial);
        let server = parse(&authority.issue_server(&["localhost".into()]).unwrap()).unwrap();
        assert_eq!(server.holder, Holder::Server);
        let other = authority.issue_administrator("a b", Duration::from_secs(60)).unwrap();
        assert_eq!(parse(&other), None, "a name that logs cannot have");
        let participant = ClientRequest {
            participant: Uuid::from_u128(5),
            email: "erika@example.org".into(),
            device: Some(Uuid::from_u128(7)),
            scopes: Scopes::all(),
            validity: Duration::from_secs(60),
        };
        assert_eq!(parse(&authority.issue(&participant).unwrap()), None);
    }
}
