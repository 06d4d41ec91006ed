//! The section `[update]` of a device's configuration, every value parsed.
//!
//! Enters: TOML. Leaves: [`UpdateConfig`]. Absent: opening anything it names.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Deserializer, de};

use crate::{
    limits::Limits,
    systemd::UNITS,
    version::{InvalidVersion, Version},
};

/// Who updates a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Manager {
    /// `ebp update`.
    #[default]
    Ebp,
    /// Flux, on a device with Kubernetes: `ebp update` changes nothing there.
    Flux,
}

/// Which signed release a configuration wants, whatever the server says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Pin {
    /// The newest one that is no pre-release: `"newest"`.
    Newest,
    /// That one.
    Version(Version),
}

impl TryFrom<String> for Pin {
    type Error = InvalidVersion;

    fn try_from(text: String) -> Result<Self, InvalidVersion> {
        if text == "newest" { Ok(Self::Newest) } else { text.parse().map(Self::Version) }
    }
}

/// A device's updates.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateConfig {
    /// The folder with releases that are not signed: who may write there decides what runs.
    pub source: Option<PathBuf>,
    /// The repository of signed releases: an address (`https://…`), or a folder.
    pub repository: Option<String>,
    /// The file with the root role that is trusted first.
    pub root: Option<PathBuf>,
    /// The authority (PEM) of the repository's server; that of the Data API without it.
    pub authority: Option<PathBuf>,
    /// The signed release that should run; without it what the server says.
    pub version: Option<Pin>,
    /// Who updates this device.
    pub managed: Manager,
    /// The services that run the program.
    pub units: Vec<String>,
    /// Within this running time of the machine a release has to prove itself.
    #[serde(deserialize_with = "duration")]
    pub trial: Duration,
    /// After this running time without a server a release is kept that proved what needs none.
    #[serde(deserialize_with = "duration")]
    pub offline: Duration,
}

impl Default for UpdateConfig {
    fn default() -> Self {
        let Limits { trial, offline, .. } = Limits::default();
        Self {
            source: None,
            repository: None,
            root: None,
            authority: None,
            version: None,
            managed: Manager::default(),
            units: UNITS.map(str::to_owned).to_vec(),
            trial,
            offline,
        }
    }
}

impl UpdateConfig {
    /// The engine's limits. Those that belong to the length of a trial are shorter with it.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let limits = Limits::default();
        Limits {
            trial: self.trial,
            offline: self.offline.max(self.trial),
            back: limits.back.min(self.trial * 9 / 4),
            grace: limits.grace.min(self.trial * 3 / 8),
            settle: limits.settle.min(self.trial / 8),
            look: limits.look.min(self.trial / 16),
            ..limits
        }
    }
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).ok().filter(|time| !time.is_zero()).ok_or_else(|| {
        de::Error::custom(format!(
            "`{text}` is no duration: write a number with s, m or h, such as 40m"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_names_a_version_or_the_newest() {
        let pin = |text: &str| serde_json::from_str::<UpdateConfig>(text).map(|own| own.version);
        assert_eq!(pin("{}").unwrap(), None);
        assert_eq!(pin(r#"{"version": "newest"}"#).unwrap(), Some(Pin::Newest));
        let version = Pin::Version("1.4.2".parse().unwrap());
        assert_eq!(pin(r#"{"version": "1.4.2"}"#).unwrap(), Some(version));
        let error = pin(r#"{"version": "Newest"}"#).unwrap_err().to_string();
        assert!(error.contains("`Newest` is no version"), "{error}");
    }
}
