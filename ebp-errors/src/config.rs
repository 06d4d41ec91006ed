//! The section `[errors]` of a configuration, and the variables of the environment that beat it.

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use ebp_core::private_file::{self, PrivateFileError};
use serde::{Deserialize, Deserializer, de};

use crate::dsn::{Dsn, DsnError};

/// The variable of the environment with the DSN; with `_FILE` behind it, the file that has it.
pub const DSN_VARIABLE: &str = "EBP_ERRORS_DSN";

/// The longest name of a device, bytes.
const LONGEST_NAME: usize = 64;

/// The section `[errors]`. Without a DSN nothing is sent: errors are counted on the machine alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorsConfig {
    /// The project at the service; nothing is sent without one.
    #[serde(default)]
    pub dsn: Option<Dsn>,
    /// The authority of the service's certificate (PEM); those of the machine if absent.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// The folder of ledger and queue; beside the program's other data if absent.
    #[serde(default)]
    pub folder: Option<PathBuf>,
    /// What this device is called in reports; they name none if absent.
    #[serde(default)]
    pub device: Option<DeviceName>,
}

/// What a device is called in reports: up to 64 letters, digits, `-`, `_` and `.`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceName(String);

/// Why the section cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorsConfigError {
    /// The variable has no DSN.
    #[error("{DSN_VARIABLE}: {0}")]
    Variable(DsnError),
    /// The file that the variable names cannot be read, or others may read it.
    #[error("{DSN_VARIABLE}_FILE: {0}")]
    File(#[source] PrivateFileError),
    /// The file that the variable names has no DSN.
    #[error("{DSN_VARIABLE}_FILE: {0}")]
    FileContent(DsnError),
    /// Both variables are set.
    #[error("{DSN_VARIABLE} and {DSN_VARIABLE}_FILE say the same: give one of them")]
    Both,
}

impl ErrorsConfig {
    /// Takes paths that are not absolute from that folder.
    pub fn relative_to(&mut self, folder: &Path) {
        for path in [&mut self.ca, &mut self.folder].into_iter().flatten() {
            *path = folder.join(&*path);
        }
    }

    /// Takes the DSN of the environment, if it has one. `variable` looks a variable up.
    ///
    /// # Errors
    /// Returns [`ErrorsConfigError`] when both variables are set, one of them has no DSN, or the file
    /// cannot be read or is readable by others.
    pub fn take_environment(
        &mut self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<(), ErrorsConfigError> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        match (set(DSN_VARIABLE), set(&format!("{DSN_VARIABLE}_FILE"))) {
            (None, None) => {}
            (Some(_), Some(_)) => return Err(ErrorsConfigError::Both),
            (Some(text), None) => {
                let text = text.to_string_lossy();
                self.dsn = Some(text.parse().map_err(ErrorsConfigError::Variable)?);
            }
            (None, Some(path)) => {
                let text = private_file::read_to_string(Path::new(&path));
                let text = text.map_err(ErrorsConfigError::File)?;
                self.dsn = Some(text.parse().map_err(ErrorsConfigError::FileContent)?);
            }
        }
        Ok(())
    }
}

impl FromStr for DeviceName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if text.is_empty() || text.len() > LONGEST_NAME || !text.bytes().all(is_plain) {
            return Err("a device's name in reports has 1 to 64 letters, digits, - _ and .");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for DeviceName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    const DSN: &str = "https://hunter2@errors.example.org/1";

    fn apply(pairs: &[(&str, &str)]) -> Result<ErrorsConfig, String> {
        let mut config = ErrorsConfig::default();
        let variable = |name: &str| {
            pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        };
        config.take_environment(variable).map(|()| config).map_err(|error| error.to_string())
    }

    #[test]
    fn a_section_is_read_and_never_shows_its_key() {
        let config: ErrorsConfig =
            toml::from_str(&format!("dsn = \"{DSN}\"\nca = \"ca.pem\"\ndevice = \"hall-7\""))
                .unwrap();
        assert_eq!(config.dsn, Some(DSN.parse().unwrap()));
        assert_eq!(config.device.as_ref().unwrap().to_string(), "hall-7");
        assert!(!format!("{config:?}").contains("hunter2"));
        let mut config = config;
        config.relative_to(Path::new("/etc/ebp"));
        assert_eq!(config.ca.as_deref(), Some(Path::new("/etc/ebp/ca.pem")));
        for wrong in ["device = \"Erika Beispiel\"", "device = \"\"", "dsn = \"x\"", "key = 1"] {
            assert!(toml::from_str::<ErrorsConfig>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_environment_beats_the_file() {
        assert_eq!(apply(&[]), Ok(ErrorsConfig::default()));
        assert_eq!(apply(&[(DSN_VARIABLE, "")]), Ok(ErrorsConfig::default()));
        assert_eq!(apply(&[(DSN_VARIABLE, DSN)]).unwrap().dsn, Some(DSN.parse().unwrap()));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dsn");
        fs::write(&path, format!("{DSN}\n")).unwrap();
        let file = path.to_str().unwrap();
        let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        mode(0o644);
        let error = apply(&[("EBP_ERRORS_DSN_FILE", file)]).unwrap_err();
        assert!(error.contains("chmod 600"), "{error}");
        mode(0o600);
        assert_eq!(
            apply(&[("EBP_ERRORS_DSN_FILE", file)]).unwrap().dsn,
            Some(DSN.parse().unwrap())
        );
        assert!(apply(&[(DSN_VARIABLE, DSN), ("EBP_ERRORS_DSN_FILE", file)]).is_err());
        let error = apply(&[(DSN_VARIABLE, "https://hunter2@/")]).unwrap_err();
        assert!(error.starts_with(DSN_VARIABLE) && !error.contains("hunter2"), "{error}");
    }
}
