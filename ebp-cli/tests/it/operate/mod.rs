//! What an operator does with a server and sees of it.

pub mod agreement;
mod alerts;
mod authority;
mod backup;
mod devices;
mod enrolment;
mod environment;
mod figures;
mod households;
mod limit;
mod log;
mod lost;
pub mod metrics;
mod monitoring;
pub mod page;
mod participants;
pub mod people;
mod private;
mod registration;
pub mod shared;
