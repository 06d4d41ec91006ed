//! Reading meters from outside, as one test program. What counts allocations is one of its own.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

mod corpus;
mod d0_properties;
mod d0_telegrams;
mod field_cases;
mod port_file;
mod port_recordings;
mod port_serial;
mod port_session;
mod port_tcp;
mod profiles;
mod redact;
mod sml_properties;
mod sml_referee;
mod sml_support;
mod sml_variants;
mod unlock_calibrate;
mod unlock_harm;
mod unlock_lock;
mod unlock_plan;
mod unlock_pty;
mod unlock_simulated;
mod unlock_world;
mod virtual_meter;
mod virtual_meter_pty;
mod virtual_meter_shapes;
