//! The contract between the Data API's client and server: paths and bodies.
//!
//! Enters: model types. Leaves: JSON bodies. Absent: HTTP itself.

mod bodies;
mod device;
mod enrolment;
mod geo;
mod incident;
mod job;
pub mod limits;
mod management;
pub mod paths;
mod problem;
#[cfg(feature = "openapi")]
mod schema;
mod status;

pub use bodies::{
    Account, Consent, Household, MeasurementDevice, MeasurementPage, Registered, Registration,
    RegistrationMeter, RegistrationPvSystem, StoredMeasurement, UploadItem, UploadOutcome,
    UploadRequest, UploadResponse,
};
pub use device::{
    DeviceChange, EnrolmentRequest, EnrolmentToken, ManagedCertificate, ManagedDevice, NewDevice,
    RevokedDevice,
};
pub use enrolment::{DeviceCertificate, EnrollRequest, RenewRequest};
pub use geo::{LocatedRegion, RegionName};
pub use incident::IncidentRequest;
pub use job::{
    HouseholdRisk, ImportReport, ImportedLine, Job, JobKind, JobState, LineOutcome, NewJob,
    RiskReport, Spread, UnknownJobState,
};
pub use management::{
    HouseholdChange, HouseholdHealth, Listing, Made, ManagedHousehold, MeterChange, MeterHealth,
    NewMeter, NewPvSystem, PvSystemChange, RegistrationEntry,
};

/// The media type of a [`Problem`].
pub const PROBLEM_JSON: &str = "application/problem+json";

pub use problem::{Fault, Problem, problem_type};
#[cfg(feature = "openapi")]
pub use schema::{close_schema, closed_schemas};
pub use status::{
    ClockState, Component, Components, DeviceHealth, DeviceStatus, MeterTelegrams, Notice,
    Reception, SpoolFigures,
};
