//! Why a repository cannot be made or changed.

use std::{io, path::PathBuf};

use semver::Version;

use crate::{CopyError, KeyId, RoleName, TrustError};

/// Why a repository cannot be made, signed or published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A role's file is damaged, or the finished repository would be refused by clients.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// Another process changes the folder, and takes long.
    #[error("another `ebp release` works on {}", .0.display())]
    Busy(PathBuf),
    /// The folder has a repository already.
    #[error("{} has a repository already", .0.display())]
    Exists(PathBuf),
    /// The folder has no repository.
    #[error("{} has no repository", .0.display())]
    NoRepository(PathBuf),
    /// The folder has drafts of roles that nobody has published: signatures are still missing.
    #[error("the first {0} role is not published yet")]
    NotPublished(RoleName),
    /// Fewer keys than must sign, or none.
    #[error("{threshold} of {keys} keys cannot sign the {role} role")]
    Threshold {
        /// Which role.
        role: RoleName,
        /// How many must sign.
        threshold: usize,
        /// How many keys there are.
        keys: usize,
    },
    /// A key is named twice for a role.
    #[error("key {0} is there twice")]
    SameKey(KeyId),
    /// The online key is on a server: it must not sign what people sign.
    #[error("key {0} is the online key, which must not sign root or targets")]
    OnlineKey(KeyId),
    /// No key of the role begins with those digits, or several do.
    #[error("{count} keys of that role begin with `{digits}`")]
    WhichKey {
        /// What was given.
        digits: String,
        /// How many keys begin so.
        count: usize,
    },
    /// The program has no bytes.
    #[error("{} is empty", .0.display())]
    Empty(PathBuf),
    /// There is no draft to sign.
    #[error("there is no draft to sign")]
    NoDraft,
    /// The key may not sign any of the drafts.
    #[error("key {0} may sign none of the drafts")]
    NotASigner(KeyId),
    /// A draft is another one than was read.
    #[error("the draft of {0} has changed since it was read; nothing was signed")]
    DraftChanged(RoleName),
    /// Signatures are missing.
    #[error("{role} version {version} has {valid} of {needed} signatures; it waits for {waiting}")]
    Unsigned {
        /// Which role.
        role: RoleName,
        /// Its version.
        version: u64,
        /// How many have signed.
        valid: usize,
        /// How many must.
        needed: usize,
        /// The keys that have not signed, by name.
        waiting: String,
    },
    /// The key is not the online key of the root role.
    #[error("key {0} is not the online key")]
    NotOnline(KeyId),
    /// A version was published for that architecture with other bytes.
    #[error("{0} is published with other bytes: a version is never given out twice")]
    OtherBytes(String),
    /// No release has that version.
    #[error("there is no release {0}")]
    NoRelease(Version),
    /// The version is recalled.
    #[error("release {0} is recalled already")]
    Recalled(Version),
    /// A version can only be gone over to from a version that is not before it: no device could.
    #[error("{version} cannot need {needs}, which is not before it")]
    Needs {
        /// Which version.
        version: Version,
        /// What it is to need.
        needs: Version,
    },
    /// The name of an architecture has other characters than lower-case letters, digits and
    /// underscores.
    #[error("`{0}` is no architecture")]
    Architecture(String),
    /// A program is not in the folder, or not the one that was signed.
    #[error("{name}: {source}")]
    Program {
        /// The target's name.
        name: String,
        /// Why.
        source: CopyError,
    },
    /// A file holds no Ed25519 key.
    #[error("it holds no {0}")]
    NoKey(&'static str),
    /// A key's name is empty, longer than 64 characters, or has control characters.
    #[error("a key's name has 1 to 64 characters, on one line")]
    Name,
    /// The machine has no randomness to give.
    #[error("the machine gave no randomness")]
    Randomness,
}
