//! The certificate and the sign-in code's hash of a device's page.
//!
//! Enters: the folder of the page, the Data API. Leaves: `frontend.pem`, `frontend.key`, `sign-in` and
//! `ca.pem` in it, which their owner alone may read. Absent: the page itself, which may run as another
//! user: it needs these files and none of the device's.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use ebp_client::{
    ClientError, DeviceKey, KeyKind, Validity,
    renewal::{self, RenewalError},
};
use ebp_core::{contract::DeviceCertificate, owner::Owner};
use jiff::Timestamp;
use serde::Deserialize;

/// The page of a device: where its files are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrontendConfig {
    /// The folder of its files.
    pub folder: PathBuf,
    /// The user that the files are given to, if it is another one than the daemons'. Only root may
    /// give files away.
    #[serde(default)]
    pub owner: Option<String>,
}

impl FrontendConfig {
    /// Its certificate (PEM).
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("frontend.pem")
    }

    /// Its private key (PEM).
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.folder.join("frontend.key")
    }

    /// The hash of the sign-in code (argon2id, as a PHC string).
    #[must_use]
    pub fn sign_in(&self) -> PathBuf {
        self.folder.join("sign-in")
    }

    /// The authority's certificate (PEM), as the device has it: the page's user may not read that one.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Whether the certificate is missing, or its renewal is due.
    ///
    /// # Errors
    /// Returns [`RenewalError`] if it cannot be read.
    pub fn is_due(&self, now: Timestamp) -> Result<bool, RenewalError> {
        let certificate = self.certificate();
        match fs::metadata(&certificate) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(source) => Err(RenewalError::File { path: certificate, source }),
            Ok(_) => Ok(now >= Validity::from_file(&certificate)?.due_at()),
        }
    }

    /// Gets a certificate for a new key of that kind with `ask`, and moves both into place. Returns
    /// until when it is valid.
    ///
    /// # Errors
    /// Returns [`RenewalError`] if the server issues none, or a file cannot be written or given to its
    /// owner. What was there before is there still then.
    pub fn obtain(
        &self,
        kind: KeyKind,
        ask: impl FnOnce(&DeviceKey) -> Result<DeviceCertificate, ClientError>,
    ) -> Result<Timestamp, RenewalError> {
        let (certificate, key) = (self.certificate(), self.key());
        let answer = renewal::obtain(ask, &certificate, &key, kind, self.owner()?)?;
        if let Some(hash) = &answer.sign_in_hash {
            self.keep_sign_in(hash)?;
        }
        Ok(answer.not_after)
    }

    /// Stores the hash of the sign-in code, unless it is there already.
    ///
    /// # Errors
    /// Returns [`RenewalError`] if it cannot be written or given to its owner.
    pub fn keep_sign_in(&self, hash: &str) -> Result<(), RenewalError> {
        let path = self.sign_in();
        let text = format!("{hash}\n");
        if fs::read_to_string(&path).is_ok_and(|kept| kept == text) {
            return Ok(());
        }
        renewal::write_private_for(self.owner()?, &path, text.as_bytes())
    }

    /// Copies the authorities' certificates from the device's file, unless they are there already.
    ///
    /// # Errors
    /// Returns [`RenewalError`] if it cannot be read, written or given to its owner.
    pub fn keep_authority(&self, of_device: &Path) -> Result<(), RenewalError> {
        let text = fs::read(of_device)
            .map_err(|source| RenewalError::File { path: of_device.to_owned(), source })?;
        if fs::read(self.authority()).is_ok_and(|kept| kept == text) {
            return Ok(());
        }
        renewal::write_private_for(self.owner()?, &self.authority(), &text)
    }

    /// Makes the folder, which its owner alone may use, if it is missing.
    ///
    /// # Errors
    /// Returns [`RenewalError`] if it cannot be made or given to its owner.
    pub fn make_folder(&self) -> Result<(), RenewalError> {
        if self.folder.exists() {
            return Ok(());
        }
        let made = ebp_core::private_file::create_folder(&self.folder);
        let given = made.and_then(|()| match self.found_owner()? {
            Some(owner) => owner.give(&self.folder),
            None => Ok(()),
        });
        given.map_err(|source| RenewalError::File { path: self.folder.clone(), source })
    }

    /// The user that the files are given to.
    ///
    /// # Errors
    /// Returns [`RenewalError`] if there is no such user.
    pub fn owner(&self) -> Result<Option<Owner>, RenewalError> {
        self.found_owner()
            .map_err(|source| RenewalError::File { path: self.folder.clone(), source })
    }

    fn found_owner(&self) -> io::Result<Option<Owner>> {
        self.owner.as_deref().map(Owner::named).transpose()
    }
}
