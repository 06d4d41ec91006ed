//! Errors of starting and stopping the server.

use ebp_core::private_file::Exposed;
use ebp_store::StoreError;
use ebp_survey::{
    KeptRevocationsError, OpenError, SurveyError, authority::AuthorityError,
    geocoding::GeocodeError, price::PriceError, text::TextError,
};

use crate::{
    alert::AlertError,
    auth::{SecretError, TlsError, TokenError},
};

/// Errors of starting and stopping the server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The survey cannot be opened: its store, authority, geodata or list of revocations.
    #[error(transparent)]
    Survey(#[from] OpenError),
    /// What is done before serving failed: the register, or the server's own certificate.
    #[error(transparent)]
    Operation(SurveyError),
    /// The groups' secrets cannot be read.
    #[error(transparent)]
    Secrets(SecretError),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Others than its owner may use the file of the shared secrets' hashes.
    #[error("the hashes of the secrets: {0}")]
    Exposed(#[from] Exposed),
    /// Tokens cannot be accepted.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Alerts cannot be sent as they are configured.
    #[error(transparent)]
    Alert(#[from] AlertError),
}

impl From<SurveyError> for ServeError {
    fn from(error: SurveyError) -> Self {
        match error {
            SurveyError::Store(error) => error.into(),
            SurveyError::Authority(error) => error.into(),
            error => Self::Operation(error),
        }
    }
}

impl From<SecretError> for ServeError {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::Store(error) => error.into(),
            error => Self::Secrets(error),
        }
    }
}

macro_rules! of_survey {
    ($($error:ty),*) => {$(
        impl From<$error> for ServeError {
            fn from(error: $error) -> Self {
                Self::Survey(error.into())
            }
        }
    )*};
}
of_survey!(AuthorityError, GeocodeError, KeptRevocationsError, PriceError, StoreError, TextError);
