//! The certificate authority: issues, registers and revokes the certificates of mutual TLS.
//!
//! Enters: names, e-mail addresses, devices and scopes from an administrator, the clock.
//! Leaves: certificates with their keys, entries of the register of what was issued, revocation lists.
//! Absent: HTTP, participants. The register holds no e-mail address: what is issued to a
//! participant cannot be found there, so that revoking consent leaves nothing behind.
//!
//! The folder (mode 0700) holds
//!
//! | file | what |
//! |---|---|
//! | `ca.pem` | the authority's certificate, written last: with it the authority exists |
//! | `ca.key` | its private key, mode 0600 |
//! | `register.jsonl` | one line for each certificate that was issued where there was no database |
//! | `lock` | held while the folder changes, so that two processes do not lose each other's work |
//!
//! The register is in the database, which all servers share
//! ([`AuthorityStore`](ebp_store::AuthorityStore)). The file is what an authority on a machine of its
//! own has, and what the release before read: the survey imports it, whenever it has changed, and
//! adds to a file that is there.
//!
//! A server needs `ca.pem` only, and the file if certificates were issued on another machine; `ca.key`
//! may be there.

mod error;
mod issue;
mod issued;
mod register;
mod request_key;
pub mod scope_extension;
mod server_certificate;
mod watch;

use std::{
    fs::{self, File, OpenOptions},
    path::{Path, PathBuf},
    sync::Arc,
};

use ebp_core::{clock::Clock, private_file};
use ebp_store::{RegisterEntry, Serial};
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevocationReason, RevokedCertParams, SerialNumber,
};
use uuid::Uuid;

pub use error::AuthorityError;
pub use issued::{ADMINISTRATOR_URN, DEVICE_URN, PARTICIPANT_URN, SERVER_URN};
pub use issued::{CertificateRequest, Certified, ClientRequest, Crl, Issued};
pub use register::Register;
pub(crate) use watch::{RegisterWatch, read_version};

use crate::atomic_file::create_private_folder;
use issued::{BACKDATED, DAY, instant, serial_number};

/// How long the authority's own certificate is valid: ten years.
const AUTHORITY_VALIDITY: std::time::Duration = DAY.saturating_mul(3653);
/// How long a revocation list may be relied upon.
const CRL_VALIDITY: std::time::Duration = DAY.saturating_mul(7);

/// A certificate authority in its folder.
pub struct Authority {
    dir: PathBuf,
    clock: Arc<dyn Clock>,
    certificate_pem: String,
    watch: RegisterWatch,
}

impl Authority {
    /// Founds an authority in `dir` (made with mode 0700), called `name` in its certificate.
    ///
    /// # Errors
    /// [`AuthorityError::Exists`] if there is one already: nothing is ever overwritten. A key that
    /// an interrupted `init` left without a certificate is used, not replaced.
    pub fn init(dir: &Path, name: &str, clock: Arc<dyn Clock>) -> Result<Self, AuthorityError> {
        create_private_folder(dir).map_err(|source| AuthorityError::file(dir, source))?;
        let _lock = lock(dir)?;
        let certificate = certificate_path(dir);
        if certificate.exists() {
            return Err(AuthorityError::Exists { dir: dir.to_owned() });
        }
        let key = if key_path(dir).exists() {
            if let Some(exposed) = private_file::exposure(&key_path(dir)) {
                return Err(exposed.into());
            }
            read_key(dir)?
        } else {
            let key = KeyPair::generate()?;
            write(&key_path(dir), key.serialize_pem().as_bytes(), 0o600)?;
            key
        };
        let now = clock.now();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = instant(now, -BACKDATED)?;
        params.not_after = instant(now, AUTHORITY_VALIDITY.try_into().unwrap_or_default())?;
        params.serial_number = Some(serial_number(&Serial::random()));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate_pem = params.self_signed(&key)?.pem();
        write(&certificate, certificate_pem.as_bytes(), 0o644)?;
        Ok(Self::in_folder(dir, clock, certificate_pem))
    }

    /// Opens the authority in `dir`.
    ///
    /// # Errors
    /// [`AuthorityError::Missing`] if there is none.
    pub fn open(dir: &Path, clock: Arc<dyn Clock>) -> Result<Self, AuthorityError> {
        let path = certificate_path(dir);
        let certificate_pem = fs::read_to_string(&path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => AuthorityError::Missing { dir: dir.to_owned() },
            _ => AuthorityError::file(&path, source),
        })?;
        Ok(Self::in_folder(dir, clock, certificate_pem))
    }

    fn in_folder(dir: &Path, clock: Arc<dyn Clock>, certificate_pem: String) -> Self {
        let watch = RegisterWatch::new(register_path(dir));
        Self { dir: dir.to_owned(), clock, certificate_pem, watch }
    }

    /// The register's file, and whether it was imported into the database as it is.
    pub(crate) const fn watch(&self) -> &RegisterWatch {
        &self.watch
    }

    /// Whether the folder has a register of its own.
    pub(crate) fn has_file(&self) -> bool {
        register_path(&self.dir).exists()
    }

    /// The authority's own certificate (PEM): what clients trust the server by.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The SHA-256 of its certificate, as hexadecimal digits with colons between the octets: what
    /// devices that are enrolled may trust the server by.
    ///
    /// # Errors
    /// If the certificate cannot be read.
    pub fn fingerprint(&self) -> Result<String, AuthorityError> {
        let (_, pem) = x509_parser::pem::parse_x509_pem(self.certificate_pem.as_bytes())
            .map_err(|_| rcgen::Error::CouldNotParseCertificate)?;
        let digest = ring::digest::digest(&ring::digest::SHA256, &pem.contents);
        let octets: Vec<_> = digest.as_ref().iter().map(|octet| format!("{octet:02x}")).collect();
        Ok(octets.join(":"))
    }

    /// Whether the private key is here, so that certificates can be issued.
    #[must_use]
    pub fn can_issue(&self) -> bool {
        key_path(&self.dir).exists()
    }

    /// Checks that only its owner may use the private key, if it is here. Checked before issuing
    /// starts; a running server continues, and warns.
    ///
    /// # Errors
    /// [`AuthorityError::Exposed`].
    pub fn require_private_key(&self) -> Result<(), AuthorityError> {
        private_file::exposure(&key_path(&self.dir)).map_or(Ok(()), |exposed| Err(exposed.into()))
    }

    /// By how much the clock is behind at least, if it is: behind the founding, or behind the last
    /// certificate that was `issued`, which is valid from then on.
    ///
    /// # Errors
    /// If the certificate cannot be read.
    pub fn clock_behind(
        &self,
        issued: Option<Timestamp>,
    ) -> Result<Option<SignedDuration>, AuthorityError> {
        let (founded, _) = self.validity()?;
        let behind = issued.map_or(founded, |issued| issued.max(founded));
        let behind = behind.duration_since(self.clock.now()).as_secs();
        Ok((behind > 0).then(|| SignedDuration::from_secs(behind)))
    }

    /// Every certificate in the folder's file, oldest first.
    ///
    /// # Errors
    /// If the register cannot be read or a line of it is damaged.
    pub fn list(&self) -> Result<Vec<RegisterEntry>, AuthorityError> {
        Ok(Register::read(&register_path(&self.dir))?.entries)
    }

    /// Revokes the certificate with that serial number in the folder's file and returns its entry;
    /// servers of the folder refuse it from the next request on, others of the database
    /// once one of those has imported it. Revoking again changes nothing.
    ///
    /// # Errors
    /// [`AuthorityError::UnknownSerial`] if the file has no such certificate.
    pub fn revoke(&self, serial: &Serial) -> Result<RegisterEntry, AuthorityError> {
        let now = self.clock.now();
        self.change_register(|register| {
            let entry = register
                .entries
                .iter_mut()
                .find(|entry| entry.serial == *serial)
                .ok_or(AuthorityError::UnknownSerial(*serial))?;
            entry.revoked_at.get_or_insert(now);
            Ok(entry.clone())
        })
    }

    /// Revokes every certificate of that device in the folder's file.
    ///
    /// # Errors
    /// If the register cannot be changed.
    pub fn revoke_device(&self, device: Uuid) -> Result<(), AuthorityError> {
        let now = self.clock.now();
        let good =
            |entry: &RegisterEntry| entry.device == Some(device) && entry.revoked_at.is_none();
        if !self.list()?.iter().any(good) {
            return Ok(());
        }
        self.change_register(|register| {
            for entry in register.entries.iter_mut().filter(|entry| good(entry)) {
                entry.revoked_at = Some(now);
            }
            Ok(())
        })
    }

    /// A signed list of the revoked certificates that are not expired, for other servers: of the
    /// folder's file, and of `others`, which the database has.
    ///
    /// # Errors
    /// If register or key cannot be read.
    pub fn crl(&self, others: &[RegisterEntry]) -> Result<Crl, AuthorityError> {
        let now = self.clock.now();
        let issuer = self.issuer()?;
        let mut entries = self.list()?;
        entries.extend_from_slice(others);
        // Revoked in both, the first counts.
        let mut listed = std::collections::HashSet::new();
        let revoked_certs = entries
            .into_iter()
            .filter(|entry| entry.not_after > now)
            .filter_map(|entry| Some((entry.serial, entry.revoked_at?)))
            .filter(|(serial, _)| listed.insert(*serial))
            .map(|(serial, at)| {
                Ok(RevokedCertParams {
                    serial_number: serial_number(&serial),
                    revocation_time: instant(at, SignedDuration::ZERO)?,
                    reason_code: Some(RevocationReason::Unspecified),
                    invalidity_date: None,
                })
            })
            .collect::<Result<_, AuthorityError>>()?;
        let list = CertificateRevocationListParams {
            this_update: instant(now, SignedDuration::ZERO)?,
            next_update: instant(now, CRL_VALIDITY.try_into().unwrap_or_default())?,
            // The number must grow from list to list; time does.
            crl_number: SerialNumber::from_slice(&now.as_millisecond().to_be_bytes()),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: KeyIdMethod::Sha256,
        }
        .signed_by(&issuer)?;
        Ok(Crl { pem: list.pem()?, der: list.der().to_vec() })
    }

    fn issuer(&self) -> Result<Issuer<'static, KeyPair>, AuthorityError> {
        if let Err(AuthorityError::Exposed(exposed)) = self.require_private_key() {
            tracing::warn!("the authority's private key may be known to others: {exposed}");
        }
        Ok(Issuer::from_ca_cert_pem(&self.certificate_pem, read_key(&self.dir)?)?)
    }

    /// Adds a certificate to the folder's file.
    pub(crate) fn add_to_file(&self, entry: &RegisterEntry) -> Result<(), AuthorityError> {
        self.change_register(|register| {
            register.entries.push(entry.clone());
            Ok(())
        })
    }

    /// Changes the register under the folder's lock, on disk whole or not at all.
    fn change_register<T>(
        &self,
        change: impl FnOnce(&mut Register) -> Result<T, AuthorityError>,
    ) -> Result<T, AuthorityError> {
        let _lock = lock(&self.dir)?;
        let path = register_path(&self.dir);
        let mut register = Register::read(&path)?;
        let result = change(&mut register)?;
        write(&path, register.to_lines()?.as_bytes(), 0o644)?;
        Ok(result)
    }
}

/// Where the authority in `dir` keeps its certificate.
#[must_use]
pub fn certificate_path(dir: &Path) -> PathBuf {
    dir.join("ca.pem")
}

/// Where the authority in `dir` keeps its register.
#[must_use]
pub fn register_path(dir: &Path) -> PathBuf {
    dir.join("register.jsonl")
}

fn key_path(dir: &Path) -> PathBuf {
    dir.join("ca.key")
}

fn read_key(dir: &Path) -> Result<KeyPair, AuthorityError> {
    let path = key_path(dir);
    let pem = fs::read_to_string(&path).map_err(|source| AuthorityError::file(&path, source))?;
    KeyPair::from_pem(&pem).map_err(|_| AuthorityError::DamagedKey { path })
}

/// Replaces a file of the authority, whole or not at all.
fn write(path: &Path, content: &[u8], mode: u32) -> Result<(), AuthorityError> {
    crate::atomic_file::write_atomic(path, content, mode)
        .map_err(|source| AuthorityError::file(path, source))
}

/// Waits for the folder's lock, which is free again when the file is dropped or the process ends.
fn lock(dir: &Path) -> Result<File, AuthorityError> {
    let path = dir.join("lock");
    let open = || {
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        file.lock()?;
        Ok(file)
    };
    open().map_err(|source| AuthorityError::file(&path, source))
}

#[cfg(test)]
mod tests;
