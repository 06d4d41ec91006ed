//! The Data API from outside: a real server, real TLS, real certificates.

#![allow(clippy::unwrap_used, reason = "what a test unwraps is what it asserts")]

mod access;
mod agreement;
mod alert;
mod answers;
mod certificate;
mod clock;
mod consent;
mod earlier;
mod enrolment;
mod erasure;
mod exchange;
mod export;
#[cfg(feature = "export")]
mod export_job;
mod faults;
mod fleet;
mod geo;
mod group;
mod group_on_sqlite;
mod harness;
mod household;
mod identity;
mod incident;
mod job;
mod long_body;
mod management;
mod measurement_list;
mod measurement_upload;
mod message;
mod operation;
mod overload;
mod put_back;
mod quota;
mod release;
mod removal;
mod repeated;
mod revision;
mod rolling;
mod rollout;
mod scope;
mod series;
mod server;
mod session;
mod shared;
mod status;
mod token;

use ebp_testkit::cluster;

/// The database of this program's servers; `postgres.rs` runs the same tests on the other one.
const ENGINE: harness::Engine = harness::Engine::Sqlite;
