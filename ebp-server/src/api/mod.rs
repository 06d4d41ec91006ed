//! The resources of the Data API, a file each.
//!
//! Enters: requests with their [`Caller`](crate::auth::Caller). Leaves: the contract's bodies.
//! Absent: permission, which the router demands before a handler runs; SQL.

pub mod account;
pub mod consent;
pub mod health;
pub mod household;
pub mod measurement;
pub mod measurement_device;
pub mod meter;
pub mod pv_system;
