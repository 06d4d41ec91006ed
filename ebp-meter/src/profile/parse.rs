//! Reading a model's profile from the text of its file.

use super::{Profile, ProfileError, check};

impl Profile {
    /// Reads a profile from a file's text. `origin` names the file in errors.
    ///
    /// # Errors
    /// Returns [`ProfileError`] with file and line, when the text is no TOML, has a key that is
    /// not known or lacks one, or contradicts itself.
    pub fn parse(origin: &str, text: &str) -> Result<Self, ProfileError> {
        let mut profile: Self =
            toml::from_str(text).map_err(|error| ProfileError::syntax(origin, text, &error))?;
        check::check(&profile).map_err(|found| found.into_error(origin, text))?;
        profile.document =
            toml::from_str(text).map_err(|error| ProfileError::syntax(origin, text, &error))?;
        Ok(profile)
    }
}
