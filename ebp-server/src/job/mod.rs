//! The runner of jobs: workers of this server that take jobs from the database and do them.
//!
//! Enters: the survey, kinds of jobs. Leaves: jobs with their ends, which the store records. Absent:
//! the work itself, which is done in crates that know no queue, and the queue, which is the store's.
//!
//! To add a job: a serialisable struct in a file here, which implements [`Kind`](kind::Kind); its line in
//! `runner::kinds`; its name in [`JobKind`](ebp_core::contract::JobKind).

mod attempt;
#[cfg(feature = "export")]
mod export;
mod import;
mod kind;
mod order;
mod progress;
mod risk_report;
mod runner;
mod shared;

pub use order::{may_ask, order};
pub use runner::{JobAdded, Runner};
pub use shared::JobSettings;
