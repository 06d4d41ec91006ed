//! What to publish and where: the sections `[mqtt]`, `[influx]`, `[prometheus]` and `[json]` of a
//! device's configuration, every value parsed.
//!
//! Enters: TOML, or what `ebp read --watch` was given. Leaves: [`PublishConfig`]. Absent: opening
//! anything it names; defaults that switch an output on.

mod address;
mod values;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use serde::Deserialize;

use crate::secret::Secret;
#[cfg(feature = "influx")]
pub(crate) use address::host_and_port;
pub use address::{AddressError, BrokerAddress, InfluxTarget};
pub use values::{LocalAddress, Prefix, ValueError};
use values::{default_interval, default_prefix, default_topic, duration, from_text};

/// The environment variable with the password of MQTT, for `ebp read --watch`.
pub const MQTT_PASSWORD: &str = "EBP_MQTT_PASSWORD";
/// The environment variable with the password or token of InfluxDB, for `ebp read --watch`.
pub const INFLUX_PASSWORD: &str = "EBP_INFLUX_PASSWORD";

/// Which outputs there are; none by default.
#[derive(Debug, Clone, Default)]
pub struct PublishConfig {
    /// MQTT.
    pub mqtt: Option<MqttConfig>,
    /// InfluxDB's line protocol.
    pub influx: Option<InfluxConfig>,
    /// Prometheus.
    pub prometheus: Option<PrometheusConfig>,
    /// JSON over HTTP.
    pub json: Option<JsonConfig>,
}

impl PublishConfig {
    /// Whether there is no output.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.mqtt.is_none()
            && self.influx.is_none()
            && self.prometheus.is_none()
            && self.json.is_none()
    }

    /// How often the most frequent output wants a reading of each meter.
    #[must_use]
    pub fn interval(&self) -> Option<Duration> {
        [
            self.mqtt.as_ref().map(|own| own.interval),
            self.influx.as_ref().map(|own| own.interval),
            self.prometheus.as_ref().map(|own| own.interval),
            self.json.as_ref().map(|own| own.interval),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

/// The section `[mqtt]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MqttConfig {
    /// The broker.
    #[serde(deserialize_with = "from_text")]
    pub url: BrokerAddress,
    /// The authority of the broker's certificate (PEM); those of the machine if absent.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// The user, unless the address names one.
    #[serde(default)]
    pub user: Option<String>,
    /// The file with the user's password, which only its owner may read.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// The password itself: never of a file of settings.
    #[serde(skip)]
    pub password: Option<Secret>,
    /// Each meter is published this often at most.
    #[serde(default = "default_interval", deserialize_with = "duration")]
    pub interval: Duration,
    /// What topics begin with.
    #[serde(default = "default_topic", deserialize_with = "from_text")]
    pub topic: Prefix,
    /// What the topics of Home Assistant's discovery begin with.
    #[serde(default = "default_prefix", deserialize_with = "from_text")]
    pub discovery: Prefix,
}

impl MqttConfig {
    /// That broker, with defaults for everything else.
    #[must_use]
    pub fn new(url: BrokerAddress) -> Self {
        Self {
            url,
            ca: None,
            user: None,
            password_file: None,
            password: None,
            interval: default_interval(),
            topic: default_topic(),
            discovery: default_prefix(),
        }
    }
}

/// The section `[influx]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InfluxConfig {
    /// Where lines go: a server's address to write to, a file, or `-`.
    #[serde(deserialize_with = "from_text")]
    pub to: InfluxTarget,
    /// The authority of the server's certificate (PEM); those of the machine if absent.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// The user; without one the file has a token.
    #[serde(default)]
    pub user: Option<String>,
    /// The file with the user's password, or the token, which only its owner may read.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// The password or token itself: never of a file of settings.
    #[serde(skip)]
    pub password: Option<Secret>,
    /// Each meter is published this often at most.
    #[serde(default = "default_interval", deserialize_with = "duration")]
    pub interval: Duration,
}

impl InfluxConfig {
    /// That target, with defaults for everything else.
    #[must_use]
    pub fn new(to: InfluxTarget) -> Self {
        let interval = default_interval();
        Self { to, ca: None, user: None, password_file: None, password: None, interval }
    }
}

/// The section `[prometheus]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrometheusConfig {
    /// The file in the folder of node_exporter's textfile collector; its name ends with `.prom`.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// Where to answer `/metrics`; nowhere if absent.
    #[serde(default)]
    pub listen: Option<SocketAddr>,
    /// Each meter is published this often at most.
    #[serde(default = "default_interval", deserialize_with = "duration")]
    pub interval: Duration,
}

impl PrometheusConfig {
    /// Neither file nor port yet, with defaults for everything else.
    #[must_use]
    pub fn new() -> Self {
        Self { file: None, listen: None, interval: default_interval() }
    }
}

impl Default for PrometheusConfig {
    fn default() -> Self {
        Self::new()
    }
}

/// The section `[json]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonConfig {
    /// Where to answer, on this machine only.
    #[serde(deserialize_with = "from_text")]
    pub listen: LocalAddress,
    /// Each meter is published this often at most.
    #[serde(default = "default_interval", deserialize_with = "duration")]
    pub interval: Duration,
}

impl JsonConfig {
    /// At that address, with defaults for everything else.
    #[must_use]
    pub fn new(listen: LocalAddress) -> Self {
        Self { listen, interval: default_interval() }
    }
}

#[cfg(test)]
mod tests;
