//! What tests, benchmarks and fuzz targets of several crates share.
//!
//! Enters: what the machine has (PostgreSQL's programs, cargo's metadata). Leaves: recordings of real
//! meters, database clusters, browsers, networks, disks that are soon full, sandboxes, verdicts. Absent: tests,
//! and anything that a program is built of: only `dev-dependencies` and `xtask` name this crate, and it
//! is never published.

// A helper of tests fails with its test.
#![allow(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

#[cfg(feature = "browser")]
pub mod browser;
#[cfg(feature = "postgresql")]
pub mod cluster;
#[cfg(feature = "browser")]
pub mod driver;
#[cfg(feature = "small-disk")]
pub mod loop_disk;
#[cfg(all(feature = "network", target_os = "linux"))]
pub mod network;
pub mod postgresql;
pub mod receiver;
pub mod recordings;
#[cfg(feature = "referee")]
pub mod referee;
#[cfg(all(feature = "sandbox", target_os = "linux"))]
pub mod sandbox;
#[cfg(feature = "small-disk")]
pub mod small_disk;
