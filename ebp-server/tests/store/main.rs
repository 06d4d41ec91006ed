//! What every store promises.

#![allow(clippy::unwrap_used, reason = "what a test unwraps is what it asserts")]

#[path = "../support/cluster.rs"]
mod cluster;
mod constraints;
mod contest;
mod crash;
mod erasure;
mod evaluation;
mod guess;
mod management;
mod masking;
mod measurement;
mod outage;
mod places;
mod plans;
mod postgres;
mod release;
mod removal;
mod same;
mod sqlite;
mod status;
mod story;
