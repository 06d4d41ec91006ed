//! The Data API's client against a small server of its own: certificates that either side does not
//! accept, problem documents, bodies.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

mod authority;
mod request;
mod server;
mod tls;
