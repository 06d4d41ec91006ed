//! What the server reaches for outside of itself: the key set of tokens, PostgreSQL by TLS.

#![allow(clippy::unwrap_used, reason = "what a test unwraps is what it asserts")]

mod key_set;
mod postgres_tls;

use ebp_testkit::cluster;
