//! What an operator does with a server and sees of it.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

#[path = "../owner_support/mod.rs"]
mod owner_support;
#[path = "../support/mod.rs"]
mod support;

mod authority;
mod backup;
#[allow(dead_code, reason = "the server's own tests use the rest")]
#[path = "../../../ebp-server/tests/support/cluster.rs"]
mod cluster;
mod devices;
mod enrolment;
mod environment;
mod households;
mod limit;
mod log;
mod lost;
mod metrics;
mod participants;
mod people;
mod private;
mod registration;
