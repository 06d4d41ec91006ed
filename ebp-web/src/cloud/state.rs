//! What all pages share.

use std::sync::Arc;

use ebp_survey::{ServerState, Survey, VerifySecret};
use jiff::tz::TimeZone;

use super::draft::LongForms;
use crate::kit::host::HostNames;

/// What pages are made of.
pub struct CloudParts {
    /// The survey.
    pub survey: Arc<Survey>,
    /// Verifies the groups' secrets, and counts wrong ones.
    pub secrets: Arc<dyn VerifySecret>,
    /// The server that serves the pages.
    pub server: Arc<dyn ServerState>,
    /// The zone of times and days.
    pub zone: TimeZone,
    /// Names by which browsers reach the pages.
    pub hosts: HostNames,
    /// `http` or `https`, as browsers see it.
    pub scheme: &'static str,
}

/// The pages of researchers and administrators.
pub struct CloudWeb {
    pub(super) survey: Arc<Survey>,
    pub(super) secrets: Arc<dyn VerifySecret>,
    pub(super) zone: TimeZone,
    pub(super) scheme: &'static str,
    pub(super) long_forms: LongForms,
    #[cfg_attr(not(feature = "status"), allow(dead_code, reason = "the status pages ask it"))]
    pub(crate) server: Arc<dyn ServerState>,
    #[cfg(feature = "status")]
    pub(crate) fleets: crate::status::KeptFleets,
}

impl CloudWeb {
    /// Whether browsers come by https.
    pub(super) fn is_secure(&self) -> bool {
        self.scheme == "https"
    }

    /// The name of the session's cookie. One that begins with `__Host-` is sent to no sibling of this
    /// host; browsers keep such a one by https only.
    pub(super) fn session_cookie(&self) -> &'static str {
        if self.is_secure() { "__Host-ebp" } else { "ebp" }
    }
}
