//! What every store promises.

#![allow(clippy::unwrap_used, reason = "what a test unwraps is what it asserts")]

mod management;
mod sqlite;
mod story;
