//! A household's energy out of kept days is what all of its measurements give, in whatever order they
//! were uploaded, on both databases.

#![allow(clippy::unwrap_used, reason = "what a test unwraps is what it asserts")]

mod household;
mod kept;
mod known;
mod roles;

use ebp_testkit::cluster;
