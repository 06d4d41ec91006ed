//! An administrator who makes or confirms a release: by their certificate of the survey's authority.

use ebp_core::clock::Clock;
use ebp_dataset::files::hex;
use ebp_store::{Serial, Store};
use jiff::Timestamp;
use rcgen::{KeyPair, PublicKeyData, SigningKey};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use x509_parser::prelude::{GeneralName, X509Certificate};

use super::PersonError;
use crate::authority::ADMINISTRATOR_URN;

/// An administrator with their key.
pub struct Person {
    name: String,
    key: KeyPair,
    public_key: Vec<u8>,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Person {
    /// Identifies somebody by a certificate (PEM) of the authority whose certificate is given, and its
    /// private key (PEM). The register has the last word on whether it is revoked.
    ///
    /// # Errors
    /// [`PersonError`] says what is wrong with it; a store's errors are `Ok(Err(…))` of nobody: the
    /// caller gets them as they are.
    pub async fn identify(
        (certificate, key): (&str, &str),
        authority: &str,
        store: &dyn Store,
        clock: &dyn Clock,
    ) -> Result<Self, super::super::ExportError> {
        let read = read(certificate, key, authority, clock.now())?;
        let (person, serial) = read;
        let entry = store.registered(serial).await?;
        let is_good = entry.is_some_and(|entry| {
            entry.revoked_at.is_none() && entry.administrator.as_deref() == Some(&*person.name)
        });
        if is_good { Ok(person) } else { Err(PersonError::Revoked(person.name).into()) }
    }

    /// Their name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Their public key, hexadecimal digits.
    pub(super) fn public_key(&self) -> String {
        hex(&self.public_key)
    }

    /// Their signature of a digest, hexadecimal digits.
    pub(super) fn sign(&self, digest: &str) -> Result<String, PersonError> {
        let signature = self.key.sign(digest.as_bytes());
        signature.map(|it| hex(&it)).map_err(|_| PersonError::OtherKey(self.name.clone()))
    }
}

fn read(
    certificate: &str,
    key: &str,
    authority: &str,
    now: Timestamp,
) -> Result<(Person, Serial), PersonError> {
    let nobody = || PersonError::NoAdministrator;
    let (_, pem) =
        x509_parser::pem::parse_x509_pem(certificate.as_bytes()).map_err(|_| nobody())?;
    let certificate = pem.parse_x509().map_err(|_| nobody())?;
    let name = name_of(&certificate).ok_or_else(nobody)?;
    let (_, pem) = x509_parser::pem::parse_x509_pem(authority.as_bytes())
        .map_err(|_| PersonError::OtherAuthority)?;
    let authority = pem.parse_x509().map_err(|_| PersonError::OtherAuthority)?;
    let issuer = UnparsedPublicKey::new(
        &ECDSA_P256_SHA256_ASN1,
        authority.public_key().subject_public_key.data.as_ref(),
    );
    issuer
        .verify(certificate.tbs_certificate.as_ref(), certificate.signature_value.data.as_ref())
        .map_err(|_| PersonError::OtherAuthority)?;
    let validity = certificate.validity();
    let (from, to) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    if !(from..to).contains(&now.as_second()) {
        return Err(PersonError::Expired(name));
    }
    let Ok(key) = KeyPair::from_pem(key) else { return Err(PersonError::OtherKey(name)) };
    let public_key = certificate.public_key().subject_public_key.data.to_vec();
    if key.der_bytes() != public_key {
        return Err(PersonError::OtherKey(name));
    }
    let serial = Serial::from_octets(certificate.raw_serial()).ok_or_else(nobody)?;
    Ok((Person { name, key, public_key }, serial))
}

/// The one name of a person.
fn name_of(certificate: &X509Certificate<'_>) -> Option<String> {
    let names = &certificate.subject_alternative_name().ok()??.value.general_names;
    match names.as_slice() {
        [GeneralName::URI(uri)] => uri.strip_prefix(ADMINISTRATOR_URN).map(str::to_owned),
        _ => None,
    }
}
