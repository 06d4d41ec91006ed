//! The four roles of The Update Framework, as far as they are used here: no delegations.
//!
//! Enters: the signed part of a role's file. Leaves: a role whose members are checked. Absent:
//! signatures and dates, which [`crate::trusted`] judges. Members that are not known are left alone:
//! a later release may add some.

mod header;
mod name;
mod root;
mod snapshot;
mod targets;
mod timestamp;

#[cfg(feature = "author")]
pub use header::Header;
pub use header::Role;
pub use name::RoleName;
pub use root::{RoleKeys, Root};
pub use snapshot::{FileMeta, Snapshot};
pub use targets::TargetsRole;
#[cfg(feature = "author")]
pub use timestamp::SIGNED_AT;
pub use timestamp::TimestampRole;
