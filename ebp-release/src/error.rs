//! Why releases are not trusted.

use std::{io, path::PathBuf};

use jiff::Timestamp;

use crate::role::RoleName;

/// Why a repository is refused, or could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The repository cannot be read, for instance since the network is away. Says nothing about the
    /// release.
    #[error("cannot fetch {path}: {source}")]
    Fetch {
        /// The file's path in the repository.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The repository has no such file, though its metadata name it.
    #[error("the repository has no {path}")]
    Missing {
        /// The file's path in the repository.
        path: String,
    },
    /// A file is longer than is allowed; reading ended there.
    #[error("{path} is longer than {limit} bytes")]
    TooLong {
        /// The file's path in the repository.
        path: String,
        /// The bound, bytes.
        limit: u64,
    },
    /// A role's file does not have the form of The Update Framework.
    #[error("the {role} role is malformed: {reason}")]
    Malformed {
        /// Which role.
        role: RoleName,
        /// What is wrong.
        reason: String,
    },
    /// Too few of the keys that may sign a role have signed it: it is forged, damaged, or signed by
    /// keys that are no longer in use.
    #[error("the {role} role has {valid} valid signatures of {needed} that it needs")]
    Signatures {
        /// Which role.
        role: RoleName,
        /// How many different keys have signed.
        valid: usize,
        /// How many must have.
        needed: usize,
    },
    /// A role is older than the one that was trusted before.
    #[error("the {role} role is rolled back: version {version} after {trusted}")]
    RolledBack {
        /// Which role.
        role: RoleName,
        /// The version that was offered.
        version: u64,
        /// The version that is trusted.
        trusted: u64,
    },
    /// A role is not the one that another role names: files of different states are mixed.
    #[error("the {role} role has version {version}, not {expected}")]
    WrongVersion {
        /// Which role.
        role: RoleName,
        /// Its version.
        version: u64,
        /// The version that it should have.
        expected: u64,
    },
    /// A role's length or hash is not the one that another role names: files of different states are
    /// mixed, or the file is damaged.
    #[error("the {role} role is not the file that the repository's metadata name")]
    WrongContent {
        /// Which role.
        role: RoleName,
    },
    /// A role was valid until then: the repository is not renewed, or somebody withholds its newer
    /// state.
    #[error("the {role} role has expired on {expired}")]
    Expired {
        /// Which role.
        role: RoleName,
        /// Until when it was valid.
        expired: Timestamp,
    },
    /// More new root roles than one refresh follows. Those that were followed are stored; the next
    /// refresh goes on.
    #[error("more than {0} new root roles: refresh again")]
    RootChain(u32),
    /// The trusted state cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Storage {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl TrustError {
    /// Whether it is about reaching the repository or writing to this machine's disk, and says nothing
    /// about who made the release.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Fetch { .. } | Self::Storage { .. } | Self::RootChain(_))
    }
}
