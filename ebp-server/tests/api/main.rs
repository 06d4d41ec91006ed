//! The Data API from outside: a real server, real TLS, real certificates.

#![allow(clippy::unwrap_used, reason = "what a test unwraps is what it asserts")]

mod access;
mod consent;
mod enrolment;
mod harness;
mod household;
mod identity;
mod incident;
mod management;
mod measurement_list;
mod measurement_upload;
mod scope;
mod server;
mod token;
