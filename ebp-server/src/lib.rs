//! The Data API of the `ebp` measurement system: the single source of truth for registrations,
//! consents, devices and measurements.
//!
//! Enters: requests over mutual TLS, registrations, an administrator's orders to the certificate
//! authority. Leaves: the contract's bodies, certificates. Deliberately absent: serial ports,
//! the command line, geometry (`ebp-anon` knows it).
//!
//! A request is answered in this order: [`listener`](crate::serve()) (TLS, who is there), `router`
//! (which route, with which scope), [`auth`] (may they), `api` (what they asked for), [`ebp_store`]
//! (what is known).
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::{path::Path, sync::Arc};
//! use ebp_core::clock::SystemClock;
//! use ebp_server::{Settings, authority::Authority, serve};
//!
//! let clock = Arc::new(SystemClock);
//! let data = Path::new("/var/lib/ebp");
//! Authority::init(&data.join("authority"), "Survey 2026", clock.clone())?;
//! let settings = Settings::in_folder(data, vec!["ebp.example.org".into()], clock);
//! let listener = tokio::net::TcpListener::bind("[::]:8443").await?;
//! serve(settings, listener, std::future::pending()).await?;
//! # Ok(()) }
//! ```

mod api;
mod app;
pub mod auth;
pub mod authority;
mod config;
mod database_clock;
mod drain;
mod error;
pub mod geocoding;
pub mod limit;
mod listener;
pub mod masking;
pub mod openapi;
mod overload;
mod problem;
mod revocations;
mod router;
mod serve;
mod settings;
mod telemetry;

#[doc(hidden)]
pub use api::measurement::read as read_upload;
pub(crate) use app::App;
pub use config::PREFIX as ENVIRONMENT_PREFIX;
pub use config::{
    ConfigError, EXAMPLE, GeocodingConfig, LimitsConfig, LogFormat, ServerConfig, TokensConfig,
};
pub use error::ServeError;
pub use problem::ApiError;
pub use revocations::{
    Applied, InvalidLine, KeptRevocations, KeptRevocationsError, Revocations, issued,
};
pub use router::{Endpoint, endpoints};
pub use serve::serve;
pub use settings::{Limits, Settings};
