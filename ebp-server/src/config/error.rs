//! Errors of a server's configuration, with the file and line or the variable.

use std::{io, path::PathBuf};

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no TOML, or a key is unknown, missing or not of its form.
    #[error("{}, {source}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What and in which line.
        source: toml::de::Error,
    },
    /// A variable begins like ours and is none.
    #[error("{variable} is no setting of the server{}", meant(near.as_deref()))]
    UnknownVariable {
        /// The variable.
        variable: String,
        /// The one that may have been meant.
        near: Option<String>,
    },
    /// A variable's value cannot be used.
    #[error("{variable} cannot be used: {reason}")]
    Variable {
        /// The variable.
        variable: String,
        /// Why; never its value.
        reason: String,
    },
    /// A setting cannot be used.
    #[error("`{key}` cannot be used: {reason}")]
    Setting {
        /// The setting.
        key: &'static str,
        /// Why; never its value.
        reason: String,
    },
    /// There is a password in a file that others than its owner may use.
    #[error("the database's password: {0}")]
    Exposed(#[from] ebp_core::private_file::Exposed),
    /// A setting that must be given is not.
    #[error("`{key}` is missing: it stands neither in the file nor in {variable}")]
    Missing {
        /// The setting.
        key: &'static str,
        /// Its variable.
        variable: String,
    },
}

fn meant(near: Option<&str>) -> String {
    near.map(|name| format!("; is {name} meant?")).unwrap_or_default()
}
