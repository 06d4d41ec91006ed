//! Making a repository: keys, drafts that people sign one after the other, and publishing.
//!
//! Enters: a folder, keys, programs, the instant. Leaves: files in the folder. Absent: the network;
//! asking people whether they mean it.
//!
//! A [`ReleaseFolder`] has `metadata` and `targets`, which a server gives out as they are, and `draft`
//! with the next root and targets roles. A draft is signed by [`ReleaseFolder::sign`] until
//! [`ReleaseFolder::publish`] finds enough signatures, moves it to `metadata`, and has the online key
//! sign a new snapshot and timestamp. Publishing tries the new state as a client that knew the old one
//! before anything is written, and writes the timestamp last: clients see the old state or the new one.

mod draft;
mod error;
mod files;
mod publish;
mod sign;
mod signing_key;
mod status;
pub(crate) mod write;

use jiff::SignedDuration;

use crate::role::RoleName;
pub use draft::{FirstKeys, NewRelease, Rotated, Rotation};
pub use error::AuthorError;
pub use files::ReleaseFolder;
#[cfg(test)]
pub(crate) use files::header_at;
pub use publish::PublishedState;
pub use sign::{Requirement, SignedDraft};
pub use signing_key::{SigningKey, parse_public_key, write_public_key};
pub use status::{RoleStatus, Stage};

/// How long a role is valid from its signing or drafting on.
#[must_use]
pub const fn validity(role: RoleName) -> SignedDuration {
    const DAY: i64 = 24;
    SignedDuration::from_hours(match role {
        RoleName::Root => 1_826 * DAY,
        RoleName::Targets => 365 * DAY,
        RoleName::Snapshot => 30 * DAY,
        RoleName::Timestamp => 7 * DAY,
    })
}
