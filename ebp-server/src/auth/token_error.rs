//! Errors of the key set for tokens.

/// Errors of the key set for tokens.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Keys that anybody on the way may change verify nothing.
    #[error("the key set's address `{0}` must begin with https://")]
    NoHttps(String),
    /// TLS cannot be set up.
    #[error("cannot set up the way to the key set: {0}")]
    SetUp(String),
}
