//! Errors of an authority; the program adds the remedy.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use ebp_store::Serial;

/// Why the authority could not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// `init` where an authority is.
    #[error("{} holds a certificate authority already", dir.display())]
    Exists {
        /// Its folder.
        dir: PathBuf,
    },
    /// No authority where one is needed.
    #[error("{} holds no certificate authority", dir.display())]
    Missing {
        /// The folder.
        dir: PathBuf,
    },
    /// A file could not be read or written.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
    /// Others than its owner may use the private key.
    #[error("the authority's private key: {0}")]
    Exposed(#[from] ebp_core::private_file::Exposed),
    /// The private key is no key.
    #[error("{} is no private key in PEM", path.display())]
    DamagedKey {
        /// The file.
        path: PathBuf,
    },
    /// A line of the register is damaged.
    #[error("{}, line {line}: not an entry of the register", path.display())]
    DamagedRegister {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// The register holds no such certificate.
    #[error("no certificate with serial number {0} was issued here")]
    UnknownSerial(Serial),
    /// The e-mail address cannot be put into a certificate. The error does not contain it.
    #[error("the e-mail address is not of the form name@domain in ASCII")]
    InvalidEmail,
    /// A host name or address cannot be put into a certificate.
    #[error("`{0}` is neither a host name nor an IP address")]
    InvalidHost(String),
    /// A server's certificate without a name.
    #[error("a server's certificate needs at least one host name or IP address")]
    NoHost,
    /// A client's certificate that would permit nothing.
    #[error("a client's certificate needs at least one scope")]
    NoScope,
    /// A validity beyond the authority's own.
    #[error("the certificate would outlive the authority's own, which ends at {0}")]
    OutlivesAuthority(jiff::Timestamp),
    /// The machine's clock is earlier than the authority's creation, so that nobody would accept
    /// what is issued.
    #[error(
        "this machine's clock is behind by {behind:#} at least: the authority was founded at {founded}"
    )]
    ClockBehind {
        /// By how much, at least.
        behind: jiff::SignedDuration,
        /// When the authority was founded.
        founded: jiff::Timestamp,
    },
    /// The authority's own certificate has ended.
    #[error("the authority's own certificate ended at {0}")]
    Expired(jiff::Timestamp),
    /// An instant or a validity out of range.
    #[error("the time of validity is out of range")]
    InvalidValidity,
    /// A validity of less than a second.
    #[error("the certificate would be valid for less than a second")]
    NoValidity,
    /// A device's request for a certificate cannot be used.
    #[error("the certificate request must be PKCS#10 in PEM, signed by its own key")]
    InvalidRequest,
    /// A device's request is for a key of a kind that is not certified: which.
    #[error("the certificate request's key must be ECDSA P-256 or Ed25519, not {0}")]
    UnsupportedKey(&'static str),
    /// The cryptography failed.
    #[error("cannot make the certificate: {0}")]
    Certificate(#[from] rcgen::Error),
}

impl AuthorityError {
    pub(super) fn file(path: &Path, source: io::Error) -> Self {
        Self::File { path: path.to_owned(), source: Arc::new(source) }
    }
}
