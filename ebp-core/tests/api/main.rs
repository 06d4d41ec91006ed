//! The Data API's client against a small server of its own: certificates that either side does not
//! accept, problem documents, bodies.

#![cfg(feature = "client")]

mod authority;
mod request;
mod server;
mod tls;
