//! What the server reaches for outside of itself: the key set of tokens, PostgreSQL by TLS.

#![allow(clippy::unwrap_used, reason = "what a test unwraps is what it asserts")]

#[allow(dead_code, reason = "the tests of the store use the rest")]
#[path = "../support/cluster.rs"]
mod cluster;
mod key_set;
mod postgres_tls;
