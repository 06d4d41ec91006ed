//! A password or token that `Debug` does not show.

use std::{fmt, path::Path};

use ebp_core::private_file::{self, PrivateFileError};

/// A password or token.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// That text.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The first line of a file that only its owner may read.
    ///
    /// # Errors
    /// Returns [`PrivateFileError`] when the file cannot be read, or others may read it.
    pub fn from_file(path: &Path) -> Result<Self, PrivateFileError> {
        let text = private_file::read_to_string(path)?;
        Ok(Self(text.lines().next().unwrap_or_default().to_owned()))
    }

    /// The text itself, for whoever asks for it at the other end.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_read_of_a_private_file_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "hunter2\n").unwrap();
        let mode =
            |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        mode(0o644);
        assert!(Secret::from_file(&path).is_err());
        mode(0o600);
        let secret = Secret::from_file(&path).unwrap();
        assert_eq!(secret.expose(), "hunter2");
        assert!(!format!("{secret:?}").contains("hunter2"));
    }
}
