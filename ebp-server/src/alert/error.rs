//! Why alerts cannot be sent as they are configured.

use ebp_core::private_file::PrivateFileError;

/// Why alerts cannot be sent as they are configured. No address and no secret is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AlertError {
    /// A file with a secret cannot be read, or others than its owner may.
    #[error("`{key}` in [alerts]: {source}")]
    Secret {
        /// The setting.
        key: &'static str,
        /// Why.
        source: PrivateFileError,
    },
    /// A setting cannot be used.
    #[error("`{key}` in [alerts]: {reason}")]
    Setting {
        /// The setting.
        key: &'static str,
        /// Why; never its value.
        reason: String,
    },
}

impl AlertError {
    /// A setting that cannot be used.
    pub(crate) fn setting(key: &'static str, reason: impl ToString) -> Self {
        Self::Setting { key, reason: reason.to_string() }
    }
}
