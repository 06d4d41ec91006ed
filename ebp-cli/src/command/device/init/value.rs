//! Values of a configuration that is written.

use std::path::Path;

/// A text as TOML has it.
pub fn quote(text: impl AsRef<Path>) -> String {
    toml::Value::from(&*text.as_ref().to_string_lossy()).to_string()
}
