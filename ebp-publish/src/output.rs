//! The names of the outputs.

use std::fmt;

/// An output, by the name of its section in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Output {
    /// MQTT.
    Mqtt,
    /// InfluxDB's line protocol.
    Influx,
    /// Prometheus.
    Prometheus,
    /// JSON over HTTP.
    Json,
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mqtt => "mqtt",
            Self::Influx => "influx",
            Self::Prometheus => "prometheus",
            Self::Json => "json",
        })
    }
}
