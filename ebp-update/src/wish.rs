//! What is wanted of a device: by its configuration, or by the server, whose last answer is remembered.
//!
//! The server's answer is online and unsigned, so that it is bounded by what is signed. It is remembered
//! until there is another: a server that is away, for however long, must not let devices go over to a
//! release whose roll-out was halted, or has not begun.

use ebp_core::{
    contract::{
        DeviceUpdate, LONGEST_UPDATE_REASON, RevertedUpdate, UpdateManager, UpdatePhase,
        UpdateWish, UpdateWishKind,
    },
    plain_text::blank_hidden,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    disk::{self, Disk, DiskError},
    layout,
    state::{Ended, Phase, State},
    version::Version,
};

/// What is wanted of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// The newest release that is no pre-release and may be gone over to directly.
    Newest,
    /// That release, since its configuration says so: it is an error if that cannot be.
    Pinned(Version),
    /// That release, since a roll-out offers it: nothing is done if it is older than what runs.
    Offered(Version),
    /// To stay on what it runs, unless that was recalled.
    Stay,
}

/// The server's last answer.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    /// When it came, by the time of day: for people.
    at: Timestamp,
    answer: UpdateWish,
}

impl Wish {
    /// What a server's answer means. One with a version that is none of ours, as of a newer server, means
    /// to stay.
    #[must_use]
    pub fn of_answer(answer: &UpdateWish) -> Self {
        let version = || answer.version.as_ref()?.parse().ok();
        match answer.wish {
            UpdateWishKind::Any => Self::Newest,
            UpdateWishKind::Stay => Self::Stay,
            UpdateWishKind::Run => version().map_or(Self::Stay, Self::Offered),
        }
    }

    /// Remembers the server's answer. The caller holds the folder's lock.
    ///
    /// # Errors
    /// Returns [`DiskError`] when it cannot be written.
    pub fn remember(
        disk: &mut dyn Disk,
        answer: &UpdateWish,
        at: Timestamp,
    ) -> Result<(), DiskError> {
        let remembered = Remembered { at, answer: answer.clone() };
        let text = serde_json::to_vec(&remembered)
            .map_err(|error| DiskError::new(layout::WISH, error.into()))?;
        disk::replace(disk, layout::WISH, &text)
    }

    /// What is wanted while the server does not answer: what it last said, however long ago that is, and
    /// the newest release if it never said anything.
    ///
    /// # Errors
    /// Returns [`DiskError`] when what is remembered cannot be read.
    pub fn recall(disk: &dyn Disk) -> Result<Self, DiskError> {
        let Some(text) = disk.read(layout::WISH)? else { return Ok(Self::Newest) };
        // Of a damaged file it is only known that the server has said something.
        let remembered = serde_json::from_slice::<Remembered>(&text);
        Ok(remembered.map_or(Self::Stay, |remembered| Self::of_answer(&remembered.answer)))
    }
}

impl State {
    /// What the server is told of it; `wanted` is the version that is wanted of the device, if one is.
    #[must_use]
    pub fn describe(&self, wanted: Option<&Version>) -> DeviceUpdate {
        let refused = wanted.and_then(|wanted| Some((wanted, self.refused.get(wanted)?)));
        let last = match &self.last {
            Some(Ended::Reverted(last)) if self.refused.contains_key(&last.version) => {
                Some((&last.version, &last.reason))
            }
            _ => None,
        };
        let reverted = refused.or(last).map(|(version, reason)| RevertedUpdate {
            version: version.to_string(),
            reason: shorten(&reason.to_string()),
        });
        let kept = self.committed.as_ref().map(|release| &release.version).or(self.floor.as_ref());
        DeviceUpdate {
            managed: UpdateManager::Ebp,
            pinned: false,
            phase: match self.phase {
                Phase::Idle => UpdatePhase::Idle,
                Phase::Fetching { .. } => UpdatePhase::Fetching,
                Phase::Staged { .. } => UpdatePhase::Staged,
                Phase::Trying(_) => UpdatePhase::Trying,
                Phase::Returning { .. } => UpdatePhase::Returning,
            },
            kept: kept.map(ToString::to_string),
            reverted,
            hindrance: None,
        }
    }
}

/// A text for people, as long as it may be and in one line.
#[must_use]
pub fn shorten(text: &str) -> String {
    blank_hidden(text).chars().take(LONGEST_UPDATE_REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        machine_disk::MachineDisk,
        state::{RevertReason, Reverted},
    };

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn the_last_answer_counts_until_there_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let (mut disk, _lock) = MachineDisk::lock(folder.path()).unwrap();
        assert_eq!(Wish::recall(&disk).unwrap(), Wish::Newest);
        for at in ["2016-12-01T12:00:00Z", "2026-12-01T12:00:00Z"] {
            let at: Timestamp = at.parse().unwrap();
            Wish::remember(&mut disk, &UpdateWish::STAY, at).unwrap();
            assert_eq!(Wish::recall(&disk).unwrap(), Wish::Stay);
            Wish::remember(&mut disk, &UpdateWish::run("1.4.2".to_owned()), at).unwrap();
            assert_eq!(Wish::recall(&disk).unwrap(), Wish::Offered(version("1.4.2")));
        }
        disk::replace(&mut disk, layout::WISH, b"{").unwrap();
        assert_eq!(Wish::recall(&disk).unwrap(), Wish::Stay);
        Wish::remember(&mut disk, &UpdateWish::ANY, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(Wish::recall(&disk).unwrap(), Wish::Newest);
    }

    #[test]
    fn an_answer_that_names_no_version_means_to_stay() {
        for wrong in [None, Some("../1".to_owned())] {
            let answer = UpdateWish { wish: UpdateWishKind::Run, version: wrong };
            assert_eq!(Wish::of_answer(&answer), Wish::Stay);
        }
    }

    #[test]
    fn a_version_is_told_as_reverted_until_it_is_tried_again() {
        let reason = RevertReason::Restarted { service: "read".to_owned(), times: 3 };
        let mut state = State { floor: Some(version("1.0.0")), ..State::default() };
        assert_eq!(state.describe(None).kept.as_deref(), Some("1.0.0"));
        let at = Timestamp::UNIX_EPOCH;
        let reverted =
            Reverted { version: version("1.4.2"), at, reason: reason.clone(), no_better: None };
        state.refused.insert(version("1.4.2"), reason);
        state.last = Some(Ended::Reverted(reverted));
        let told = state.describe(None).reverted.unwrap();
        assert_eq!((&*told.version, &*told.reason), ("1.4.2", "read was restarted 3 times"));
        // Another one was kept since, and this one is wanted again.
        state.last = None;
        assert_eq!(state.describe(None).reverted, None);
        assert!(state.describe(Some(&version("1.4.2"))).reverted.is_some());
        state.refused.clear();
        assert_eq!(state.describe(Some(&version("1.4.2"))).reverted, None);
        assert_eq!(shorten(&"ü\n".repeat(300)).chars().count(), LONGEST_UPDATE_REASON);
    }
}
