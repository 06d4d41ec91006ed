//! Which problem an error of the store, the survey or the authority is.

use ebp_store::{Faults, StoreError};
use ebp_survey::{AlertRuleError, SurveyError, authority::AuthorityError};

use super::ApiError;

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            StoreError::ConsentNotGranted => Self::ConsentNotGranted,
            StoreError::ConsentAlreadyGranted => Self::ConsentAlreadyGranted,
            StoreError::ConsentRevoked => Self::ConsentRevoked,
            StoreError::ConsentTextChanged(version) => Self::ConsentTextChanged(version),
            StoreError::MessageClosed => Self::MessageClosed,
            StoreError::TooManyMessages { open, limit } => Self::TooManyMessages { open, limit },
            StoreError::InUse(why) => Self::InUse(why),
            StoreError::Changed => Self::Changed,
            StoreError::Search => Self::Invalid(
                "`q` must have at most 200 characters and no NUL, and `cursor` must be the `next` of \
                 a page with the same `sort`"
                    .to_owned(),
            ),
            error @ (StoreError::JobState(_) | StoreError::JobErased | StoreError::JobKey) => {
                Self::JobState(error.to_string())
            }
            error @ StoreError::RolloutState(_) => Self::RolloutState(error.to_string()),
            StoreError::RegisteredAlready(household) => Self::RegisteredAlready(household),
            StoreError::Registration(faults) => Self::Faults(faults),
            error if error.is_temporary() => Self::Unavailable(error.to_string()),
            error => Self::Internal(error.to_string()),
        }
    }
}

impl From<SurveyError> for ApiError {
    fn from(error: SurveyError) -> Self {
        match error {
            SurveyError::Store(error) => error.into(),
            SurveyError::Authority(error) => error.into(),
            SurveyError::HouseholdAmbiguous => Self::HouseholdAmbiguous,
            SurveyError::CannotIssue => Self::CannotIssue,
            SurveyError::NotPermitted(_) => Self::Group,
            SurveyError::InvalidToken => {
                Self::Unauthenticated("the token is unknown, used or expired")
            }
            SurveyError::SameKey => {
                Self::fault("/frontend_csr", "must be of another key than the device's")
            }
            SurveyError::CertificateRevoked => Self::Unauthenticated("the certificate is revoked"),
            SurveyError::RenewedRecently(wait) => {
                Self::RenewedRecently(wait.as_secs().max(1).unsigned_abs())
            }
            SurveyError::Series(fault) => Self::Invalid(fault.to_string()),
            error @ SurveyError::SeriesChanging => Self::Unavailable(error.to_string()),
            error => Self::Internal(error.to_string()),
        }
    }
}

impl From<AlertRuleError> for ApiError {
    fn from(error: AlertRuleError) -> Self {
        match error {
            AlertRuleError::Store(error) => error.into(),
            AlertRuleError::Invalid(found) => {
                let mut faults = Faults::default();
                for fault in found {
                    faults.check(false, fault.pointer, &fault.detail);
                }
                Self::Faults(faults)
            }
        }
    }
}

impl From<AuthorityError> for ApiError {
    fn from(error: AuthorityError) -> Self {
        Self::of_request("/csr", error)
    }
}
