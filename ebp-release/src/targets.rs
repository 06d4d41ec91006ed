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
    /// than a committed one that is not recalled, or needs another one before it.
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
        match &target.needs {
            Some(needs) if committed < needs => {
                Err(Refusal::Needs { version, needs: needs.clone(), committed: committed.clone() })
            }
            _ => Ok(target),
        }
    }
}
