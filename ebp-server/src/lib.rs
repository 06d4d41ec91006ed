//! The Data API of the `ebp` measurement system: the single source of truth for registrations,
//! consents, devices and measurements.
//!
//! Enters: requests over mutual TLS. Leaves: the contract's bodies, problems. Deliberately absent:
//! serial ports, the command line, geometry (`ebp-anon` knows it), and what is done when a household
//! is registered or revokes its consent ([`ebp_survey`]).
//!
//! A request is answered in this order: [`listener`](crate::serve()) (TLS, who is there), `router`
//! (which route, with which scope), [`auth`] (may they), `api` (what they asked for), [`ebp_survey`]
//! (what is done), [`ebp_store`] (what is known).
//!
//! Features: `germany` masks by Germany's regions where no others are configured; `export` makes the
//! survey's data set in a job.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::{path::Path, sync::Arc};
//! use ebp_core::clock::SystemClock;
//! use ebp_server::{Settings, serve};
//! use ebp_survey::authority::Authority;
//!
//! let clock = Arc::new(SystemClock);
//! let data = Path::new("/var/lib/ebp");
//! Authority::init(&data.join("authority"), "Survey 2026", clock.clone())?;
//! let settings = Settings::in_folder(data, vec!["ebp.example.org".into()], clock);
//! let listener = tokio::net::TcpListener::bind("[::]:8443").await?;
//! serve(settings, listener, std::future::pending()).await?;
//! # Ok(()) }
//! ```

pub mod alert;
mod answer;
mod api;
mod app;
mod as_problem;
pub mod auth;
mod config;
mod database_clock;
mod drain;
mod error;
mod job;
pub mod limit;
mod listener;
mod machine;
pub mod openapi;
mod overload;
mod problem;
mod releases;
mod request;
mod rollout;
mod router;
mod serve;
mod settings;
mod telemetry;
mod trace;
mod tunnel;
mod web;
mod web_settings;

#[doc(hidden)]
pub use api::measurement::read as read_upload;
pub use config::PREFIX as ENVIRONMENT_PREFIX;
pub use config::{
    AlertsConfig, ConfigError, EXAMPLE, GeocodingConfig, Length, Limit, LimitsConfig, LogFormat,
    ServerConfig, SurveyConfig, TimeOfDay, TokensConfig, TunnelConfig, WebConfig,
};
pub use error::ServeError;
pub use job::JobSettings;
pub use problem::ApiError;
pub use router::{Endpoint, endpoints};
pub use serve::{serve, serve_with_pages};
pub use settings::{Limits, Settings};
pub use tunnel::TunnelSettings;
pub use web::{OwnPages, PageParts, Pages};
pub use web_settings::{WebCertificate, WebSettings};
