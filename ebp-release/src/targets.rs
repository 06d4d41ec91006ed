//! The releases that signed metadata list, and which of them a device may run.

use std::collections::BTreeSet;

use semver::Version;

use crate::{dates::Judged, role::TargetsRole, target::Target};

/// The releases of a repository whose metadata were verified.
#[derive(Debug, Clone)]
pub struct Targets {
    role: TargetsRole,
    dates: Judged,
}

/// Why a device must not go over to a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// No signed metadata list it: who wants it cannot have it.
    #[error("no signed release {version} for {architecture}")]
    NotSigned {
        /// The version.
        version: Version,
        /// The architecture.
        architecture: String,
    },
    /// It was recalled.
    #[error("release {0} is recalled")]
    Recalled(Version),
    /// It is older than the one that runs, which nobody has recalled.
    #[error("release {version} is older than {committed}, which is not recalled")]
    Older {
        /// The version.
        version: Version,
        /// The version that is committed.
        committed: Version,
    },
    /// It has no bytes: whoever signed it looked at something else.
    #[error("release {0} is empty")]
    Empty(Version),
    /// Another release has to come between.
    #[error("release {version} needs at least {needs} before it, and {committed} runs")]
    Needs {
        /// The version.
        version: Version,
        /// The oldest that may go over to it.
        needs: Version,
        /// The version that is committed.
        committed: Version,
    },
}

impl Targets {
    pub(crate) const fn new(role: TargetsRole, dates: Judged) -> Self {
        Self { role, dates }
    }

    /// The release of that version for that architecture, also if it is recalled.
    #[must_use]
    pub fn get(&self, version: &Version, architecture: &str) -> Option<&Target> {
        self.iter().find(|target| target.version == *version && target.architecture == architecture)
    }

    /// All releases.
    pub fn iter(&self) -> impl Iterator<Item = &Target> {
        self.role.releases.values()
    }

    /// The versions that any release recalls.
    #[must_use]
    pub fn recalled(&self) -> BTreeSet<&Version> {
        self.iter().flat_map(|target| &target.recalled).collect()
    }

    /// By which dates the metadata were judged, and what is to be said of the clock.
    #[must_use]
    pub const fn dates(&self) -> Judged {
        self.dates
    }

    /// The release that a device goes over to which runs `committed` and is asked to run `desired`.
    /// What is desired may come from anybody: it is bounded by what is signed.
    ///
    /// # Errors
    /// Returns a [`Refusal`] if that version is not signed for that architecture, is recalled, is older
    /// than a committed one that is not recalled, is empty, or needs another one before it.
    pub fn choose(
        &self,
        desired: &Version,
        committed: &Version,
        architecture: &str,
    ) -> Result<&Target, Refusal> {
        let Some(target) = self.get(desired, architecture) else {
            let (version, architecture) = (desired.clone(), architecture.to_owned());
            return Err(Refusal::NotSigned { version, architecture });
        };
        let recalled = self.recalled();
        let version = desired.clone();
        if recalled.contains(desired) {
            return Err(Refusal::Recalled(version));
        }
        if desired < committed && !recalled.contains(committed) {
            return Err(Refusal::Older { version, committed: committed.clone() });
        }
        if target.length == 0 {
            return Err(Refusal::Empty(version));
        }
        match &target.needs {
            Some(needs) if committed < needs => {
                Err(Refusal::Needs { version, needs: needs.clone(), committed: committed.clone() })
            }
            _ => Ok(target),
        }
    }
}

#[cfg(all(test, feature = "author"))]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        Client, Folder, KnownTime,
        author::{FirstKeys, NewRelease, ReleaseFolder, SigningKey},
    };

    #[test]
    fn an_empty_release_is_not_chosen() {
        let place = tempfile::tempdir().unwrap();
        let folder = ReleaseFolder::new(place.path().join("releases"));
        let keys = [(); 3].map(|()| SigningKey::generate().unwrap().0);
        let [root, targets, online] = keys.each_ref().map(|key| key.public(None).unwrap());
        let now = "2026-12-01T12:00:00Z".parse().unwrap();
        let first = FirstKeys { root: (vec![root], 1), targets: (vec![targets], 1), online };
        folder.init(&first, now).unwrap();
        let program = place.path().join("program");
        fs::write(&program, "program").unwrap();
        let (version, running) = (Version::new(1, 1, 0), Version::new(1, 0, 0));
        let architecture = "aarch64".to_owned();
        let release =
            NewRelease { version: version.clone(), architecture, needs: None, program: &program };
        folder.add(&release, now).unwrap();
        for key in &keys[..2] {
            folder.sign(key, None).unwrap();
        }
        folder.publish(&keys[2], now).unwrap();
        let root = fs::read(place.path().join("releases/metadata/1.root.json")).unwrap();
        let time = KnownTime { now: Some(now), built: now };
        let mut client = Client::open(place.path().join("device"), &root).unwrap();
        let mut targets = client.refresh(&Folder(place.path().join("releases")), time).unwrap();
        assert!(targets.choose(&version, &running, "aarch64").is_ok());
        // Another program may have signed it.
        for target in targets.role.releases.values_mut() {
            target.length = 0;
        }
        let refused = targets.choose(&version, &running, "aarch64");
        assert_eq!(refused, Err(Refusal::Empty(version)));
    }
}
