//! The participant's page over plain HTTP and in a browser, against doubles of the survey's server and
//! the measuring daemon.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

mod attacks;
mod browser;
mod consent;
mod dates;
mod driver;
mod lifelike;
mod message;
mod openapi;
mod pages;
#[path = "../support/switch.rs"]
mod reading;
mod remote_access;
mod sign_in;
mod states;
mod switch;
mod wire;
#[allow(dead_code, reason = "the tests of defences use the rest")]
mod world;
