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
//! Each change holds a lock on the folder, so that of two processes the second sees what the first did.

mod draft;
mod elf;
mod error;
mod files;
mod lock;
mod publish;
mod sign;
mod signing_key;
mod status;
pub(crate) mod write;

pub use draft::{FirstKeys, NewRelease, Rotated, Rotation};
pub use elf::{ProgramError, check_program};
pub use error::AuthorError;
pub use files::ReleaseFolder;
pub use publish::PublishedState;
pub use sign::{Requirement, SignedDraft};
pub use signing_key::{SigningKey, parse_public_key, write_public_key};
pub use status::{RoleStatus, Stage};
pub use write::validity;
