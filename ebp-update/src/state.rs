//! The engine's state, which is one file that is replaced whole.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    disk::{self, Disk, DiskError},
    layout,
    proof::{Demand, Watch},
    release::Release,
    version::Version,
};

/// Versions that are refused at most; the oldest of more is forgotten.
const MOST_REFUSED: usize = 16;

/// What is known of a device's updates.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// What is being done.
    pub phase: Phase,
    /// What services run while nothing is tried out; the floor for `None`.
    pub committed: Option<Release>,
    /// The floor's version when it was looked at last.
    pub floor: Option<Version>,
    /// Releases that are not tried again, with the reason of each.
    pub refused: BTreeMap<Version, RevertReason>,
    /// The end of the last release that was tried.
    pub last: Option<Ended>,
}

/// What is being done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
#[allow(clippy::large_enum_variant, reason = "there is one of it")]
pub enum Phase {
    /// Nothing.
    #[default]
    Idle,
    /// A release is fetched.
    Fetching {
        /// Which.
        release: Release,
        /// How often what was fetched was not the release.
        damaged: u32,
    },
    /// A release is there, and its hash is right. No service has run it.
    Staged {
        /// Which.
        release: Release,
        /// How often what was fetched was not the release.
        damaged: u32,
    },
    /// Services run a release that has yet to prove itself.
    Trying(Trial),
    /// Services run what they ran before, and it is seen whether that works better.
    Returning {
        /// What did not prove itself.
        trial: Trial,
        /// Why.
        reason: RevertReason,
    },
}

impl Phase {
    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Fetching { .. } => "fetching",
            Self::Staged { .. } => "staged",
            Self::Trying(_) => "trying",
            Self::Returning { .. } => "returning",
        }
    }

    /// The release that it is about.
    #[must_use]
    pub const fn release(&self) -> Option<&Release> {
        match self {
            Self::Idle => None,
            Self::Fetching { release, .. } | Self::Staged { release, .. } => Some(release),
            Self::Trying(trial) | Self::Returning { trial, .. } => Some(&trial.release),
        }
    }
}

/// A release that services run for a while.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Which.
    pub release: Release,
    /// When it began, by the time of day: for people.
    pub since: Timestamp,
    /// Whether services were restarted with it.
    pub restarted: bool,
    /// The services' restarts when it began, in that run of the machine.
    pub restarts: BTreeMap<String, u32>,
    /// What was seen of it.
    pub watch: Watch,
}

/// How a release ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum Ended {
    /// Services run it from now on.
    Committed {
        /// Which.
        version: Version,
        /// When, by the time of day: for people.
        at: Timestamp,
        /// What proved it.
        on: CommittedOn,
    },
    /// It is not run.
    Reverted(Reverted),
}

/// A release that is not run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reverted {
    /// Which.
    pub version: Version,
    /// When that was over, by the time of day: for people.
    pub at: Timestamp,
    /// Why.
    pub reason: RevertReason,
    /// What did not work with the version before either; `None` if no service ever ran the release.
    pub no_better: Option<Vec<Demand>>,
}

/// What proved a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommittedOn {
    /// Everything that worked before.
    Everything,
    /// What needs no server: that could not be reached by the version before either, for the longest
    /// time.
    MetersAlone,
}

/// Why a release is not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RevertReason {
    /// It is built for another architecture.
    Architecture {
        /// Which.
        architecture: String,
    },
    /// What was fetched never had its hash.
    Damaged,
    /// It cannot be run.
    NotRunnable {
        /// Why.
        detail: String,
    },
    /// It says that it is another version.
    OtherVersion {
        /// Which.
        version: Version,
    },
    /// Its test of itself fails, and that of the version before does not.
    SelfTest {
        /// What failed.
        detail: String,
    },
    /// A service was restarted too often.
    Restarted {
        /// Which.
        service: String,
        /// How often.
        times: u32,
    },
    /// The machine started too often before it had proved itself.
    Boots {
        /// How often.
        times: u32,
    },
    /// What worked before did not in time.
    Unproven {
        /// What.
        missing: Vec<Demand>,
    },
}

impl fmt::Display for RevertReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Architecture { architecture } => write!(f, "it is built for {architecture}"),
            Self::Damaged => f.write_str("what was fetched never had its hash"),
            Self::NotRunnable { detail } => write!(f, "it cannot be run: {detail}"),
            Self::OtherVersion { version } => write!(f, "it says that it is version {version}"),
            Self::SelfTest { detail } => write!(f, "its test of itself: {detail}"),
            Self::Restarted { service, times } => {
                write!(f, "{service} was restarted {times} times")
            }
            Self::Boots { times } => {
                write!(f, "the machine started {times} times before it had proved itself")
            }
            Self::Unproven { missing } => {
                f.write_str("with it these did not work, and had before: ")?;
                for (i, demand) in missing.iter().enumerate() {
                    write!(f, "{}{demand}", if i == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
        }
    }
}

/// What was found where the state is.
#[derive(Debug)]
pub(crate) enum Loaded {
    /// The state; a new one where there is none.
    Whole(Box<State>),
    /// Something that is no state.
    Unreadable(String),
}

impl State {
    /// Reads the state of that disk, for those who only look.
    ///
    /// # Errors
    /// Returns [`DiskError`] when the file cannot be read, or is no state.
    pub fn look(disk: &dyn Disk) -> Result<Self, DiskError> {
        match Self::load(disk)? {
            Loaded::Whole(state) => Ok(*state),
            Loaded::Unreadable(reason) => {
                let source = std::io::Error::new(std::io::ErrorKind::InvalidData, reason);
                Err(DiskError::new(layout::STATE, source))
            }
        }
    }

    pub(crate) fn load(disk: &dyn Disk) -> Result<Loaded, DiskError> {
        let Some(text) = disk.read(layout::STATE)? else {
            return Ok(Loaded::Whole(Box::default()));
        };
        Ok(match serde_json::from_slice(&text) {
            Ok(state) => Loaded::Whole(state),
            Err(error) => Loaded::Unreadable(error.to_string()),
        })
    }

    pub(crate) fn save(&self, disk: &mut dyn Disk) -> Result<(), DiskError> {
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| DiskError::new(layout::STATE, error.into()))?;
        disk::replace(disk, layout::STATE, &text)
    }

    pub(crate) fn refuse(&mut self, version: Version, reason: RevertReason) {
        self.refused.insert(version, reason);
        while self.refused.len() > MOST_REFUSED {
            self.refused.pop_first();
        }
    }
}

/// Lets a reverted release be tried again. The caller holds the folder's lock. Returns whether it was
/// refused before.
///
/// # Errors
/// Returns [`DiskError`] when the state cannot be read or written.
pub fn retry(disk: &mut dyn Disk, version: &Version) -> Result<bool, DiskError> {
    let mut state = State::look(disk)?;
    let was_refused = state.refused.remove(version).is_some();
    if was_refused {
        state.save(disk)?;
    }
    Ok(was_refused)
}
