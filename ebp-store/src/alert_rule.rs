//! The rules of alerts as administrators change them: for all servers of a database.
//!
//! Enters: rules, and the version that they are meant to replace. Leaves: the versions. Absent: what a
//! rule means, which is in `rule::alert`; the rules of a server's configuration.

use async_trait::async_trait;
use ebp_core::contract::{AlertRuleSet, ChangedRules};
use jiff::Timestamp;

use crate::StoreError;

/// The rules of alerts, and how they were changed.
#[async_trait]
pub trait AlertRuleStore: Send + Sync {
    /// The versions of the rules, the newest first; none if they were never changed.
    async fn alert_rules(&self, limit: usize) -> Result<Vec<ChangedRules>, StoreError>;

    /// Changes the rules if nobody has changed them since that version, 0 being the configuration's.
    /// Returns the next version.
    ///
    /// # Errors
    /// [`StoreError::Changed`] if somebody has.
    async fn change_alert_rules(
        &self,
        rules: AlertRuleSet,
        expected: u64,
        at: Timestamp,
    ) -> Result<u64, StoreError>;
}

/// Rules as databases keep them.
pub(crate) fn to_text(rules: &AlertRuleSet) -> Result<String, StoreError> {
    serde_json::to_string(rules).map_err(|_| StoreError::Damaged("rule"))
}

/// Stored rules.
pub(crate) fn from_row(
    version: i64,
    rules: &str,
    changed_at: Timestamp,
) -> Result<ChangedRules, StoreError> {
    let rules = serde_json::from_str(rules).map_err(|_| StoreError::Damaged("rule"))?;
    let version = u64::try_from(version).map_err(|_| StoreError::Damaged("rule"))?;
    Ok(ChangedRules { version, rules, changed_at })
}

/// A version as databases number it: none has more.
pub(crate) fn number(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX - 1).min(i64::MAX - 1)
}
