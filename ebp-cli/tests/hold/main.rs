//! What a server must outlive: kills, a database that goes, full disks, and clients of the worst
//! kind. Each ends in a clear answer or a closed connection, then service goes on by itself, and no
//! acknowledged measurement is missing or doubled.
//!
//! The number of kills can be raised with `EBP_HOLD_ROUNDS`.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

mod alerts;
mod answers;
mod clients;
mod disk;
mod kills;
mod memory;
mod places;
mod raw;
mod senders;
#[path = "../support/mod.rs"]
mod support;

use ebp_testkit::cluster;
