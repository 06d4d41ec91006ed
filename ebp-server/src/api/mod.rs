//! The resources of the Data API, a file each.
//!
//! Enters: requests with their [`Caller`](ebp_survey::Caller). Leaves: the contract's bodies.
//! Absent: permission, which the router demands before a handler runs; SQL.

pub mod account;
mod body;
pub mod consent;
pub mod description;
pub mod device;
pub mod device_update;
pub mod export;
pub mod geo;
pub mod health;
pub mod household;
pub mod incident;
pub(crate) mod intake;
pub mod management;
pub mod measurement;
pub mod measurement_device;
pub mod message;
pub mod meter;
pub mod pv_system;
mod query;
mod receive;
pub mod release;
pub mod series;
pub mod survey;
pub mod tunnel;

use uuid::Uuid;

use crate::problem::ApiError;

/// An identifier in a path. One that is none is unknown, like any other.
fn uuid(text: &str) -> Result<Uuid, ApiError> {
    Uuid::try_parse(text).map_err(|_| ApiError::NotFound)
}
