//! A household's own outputs: what its meters show, for its own tools.
//!
//! Enters: readings of meters ([`Reading`]), what to publish and where ([`PublishConfig`]). Leaves:
//! messages, lines, files and answers for tools on the household's side. Absent: the spool, the Data
//! API, consent (whoever offers readings has checked it); meters' numbers, server ids and PINs.
//!
//! A [`Publisher`] is offered every reading. [`RegisterFilter`] drops what would make a register
//! fall, and each output takes a reading per meter and interval at most. Outputs work on threads of
//! their own and keep the newest reading of each meter only: [`Publisher::offer`] never waits.
//!
//! | feature | output |
//! |---|---|
//! | `mqtt` | MQTT, with Home Assistant's discovery |
//! | `influx` | InfluxDB's line protocol: to a file, standard output or a server |
//! | `prometheus` | Prometheus: a file for the textfile collector, or a port |
//! | `json` | a JSON value over HTTP on this machine |
//!
//! Without any there are configuration and filter alone, and an output that is configured is refused.
//!
//! ```
//! use ebp_publish::{Reading, RegisterFilter};
//!
//! let reading = |second: i64, kwh: &str| Reading {
//!     import_kwh: Some(kwh.parse().unwrap()),
//!     ..Reading::new(jiff::Timestamp::from_second(1_790_000_000 + second).unwrap())
//! };
//! let mut filter = RegisterFilter::new();
//! let passed = [(0, "100.51"), (1, "100.52"), (2, "99.00"), (3, "100.53"), (4, "100")]
//!     .map(|(second, kwh)| filter.judge(&reading(second, kwh)).is_ok());
//! // The first is published when the second has confirmed it; no fall, no coarse value after a fine one.
//! assert_eq!(passed, [false, true, false, true, false]);
//! ```

#[cfg(any(feature = "json", feature = "prometheus"))]
mod board;
pub mod config;
mod error;
mod filter;
#[cfg(feature = "influx")]
mod influx;
#[cfg(feature = "json")]
mod json;
#[cfg(any(feature = "json", feature = "prometheus"))]
mod listener;
#[cfg_attr(
    not(any(feature = "influx", feature = "json", feature = "mqtt", feature = "prometheus")),
    allow(dead_code, reason = "outputs take from it")
)]
mod mailbox;
#[cfg(feature = "mqtt")]
mod mqtt;
#[cfg_attr(
    not(any(feature = "influx", feature = "json", feature = "mqtt", feature = "prometheus")),
    allow(dead_code, reason = "outputs tell by it")
)]
mod notice;
mod output;
#[cfg(feature = "prometheus")]
mod prometheus;
mod publisher;
mod reading;
mod secret;
#[cfg(any(feature = "influx", feature = "mqtt"))]
mod trust;

pub use config::PublishConfig;
pub use error::PublishError;
pub use filter::{RegisterFilter, Withheld};
pub use notice::Notice;
pub use output::Output;
pub use publisher::Publisher;
pub use reading::{Meter, Reading};
pub use secret::Secret;
