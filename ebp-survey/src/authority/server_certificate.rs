//! The server's own certificate, issued again when it no longer fits.

use std::{fs, net::IpAddr, path::Path};

use jiff::{SignedDuration, Timestamp};
use rcgen::{KeyPair, PublicKeyData};
use x509_parser::prelude::GeneralName;

use ebp_store::{RegisterEntry, Serial};

use super::{Authority, AuthorityError, issued::SERVER_URN};

/// Longer than this a server's certificate is refused by some clients (Apple's: 398 days, of private
/// authorities 825; this program makes 397).
const LONGEST: SignedDuration = SignedDuration::from_hours(398 * 24);

impl Authority {
    /// Makes sure that `chain` and `key` hold a certificate of this authority for `hosts` of whose
    /// validity more than a third is left, or that ends with the authority's own. True if a new one
    /// was issued.
    ///
    /// # Errors
    /// If one is needed and cannot be issued or written.
    pub fn ensure_server(
        &self,
        hosts: &[String],
        chain: &Path,
        key: &Path,
    ) -> Result<bool, AuthorityError> {
        let good = |serial: Serial| -> Result<bool, AuthorityError> {
            let good = |entry: &RegisterEntry| entry.serial == serial && entry.revoked_at.is_none();
            Ok(self.list()?.iter().any(good))
        };
        if let Some(serial) = self.fitting_server(hosts, chain, key)?
            && good(serial)?
        {
            return Ok(false);
        }
        self.issue_server(hosts)?.save(chain, key)?;
        Ok(true)
    }

    /// The serial number of the certificate there, if it is one as [`Self::ensure_server`] wants it,
    /// unless it is revoked. `None` whatever the reason: the remedy is the same. A key without its
    /// certificate, from a crash between the two, is one of them.
    pub(crate) fn fitting_server(
        &self,
        hosts: &[String],
        chain: &Path,
        key: &Path,
    ) -> Result<Option<Serial>, AuthorityError> {
        let (Ok(chain), Ok(key)) = (fs::read_to_string(chain), fs::read_to_string(key)) else {
            return Ok(None);
        };
        let (now, (_, last)) = (self.clock.now(), self.validity()?);
        Ok((|| {
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
            let lasts = end.duration_since(now) * 3 > end.duration_since(start);
            // Whoever made it, with whatever clock: no longer than clients accept.
            let accepted = end.duration_since(start) <= LONGEST && end <= last;
            let fresh = now >= start && now < end && (lasts || end == last) && accepted;
            let of_server = |name: &GeneralName<'_>| matches!(name, GeneralName::URI(SERVER_URN));
            let complete = hosts.iter().all(named) && names.iter().any(of_server);
            (issued_here && complete && of_key && fresh)
                .then(|| Serial::from_octets(certificate.raw_serial()))?
        })())
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

    /// Whatever the clock says, clients accept it, or it is not made.
    #[test]
    fn none_is_made_that_clients_refuse() {
        let dir = tempfile::tempdir().unwrap();
        let at = |text: &str| Arc::new(FixedClock(text.parse().unwrap()));
        let ca = dir.path().join("ca");
        Authority::init(&ca, "Test CA", at("2026-01-01T00:00:00Z")).unwrap();
        let hosts = ["localhost".to_owned()];
        let (chain, key) = (dir.path().join("s.pem"), dir.path().join("s.key"));
        let ensure = |now| {
            let authority = Authority::open(&ca, at(now)).unwrap();
            let issued = authority.ensure_server(&hosts, &chain, &key)?;
            Ok::<_, AuthorityError>((issued, authority.list().unwrap().pop().unwrap()))
        };
        for behind in ["1970-01-01T00:10:00Z", "2025-12-31T23:50:00Z"] {
            let error = ensure(behind).unwrap_err();
            assert!(matches!(error, AuthorityError::ClockBehind { .. }), "{error}");
            assert!(!chain.exists());
        }
        let error = ensure("2025-12-31T22:00:00Z").unwrap_err().to_string();
        assert!(error.starts_with("this machine's clock is behind by 1h 55m"), "{error}");
        let first = ensure("2026-01-01T00:00:01Z").unwrap().1;
        assert_eq!(first.not_before.to_string(), "2025-12-31T23:55:01Z");
        // Within the authority's last year it ends with the authority's own, and stays.
        for (now, issued) in [("2035-06-01T00:00:00Z", true), ("2035-12-31T00:00:00Z", false)] {
            let (made, entry) = ensure(now).unwrap();
            assert_eq!((made, &*entry.not_after.to_string()), (issued, "2036-01-02T00:00:00Z"));
        }
        let late = Authority::open(&ca, at("2035-05-31T00:00:00Z")).unwrap();
        let issued = late.list().unwrap().iter().map(|entry| entry.not_before).max();
        let behind = late.clock_behind(issued).unwrap().unwrap();
        assert_eq!(behind, SignedDuration::from_secs(86_400 - 300));
        let error = ensure("2036-01-02T00:00:00Z").unwrap_err();
        assert!(matches!(error, AuthorityError::Expired(_)), "{error}");
    }
}
