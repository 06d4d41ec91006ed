//! What the Data API's client and server agree on: paths and bodies.
//!
//! Enters: model types. Leaves: JSON bodies. Absent: HTTP itself.

mod bodies;
pub mod paths;
mod problem;

pub use bodies::{
    Account, Consent, Household, MeasurementDevice, MeasurementPage, Registration,
    RegistrationMeter, RegistrationPvSystem, StoredMeasurement, UploadItem, UploadOutcome,
    UploadRequest, UploadResponse,
};
pub use problem::{Problem, problem_type};
