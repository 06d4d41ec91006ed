//! The contract between the Data API's client and server: paths and bodies.
//!
//! Enters: model types. Leaves: JSON bodies. Absent: HTTP itself.

mod alert;
mod alert_rule;
mod bodies;
mod change;
mod consent;
mod dataset;
mod device;
mod device_update;
mod enrolment;
mod error_group;
mod export;
mod fleet;
mod fleet_errors;
mod fleet_state;
mod geo;
mod incident;
mod job;
mod job_fault;
pub mod limits;
mod management;
mod message;
pub mod paths;
mod problem;
mod release;
mod rollout;
#[cfg(feature = "openapi")]
mod schema;
mod search;
mod series;
mod status;
mod survey;
mod time_bound;
mod tunnel;
mod web_session;

pub use alert::{
    ALERT_ITEMS, AlertChange, AlertChannel, AlertDelivery, AlertItem, AlertKind, AlertMessage,
    AlertMessageKind, AlertNotice, AlertQuietHours, AlertRules, DeliveryState, LISTED_ALERT_ITEMS,
    UnknownAlertName,
};
pub use alert_rule::{AlertRuleSet, ChangedRules, LONGEST_RULE, time_of_day};
pub use bodies::{
    Account, Household, MeasurementDevice, MeasurementPage, Registered, Registration,
    RegistrationMeter, RegistrationPvSystem, StoredMeasurement, UploadItem, UploadOutcome,
    UploadRequest, UploadResponse,
};
pub use change::{ChangeKind, LABEL_HEADER, LABEL_LENGTH, RegistrationChange};
pub use consent::{
    AgreedText, Consent, ConsentGrant, GivenPurpose, GrantChannel, PurposeGrant,
    UnknownWithdrawalChannel, Withdrawal, WithdrawalChannel,
};
pub use dataset::{ExportFormat, ExportReport, ExportRequest, ExportResolution};
pub use device::{
    DeviceChange, EnrolmentRequest, EnrolmentToken, ManagedCertificate, ManagedDevice, NewDevice,
    NewSignInCode, RevokedDevice,
};
pub use device_update::{
    DeviceUpdate, LONGEST_UPDATE_REASON, LONGEST_VERSION, ReportedUpdate, RevertedUpdate,
    UpdateManager, UpdatePhase, UpdateWish, UpdateWishKind, is_program_version,
};
pub use enrolment::{
    DeviceCertificate, EnrollRequest, FrontendCertificate, FrontendRequest, RenewRequest, SignIn,
};
pub use error_group::ReportedErrorGroup;
pub use export::{ExportedDevice, ExportedHousehold, ExportedMeter, HouseholdExport, LeftOut};
pub use fleet::{
    Coverage, DeviceDay, DeviceHistory, FleetCount, FleetDevice, FleetMeter, FleetPage,
    FleetVersion, IncidentEpisode, MeterCoverage, NewSilence, Silence,
};
pub use fleet_errors::{ErrorGroups, FleetErrorGroup};
pub use fleet_state::{FleetSort, FleetState, UnknownFleetSort, UnknownFleetState};
pub use geo::{LocatedRegion, RegionName};
pub use incident::IncidentRequest;
pub use job::{
    HouseholdRisk, ImportReport, ImportedLine, Job, JobKind, JobState, LineOutcome, NewJob,
    RiskReport, Spread, UnknownJobState,
};
pub use job_fault::{JobFault, LineFault};
pub use management::{
    HouseholdChange, HouseholdHealth, Listing, Made, ManagedHousehold, MeterChange, MeterHealth,
    NewMeter, NewPvSystem, PvSystemChange, RegistrationEntry,
};
pub use release::HouseholdRelease;
pub use rollout::{
    LONGEST_SOAK, MOST_FIRST, NewRollout, ROLLOUT_DEVICES_LISTED, Rollout, RolloutAction,
    RolloutChange, RolloutDevice, RolloutDeviceState, RolloutEvent, RolloutHalt, RolloutReport,
    RolloutState, USUAL_SOAK, USUAL_STEPS,
};
pub use search::{
    HouseholdCounts, HouseholdFilter, HouseholdKey, HouseholdListing, HouseholdSort, UnknownSort,
};

pub use message::{
    Message, MessageAbout, MessageAnswer, MessageText, NewMessage, UnknownMessageAbout,
};

/// The media type of a [`Problem`].
pub const PROBLEM_JSON: &str = "application/problem+json";

pub use problem::{Fault, Problem, problem_type};
#[cfg(feature = "openapi")]
pub use schema::{close_schema, closed_schemas};
pub use series::{
    EnergyBounds, EnergySeries, EnergyStep, EnergySummary, ExactNumber, MeterEnergy, SeriesBounds,
};
pub use status::{
    ClockState, Component, Components, DeviceHealth, DeviceStatus, HostKey, InvalidHostKey,
    MeterTelegrams, Notice, Reception, SpoolFigures,
};
pub use survey::{
    Language, PurposeText, QuarterPrices, ReleaseTier, SurveyContact, SurveyInformation,
    SurveyPrice, SurveyPurpose, SurveyText, UnknownLanguage,
};
pub use time_bound::{NoTimeBound, TimeBound};
pub use tunnel::{Tunnel, TunnelSession, TunnelSessionEnd, UnknownTunnelSessionEnd};
pub use web_session::{SESSION_LABEL_LENGTH, WebSession};
