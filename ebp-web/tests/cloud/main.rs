//! The pages of researchers and administrators, asked as a browser asks them, over real stores.

#![allow(clippy::unwrap_used, reason = "what a test unwraps is what it asserts")]

mod attacks;
mod browser;
mod dates;
mod edit;
mod household;
mod households;
mod import;
mod look;
mod new;
mod pages;
mod permission;
#[path = "../support/switch.rs"]
mod reading;
mod report;
mod report_page;
mod session;
mod sign_in;
mod status;
mod switch;
mod wide;
mod world;
