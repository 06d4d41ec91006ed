//! The program from outside, as one test program: linking one takes as long as running many tests.
//! What kills servers and fills disks is in `tests/hold/`.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

mod anonymize;
mod another_meter;
mod book;
mod broker_outage;
mod card;
mod certificates;
mod chain;
#[cfg(target_os = "linux")]
mod clock;
mod command_line;
mod configuration;
mod cycle;
mod cycle_asked;
mod daemons;
mod demo;
mod demo_cloud;
mod demo_page;
mod demo_past;
mod errors;
mod errors_of_others;
mod evaluation;
mod export;
mod export_job;
mod field;
mod journal;
mod kill;
mod life;
mod locating;
mod log_lines;
mod meter;
mod metrics_file;
mod operate;
mod owner_support;
mod program_release;
mod publish;
mod read;
mod read_asked;
mod read_causes;
mod read_errors;
mod read_watch;
mod release;
mod release_kill;
mod release_risk;
mod report;
mod revocation;
mod simulate;
#[path = "../support/mod.rs"]
mod support;
#[cfg(target_os = "linux")]
mod traffic;
mod tunnel;
mod units;
mod unlock;
mod update;
mod wipe;

use ebp_testkit::cluster;
