//! What every store promises.

#![allow(clippy::unwrap_used, reason = "what a test unwraps is what it asserts")]

mod access;
mod additive;
mod agreement;
mod alert;
mod authority;
mod constraints;
mod contest;
mod crash;
mod data_model;
mod edit;
mod erasure;
mod erasure_crash;
mod error_group;
mod evaluation;
mod fleet;
mod fleet_rule;
mod guess;
mod job;
mod job_archive;
mod job_retention;
mod management;
mod masking;
mod measurement;
mod message;
mod outage;
mod places;
mod plans;
mod pooler;
mod postgres;
mod quota;
mod release;
mod removal;
mod repeated;
mod rollout;
mod same;
mod search;
mod series;
mod silence;
mod sqlite;
mod standby;
mod status;
mod story;
mod tunnel;
#[cfg(target_os = "linux")]
mod vanished;
mod waiting;
mod web_session;

use ebp_testkit::cluster;
