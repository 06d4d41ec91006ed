//! The parts of the configuration: logging, tokens, geocoding, limits; and how log lines look.
//!
//! Enters: TOML. Leaves: values. Absent: what they mean to a server, which
//! [`ServerConfig`](super::ServerConfig) says.

use std::path::PathBuf;

use ebp_core::cycle::Cycle;
use serde::{Deserialize, Deserializer, de};

use crate::limit::Rate;

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// Which bearer tokens (JWT, EdDSA or ES256) are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokensConfig {
    /// What the claim `aud` has to be.
    #[serde(default)]
    pub audience: String,
    /// What the claim `iss` has to be, if anything.
    #[serde(default)]
    pub issuer: Option<String>,
    /// A file that holds the key set (RFC 7517), or the `https://` address of one.
    #[serde(default)]
    pub keys: String,
    /// The certificate authority (PEM) of that address, if the machine does not trust it.
    #[serde(default)]
    pub keys_ca: Option<PathBuf>,
    /// How often other sources may measure each meter; as often as devices without this.
    #[serde(default, deserialize_with = "cycle")]
    pub cycle: Option<Cycle>,
}

/// How the location of an address is found; one of `url` and `postal_codes`, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeocodingConfig {
    /// The address of a service like Nominatim.
    #[serde(default)]
    pub url: Option<String>,
    /// Whom the service's operator may write to.
    #[serde(default)]
    pub contact: Option<String>,
    /// A table of postal codes and their points (CSV), for what the service does not find.
    #[serde(default)]
    pub postal_codes: Option<PathBuf>,
}

/// The configurable part of [`Limits`](crate::Limits).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    /// Connections at the same time.
    pub connections: Option<usize>,
    /// Connections of one address at the same time; 0 is without bound.
    pub connections_per_address: Option<usize>,
    /// Requests a second of one client, in the long run; 0 is without bound.
    pub requests_per_second: Option<u32>,
    /// Requests of one client at once, after a pause.
    pub requests_burst: Option<u32>,
    /// Seconds for the TLS handshake.
    pub handshake_seconds: Option<u64>,
    /// Seconds for a request's headers, and for a kept connection to be idle.
    pub headers_seconds: Option<u64>,
    /// Seconds for a measurement device's kept connection to be idle.
    pub idle_seconds: Option<u64>,
    /// Seconds for a request's body to arrive.
    pub body_seconds: Option<u64>,
    /// Seconds for a request from its headers to its answer.
    pub request_seconds: Option<u64>,
    /// Seconds for requests in progress when the server is stopped.
    pub drain_seconds: Option<u64>,
    /// Tunnels of devices at the same time, which are not counted among connections.
    pub tunnels: Option<usize>,
    /// Measurements of a meter in percent of its slots since consent; 0 is without bound.
    pub slots_percent: Option<u32>,
}

/// How devices' tunnels are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TunnelConfig {
    /// Where the other servers of the database reach this one.
    #[serde(default)]
    pub url: Option<String>,
    /// Seconds that sessions may go on when the server is stopped.
    #[serde(default)]
    pub linger_seconds: Option<u64>,
    /// Whether the administrators' shared secret is enough to connect to devices.
    #[serde(default)]
    pub shared_secret: bool,
}

/// What clients on this machine reach a server by.
pub(super) fn default_hostnames() -> Vec<String> {
    ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec()
}

/// A cycle by its text, such as `15m`.
pub(super) fn cycle<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cycle>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(de::Error::custom)
}

/// A time zone by its IANA name.
pub(super) fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let name = String::deserialize(deserializer)?;
    let known = jiff::tz::TimeZone::get(&name);
    known.map_err(|_| {
        de::Error::custom("no time zone has this name: use one such as Europe/Berlin")
    })?;
    Ok(Some(name))
}

impl LimitsConfig {
    /// The rate of requests; absent where there is no bound.
    pub(super) fn rate(&self, default: Option<Rate>) -> Option<Rate> {
        let per_second = self.requests_per_second.or(default.map(|rate| rate.per_second))?;
        let burst = self.requests_burst.or(default.map(|rate| rate.burst))?;
        (per_second > 0).then_some(Rate { per_second, burst: burst.max(1) })
    }
}
