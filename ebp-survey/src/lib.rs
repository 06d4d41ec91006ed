//! The operations of a survey: what participants, researchers and administrators do, once for the
//! Data API, the program, the demo and pages.
//!
//! Enters: domain values and the [`Caller`] or household that is meant. Leaves: the contract's
//! bodies, or a [`SurveyError`] that clones. Absent: HTTP, TLS connections, and whether a caller may
//! do what they ask for: whoever calls an operation has checked that.
//!
//! A [`Survey`] is opened once and handed to all callers. An operation is here when it takes more
//! than one call of the [`ebp_store::Store`]: registering locates the address, ending an address
//! makes the geocoder forget it, a revocation goes on this server's own list. Everything else is
//! asked of [`Survey::store`] itself.
//!
//! | operations | file |
//! |---|---|
//! | register, check, change and remove a household | `registration.rs` |
//! | read, check and locate many households at once | `import/` |
//! | grant and revoke consent | `consent.rs` |
//! | one-time tokens, first and next certificates of devices | `enrolment.rs` |
//! | list and revoke certificates | `certificate.rs` |
//! | note when devices spoke and reported | `activity.rs` |
//! | outlines of regions, and which one a location lies in | `geo.rs` |
//! | apply revocations, restore a backup | `revocation.rs`, `restore.rs` |

mod activity;
pub mod atomic_file;
pub mod authority;
mod caller;
mod certificate;
mod consent;
mod enrolment;
mod error;
mod finish;
mod geo;
pub mod geocoding;
pub mod import;
mod keeper;
mod locate;
pub mod masking;
mod outlines;
mod registration;
mod restore;
mod revocation;
mod revocations;
mod survey;

pub use caller::{Caller, CertificateHolder};
pub use error::{OpenError, SurveyError};
pub use finish::{Finish, finish};
pub use keeper::Keeper;
pub use registration::NewHousehold;
pub use restore::{Restore, RestoreError, Restored, restore};
pub use revocations::{
    Applied, InvalidLine, KeptRevocations, KeptRevocationsError, Revocations, issued,
};
pub use survey::Survey;
