//! Errors of opening a survey, and of its operations.

use ebp_store::{StoreError, masking::MaskingError};
use jiff::SignedDuration;

use crate::{
    NotPermitted, SeriesFault, authority::AuthorityError, geocoding::GeocodeError,
    price::PriceError, revocations::KeptRevocationsError, text::TextError,
};

/// Why a survey cannot be opened.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The authority cannot be used.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The files that households are masked by cannot be used.
    #[error(transparent)]
    Masking(#[from] MaskingError),
    /// Addresses cannot be located as it is configured.
    #[error(transparent)]
    Geocoding(#[from] GeocodeError),
    /// The store cannot be used, or masks by other regions.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The texts that participants agree to cannot be used.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The prices by quarter hours cannot be used.
    #[error(transparent)]
    Prices(#[from] PriceError),
    /// The server's own list of revocations cannot be used.
    #[error(transparent)]
    Revocations(#[from] KeptRevocationsError),
}

/// Why an operation was not done.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SurveyError {
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The authority refused or failed.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The caller names no device, and the participant has not exactly one household.
    #[error("the participant has several households, and none is named")]
    HouseholdAmbiguous,
    /// The operation is for another group.
    #[error(transparent)]
    NotPermitted(#[from] NotPermitted),
    /// The survey is opened without the authority's private key.
    #[error("the authority's private key is not here, so that no certificate can be issued")]
    CannotIssue,
    /// A one-time token is unknown, used for another key, or expired.
    #[error("the one-time token is unknown, used or expired")]
    InvalidToken,
    /// Both requests of an enrolment are for the same key.
    #[error("the device and its page have the same key")]
    SameKey,
    /// The certificate that a renewal was asked for with has been revoked.
    #[error("the certificate is revoked")]
    CertificateRevoked,
    /// The device was given another certificate not long ago; it may ask again after this time.
    #[error("the device renewed its certificate not long ago: it may again in {0:#}")]
    RenewedRecently(SignedDuration),
    /// Work on another thread ended early.
    #[error("the work was interrupted")]
    Interrupted,
    /// A series cannot be given as it was asked for; says what to change.
    #[error(transparent)]
    Series(#[from] SeriesFault),
    /// Late measurements come in faster than a series can be made.
    #[error("late measurements change the series again and again")]
    SeriesChanging,
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers")]
    NoRandomness,
}
