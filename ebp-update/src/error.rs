//! Why a round of updates ends early.

use crate::{disk::DiskError, release::SupplyError, version::Version};

/// Why a round ends early. The state is kept: the next round goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// The updates' folder cannot be read or written: read-only, full, damaged.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// There is no release to be had now.
    #[error(transparent)]
    Supply(#[from] SupplyError),
    /// There is too little room for the release; nothing of it was written.
    #[error("version {version} needs {needed} bytes of room, and {free} are free")]
    NoRoom {
        /// Which release.
        version: Version,
        /// Twice its size, and what is left to everything else, bytes.
        needed: u64,
        /// What is free, bytes.
        free: u64,
    },
    /// What was fetched is not the release: its hash differs. It is fetched anew in the next round.
    #[error("what was fetched as version {0} has another hash")]
    Damaged(Version),
    /// Another updater is at work in that folder.
    #[error("another updater is at work")]
    Locked,
    /// `versions` is on another file system than the updates' folder, so that no rename is whole.
    #[error("`versions` is on another file system than the folder of updates")]
    OtherFileSystem,
}
