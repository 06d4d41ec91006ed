//! Why somebody may not sign a release.

/// Why somebody cannot make or confirm a release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PersonError {
    /// It is no certificate, or names nobody.
    #[error("it is no certificate of an administrator")]
    NoAdministrator,
    /// Another authority issued it.
    #[error("the survey's authority did not issue it")]
    OtherAuthority,
    /// It is not valid at this time.
    #[error("the certificate of {0} is not valid now")]
    Expired(String),
    /// It is revoked, or the register does not know it.
    #[error("the certificate of {0} is revoked or not registered")]
    Revoked(String),
    /// The key belongs to another certificate.
    #[error("the key is not that of the certificate of {0}")]
    OtherKey(String),
    /// The signature is not theirs.
    #[error("the signature is not that of {0}")]
    Signature(String),
}
