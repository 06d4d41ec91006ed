//! A copy of the granted consent in a small file beside the database, so that measuring continues
//! if a memory card loses the page with the consent, and the server cannot be reached.
//!
//! It only records that consent was granted, and is only read if the database contains no consent.
//! It is written after the server answered that consent is granted, and removed before any other
//! state is stored; a revocation, wherever it is stored, takes precedence.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::PathBuf,
};

use jiff::Timestamp;

use super::{Spool, SpoolError, open::beside};
use ebp_core::model::ConsentState;

/// The file beside the database.
const FILE: &str = "consent";

impl Spool {
    fn consent_copy(&self) -> PathBuf {
        self.path.with_file_name(FILE)
    }

    /// Whether the copy exists.
    pub(super) fn has_consent_copy(&self) -> bool {
        self.consent_copy().exists()
    }

    /// Writes the copy; if that fails (a full disk), only the database contains the consent.
    pub(super) fn write_consent_copy(&self, as_of: Timestamp) {
        let path = self.consent_copy();
        let new = beside(&path, ".new");
        let write = || -> io::Result<()> {
            let mut file = File::create(&new)?;
            writeln!(file, "{} {as_of}", ConsentState::Granted.name())?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            // Syncing the folder makes the name durable.
            #[cfg(unix)]
            path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())?;
            Ok(())
        };
        if write().is_err() {
            let _ = fs::remove_file(&new);
        }
    }

    /// Removes the copy: consent is no longer granted.
    pub(super) fn remove_consent_copy(&self) -> Result<(), SpoolError> {
        let path = self.consent_copy();
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(SpoolError::Marker { path, source })
            }
            _ => Ok(()),
        }
    }

    /// Restores the consent from the copy if the database has lost it. A copy that cannot be parsed
    /// is ignored: the server is asked.
    pub(super) fn restore_consent(&self) -> Result<(), SpoolError> {
        if self.consent()?.is_some() || self.is_revoked()? {
            return Ok(());
        }
        let Ok(text) = fs::read_to_string(self.consent_copy()) else { return Ok(()) };
        let granted = text.trim().strip_prefix(ConsentState::Granted.name()).map(str::trim);
        match granted.and_then(|as_of| as_of.parse().ok()) {
            Some(as_of) => self.remember_consent(ConsentState::Granted, as_of),
            None => Ok(()),
        }
    }
}
