//! The rules of consent, admission, revocation, jobs, kept days, the fleet and searches, once for both
//! databases.
//!
//! Enters: what a database has read. Leaves: what may be done, and what a revocation leaves. Absent:
//! databases. Only SQL triggers say the same once more, as a second lock.

pub mod admission;
pub mod alert;
pub mod consent;
pub mod coverage;
pub mod fleet;
pub mod import;
pub mod job;
pub mod purpose;
pub mod revocation;
pub mod rollout;
pub mod search;
pub mod series;
pub mod tunnel;
