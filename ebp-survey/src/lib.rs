//! The operations of a survey: what participants, researchers and administrators do, once for the
//! Data API, the program, the demo and pages.
//!
//! Enters: domain values and the [`Caller`] or household that is meant. Leaves: the contract's
//! bodies, or a [`SurveyError`] that clones. Absent: HTTP, TLS connections. Whether researchers or
//! administrators may do what they ask for says [`Operation`]; whoever calls an operation of [`Survey`]
//! has checked that, and those of [`GroupCaller`] check it by themselves.
//!
//! A [`Survey`] is opened once and handed to all callers. An operation is here when it takes more
//! than one call of the [`ebp_store::Store`]: registering locates the address, ending an address
//! makes the geocoder forget it, a revocation goes on this server's own list. Everything else is
//! asked of [`Survey::store`] itself.
//!
//! Features: `germany` masks by Germany's regions where no others are configured; `dataset` exports the
//! survey's data set.
//!
//! ```
//! use ebp_core::scope::Group;
//! use ebp_survey::Operation;
//!
//! assert!(Operation::RegisterHousehold.permit(Group::Researchers).is_ok());
//! assert!(Operation::RegisterHousehold.permit(Group::Administrators).is_err());
//! ```
//!
//! | operations | file |
//! |---|---|
//! | register, check, change and remove a household | `registration.rs` |
//! | read, check and locate many households at once | `import/` |
//! | grant and revoke consent, record a withdrawal | `consent.rs` |
//! | what the survey says of itself, the texts that participants agree to | `information.rs`, `text.rs` |
//! | everything that is held about a household | `export/` |
//! | one-time tokens, first and next certificates of devices | `enrolment.rs` |
//! | sign-in codes of devices' pages | `sign_in.rs` |
//! | register, issue and list certificates | `register.rs` |
//! | revoke certificates, list a device's | `certificate.rs` |
//! | note when devices spoke and reported | `activity.rs` |
//! | outlines of regions, and which one a location lies in | `geo.rs` |
//! | a household's energy and figures; keeping the days of all meters | `series/` |
//! | the data set of all households | `dataset/` (feature `dataset`) |
//! | look at all devices for alerts, test how messages are sent | `alert.rs` |
//! | sessions of researchers and administrators in pages | `web_session.rs` |
//! | which group may do what, and operations that decide by it | `permission.rs`, `group_caller.rs`, `group_import.rs`, `group_administration.rs` |
//! | show and change the rules of alerts | `alert_rule.rs` |
//! | apply revocations, restore a backup | `revocation.rs`, `restore.rs` |

mod activity;
mod alert;
mod alert_rule;
pub mod atomic_file;
pub mod authority;
mod caller;
mod certificate;
mod consent;
#[cfg(feature = "dataset")]
pub mod dataset;
mod enrolment;
mod error;
pub mod export;
mod finish;
mod fleet;
mod geo;
pub mod geocoding;
mod group_administration;
mod group_caller;
mod group_import;
pub mod import;
mod information;
mod keeper;
mod locate;
pub mod masking;
mod outlines;
mod permission;
pub mod price;
mod published;
mod register;
mod registration;
mod release_view;
mod restore;
mod revocation;
mod revocation_notices;
mod revocations;
mod rollout;
mod series;
mod server_state;
mod sign_in;
mod survey;
pub mod text;
mod web_session;

pub use alert::AlertPolicy;
pub use alert_rule::AlertRuleError;
pub use caller::{Caller, CertificateHolder};
pub use error::{OpenError, SurveyError};
pub use finish::{Finish, finish};
pub use group_administration::{LatestPage, SurveyFigures};
pub use group_caller::{GroupCaller, RegionsInUse};
pub use keeper::Keeper;
pub use permission::{NotPermitted, Operation};
pub use published::{PublishedReleases, ReleaseState};
pub use registration::{Author, NewHousehold, Revision};
pub use restore::{Restore, RestoreError, Restored, restore};
pub use revocations::{
    Applied, InvalidLine, KeptRevocations, KeptRevocationsError, Revocations, issued,
};
pub use rollout::RolloutFigures;
pub use series::{SeriesFault, SeriesKept, SeriesParts, SeriesQuery};
pub use server_state::{BackupState, ErrorGroup, ServerState};
pub use survey::Survey;
pub use web_session::{LONGEST_LINK, SignInError, VerifySecret, WebToken};

/// Values of the store that operations take and return, for callers that do not know the store.
pub use ebp_store::{
    AlertCounts, Cursor, DeviceCounts, Edit, Faults, Fleet, FleetCursor, FleetQuery,
    HouseholdCursor, HouseholdId, HouseholdPage, HouseholdQuery, HouseholdVersion, ListCursor,
    ListPage, ListQuery, RegisterEntry, Serial, StoreError,
};
