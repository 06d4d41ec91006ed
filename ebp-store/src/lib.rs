//! The Data API's database: registrations, consents, devices and measurements.
//!
//! Enters: registrations, consent's steps, measurements with the instant of their arrival. Leaves:
//! the contract's bodies, for one household at a time. Absent: HTTP, TLS, the authority's keys, the
//! clock; authorization, which the caller checks.
//!
//! [`Store`] hides the differences between databases. Every implementation passes the suite in
//! `ebp-store/tests/store/`.
//!
//! Features: `germany` masks by Germany's regions where no others are configured.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), ebp_store::StoreError> {
//! use ebp_store::{Database, open_store};
//!
//! let folder = tempfile::tempdir().unwrap();
//! let path = folder.path().join("ebp.sqlite");
//! let _store = open_store(&Database::Sqlite(path.clone())).await?;
//! assert!(path.exists());
//! # Ok(()) }
//! ```

mod access;
pub mod address;
mod alert;
mod alert_rule;
mod authority;
pub mod backup;
mod certificate;
mod change;
mod database;
mod device_edit;
mod edit;
mod error;
mod error_group;
mod evaluation;
mod faults;
mod fleet;
mod fleet_page;
mod fleet_statement;
pub mod form;
mod founding;
mod history;
mod identity;
mod job;
mod latest;
mod ledger;
mod management;
pub mod masking;
mod message;
mod page;
mod postgres;
mod quota;
mod registration;
mod repeated;
mod revoked;
mod rollout;
mod rule;
mod schema;
mod search;
mod serial;
mod series;
mod set;
mod sqlite;
mod status;
mod store;
mod survey_text;
mod tunnel;
mod web_session;

pub use access::{
    AccessStore, Digest, Enrolled, Enrolment, Issuance, NewCertificate, Origin, RENEWAL_PAUSE,
    TryLimits, TrySource,
};
pub use alert::{AlertCounts, AlertState, AlertStore, DueDelivery, Look, NewMessage, WatchLease};
pub use alert_rule::AlertRuleStore;
pub use authority::AuthorityStore;
pub use backup::Restoration;
pub use certificate::{CertificateKind, RegisterEntry, holder};
pub use database::{Database, open_existing_store, open_store};
pub use device_edit::{DeviceEdit, DeviceEditStore, DeviceEdited};
pub use edit::{Edit, EditOptions, Editor, HouseholdVersion, InvalidLabel, Label};
pub use error::StoreError;
pub use error_group::ErrorGroupStore;
pub use evaluation::{EvaluatedMeter, EvaluationStore};
pub use faults::Faults;
pub use fleet::{Fleet, FleetCursor, FleetQuery, FleetStore, STOPS_WITHIN_HOURS};
pub use history::{History, HistoryStore};
pub use identity::{Actor, DeviceActivity, HouseholdId, Names, ParticipantId};
pub use job::{
    ClaimedJob, JobCounts, JobEnd, JobOrder, JobResult, JobStore, Lease, RESULT_LIMIT, RESULT_PART,
    Recorded, Standing, Subject,
};
pub use latest::{LatestStore, TimeOrderedList};
pub use ledger::{DataRelease, LedgerStore, ReleasedHousehold};
pub use management::{DeviceCounts, ListCursor, ListPage, ListQuery, ManagementStore};
pub use message::MessageStore;
pub use page::{Cursor, Page, PageQuery};
pub use postgres::{DatabaseUrl, PostgresError, PostgresSettings, PostgresStore};
pub use quota::{Quota, Source};
pub use registration::faults;
pub use revoked::{
    MaskingStore, PendingReport, RevocationCounts, RevokedAgain, RevokedHousehold, WithdrawnPurpose,
};
pub use rollout::{RolloutStore, RolloutView};
pub use rule::{
    admission::{Admission, Key, KnownMeter, Place, Refusal},
    alert::{
        AlertThresholds, Attempted, DeviceFacts, Episode, InvalidQuietHours, LONGEST_PAUSE,
        MessagePolicy, NewEpisode, PlannedMessage, QuietHours, TunnelConflict, Verdict, Watching,
        changes, judge, plan,
    },
    fleet::{FleetFacts, FleetThresholds, SurveyCycles},
    job::JobPolicy,
    purpose::PurposeChange,
    rollout::{
        ROLLOUT_SILENCE, RolloutFacts, RolloutOffer, RolloutPlace, RolloutRefusal, RolloutWrite,
        judge_device, judge_rollout, place_of_device, steer_rollout, wish_of_device,
    },
    series::is_settled,
};
pub use schema::NewerSchema;
pub use search::{HouseholdCursor, HouseholdPage, HouseholdQuery};
pub use serial::{InvalidSerial, Serial};
pub use series::{
    KeptDay, KeptSeries, NewDays, SeriesHousehold, SeriesMeter, SeriesPlace, SeriesStore,
    SeriesSystem,
};
pub use sqlite::SqliteStore;
pub use store::{InsertOutcome, PoolStatus, Store};
pub use survey_text::{Published, SurveyTextStore};
pub use tunnel::{NewTunnel, NewTunnelSession, TunnelPlace, TunnelStore, TunnelTaken};
pub use web_session::{
    NewSignInLink, NewWebSession, WEB_SESSION_ABSOLUTE, WEB_SESSION_IDLE, WebSessionStore,
};
