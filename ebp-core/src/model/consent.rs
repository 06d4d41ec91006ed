//! Consent: not granted, granted, revoked; each step once, for ever.

use serde::{Deserialize, Serialize};

/// The state of a household's consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ConsentState {
    /// Registered; nothing may be measured yet.
    NotGranted,
    /// Measuring and sending are allowed.
    Granted,
    /// Final: nothing may be measured or sent any more.
    Revoked,
}

impl ConsentState {
    /// The name as the API and the databases write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotGranted => "not-granted",
            Self::Granted => "granted",
            Self::Revoked => "revoked",
        }
    }
}
