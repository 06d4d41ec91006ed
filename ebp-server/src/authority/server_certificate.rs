//! The server's own certificate, issued anew when it no longer fits.

use std::{fs, net::IpAddr, path::Path};

use jiff::Timestamp;
use rcgen::{KeyPair, PublicKeyData};
use x509_parser::prelude::GeneralName;

use super::{Authority, AuthorityError, Serial};

impl Authority {
    /// Makes sure that `chain` and `key` hold a certificate of this authority for `hosts` of whose
    /// validity more than a third is left. True if a new one was issued.
    ///
    /// # Errors
    /// If one is needed and cannot be issued or written.
    pub fn ensure_server(
        &self,
        hosts: &[String],
        chain: &Path,
        key: &Path,
    ) -> Result<bool, AuthorityError> {
        if self.fits(hosts, chain, key)?.is_some() {
            return Ok(false);
        }
        self.issue_server(hosts)?.save(chain, key)?;
        Ok(true)
    }

    /// `None` whatever the reason: the remedy is the same. A key without its certificate, from a
    /// crash between the two, is one of them.
    fn fits(
        &self,
        hosts: &[String],
        chain: &Path,
        key: &Path,
    ) -> Result<Option<()>, AuthorityError> {
        let (Ok(chain), Ok(key)) = (fs::read_to_string(chain), fs::read_to_string(key)) else {
            return Ok(None);
        };
        let now = self.clock.now();
        let serial = (|| {
            let issued_here = chain.ends_with(&self.certificate_pem);
            let (_, pem) = x509_parser::pem::parse_x509_pem(chain.as_bytes()).ok()?;
            let certificate = pem.parse_x509().ok()?;
            let key = KeyPair::from_pem(&key).ok()?;
            let names = &certificate.subject_alternative_name().ok()??.value.general_names;
            let named = |host: &String| names.iter().any(|name| is_name(name, host));
            let of_key = certificate.public_key().subject_public_key.data == key.der_bytes();
            let validity = certificate.validity();
            let start = Timestamp::from_second(validity.not_before.timestamp()).ok()?;
            let end = Timestamp::from_second(validity.not_after.timestamp()).ok()?;
            let fresh = now >= start && end.duration_since(now) * 3 > end.duration_since(start);
            (issued_here && hosts.iter().all(named) && of_key && fresh)
                .then(|| Serial::from_octets(certificate.raw_serial()))?
        })();
        let Some(serial) = serial else { return Ok(None) };
        let good =
            |entry: &super::RegisterEntry| entry.serial == serial && entry.revoked_at.is_none();
        Ok(self.list()?.iter().any(good).then_some(()))
    }
}

fn is_name(name: &GeneralName<'_>, host: &str) -> bool {
    match name {
        GeneralName::DNSName(dns) => dns.eq_ignore_ascii_case(host),
        GeneralName::IPAddress(octets) => match host.parse() {
            Ok(IpAddr::V4(address)) => address.octets() == *octets,
            Ok(IpAddr::V6(address)) => address.octets() == *octets,
            Err(_) => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ebp_core::clock::FixedClock;

    use super::*;

    #[test]
    fn a_new_one_when_the_old_one_does_not_fit() {
        let dir = tempfile::tempdir().unwrap();
        let at = |text: &str| Arc::new(FixedClock(text.parse().unwrap()));
        let ca = dir.path().join("ca");
        let authority = Authority::init(&ca, "Test CA", at("2026-01-01T00:00:00Z")).unwrap();
        let (chain, key) = (dir.path().join("s.pem"), dir.path().join("s.key"));
        let hosts = ["localhost".to_owned(), "::1".to_owned(), "127.0.0.1".to_owned()];
        assert!(authority.ensure_server(&hosts, &chain, &key).unwrap());
        assert!(!authority.ensure_server(&hosts, &chain, &key).unwrap());
        assert!(!authority.ensure_server(&hosts[1..], &chain, &key).unwrap());

        let more = [hosts[0].clone(), "ebp.example.org".to_owned()];
        assert!(authority.ensure_server(&more, &chain, &key).unwrap());
        fs::write(&key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
        assert!(authority.ensure_server(&more, &chain, &key).unwrap());
        let serial = authority.list().unwrap().last().unwrap().serial;
        authority.revoke(&serial).unwrap();
        assert!(authority.ensure_server(&more, &chain, &key).unwrap());

        let later = Authority::open(&ca, at("2026-12-01T00:00:00Z")).unwrap();
        assert!(later.ensure_server(&more, &chain, &key).unwrap());
        fs::write(&chain, "damaged").unwrap();
        assert!(later.ensure_server(&more, &chain, &key).unwrap());
    }
}
