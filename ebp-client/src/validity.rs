//! The validity of a certificate, and when the next one is due.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};

/// Why a certificate's validity cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ValidityError {
    /// The file cannot be read.
    #[error("cannot use {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file contains no certificate in PEM.
    #[error("{} contains no certificate", .0.display())]
    NoCertificate(PathBuf),
}

/// When a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// From.
    pub not_before: Timestamp,
    /// Until.
    pub not_after: Timestamp,
}

impl Validity {
    /// Of the first certificate in a file (PEM).
    ///
    /// # Errors
    /// Returns [`ValidityError`] when the file cannot be read or has no certificate.
    pub fn from_file(path: &Path) -> Result<Self, ValidityError> {
        let pem = fs::read(path)
            .map_err(|source| ValidityError::Read { path: path.to_owned(), source })?;
        let none = || ValidityError::NoCertificate(path.to_owned());
        let (_, pem) = x509_parser::pem::parse_x509_pem(&pem).map_err(|_| none())?;
        Self::of_der(&pem.contents).ok_or_else(none)
    }

    /// Of a certificate (DER).
    pub(crate) fn of_der(der: &[u8]) -> Option<Self> {
        let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
        let validity = certificate.validity();
        Some(Self {
            not_before: Timestamp::from_second(validity.not_before.timestamp()).ok()?,
            not_after: Timestamp::from_second(validity.not_after.timestamp()).ok()?,
        })
    }

    /// When renewal is due: after two thirds of its lifetime.
    #[must_use]
    pub fn due_at(&self) -> Timestamp {
        let lifetime = self.not_after.duration_since(self.not_before);
        let two_thirds = SignedDuration::from_secs(lifetime.as_secs() / 3 * 2);
        self.not_before.checked_add(two_thirds).unwrap_or(self.not_after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_at_two_thirds() {
        let at = |text: &str| text.parse().unwrap();
        let validity = Validity {
            not_before: at("2026-01-01T00:00:00Z"),
            not_after: at("2026-04-01T00:00:00Z"),
        };
        assert_eq!(validity.due_at(), at("2026-03-02T00:00:00Z"));
    }
}
