//! The options of `ebp read --watch` for the household's own tools.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use ebp_publish::{
    PublishConfig, Secret,
    config::{
        BrokerAddress, INFLUX_PASSWORD, InfluxConfig, InfluxTarget, JsonConfig, LocalAddress,
        MQTT_PASSWORD, MqttConfig, PrometheusConfig,
    },
};

use crate::exit::{CommandResult, Failure};

/// The outputs.
#[derive(Debug, clap::Args)]
pub struct Outputs {
    /// Publish to this MQTT broker, with Home Assistant's discovery: mqtt://HOST, or mqtts:// for TLS;
    /// mqtt://USER@HOST:PORT with a user or another port.
    ///
    /// The password is read from --mqtt-password-file or of the environment (EBP_MQTT_PASSWORD).
    #[arg(long, value_name = "URL", requires = "watch")]
    mqtt: Option<String>,

    /// The authority of the broker's certificate (PEM); without it those of the machine count.
    #[arg(long, value_name = "FILE", requires = "mqtt")]
    mqtt_ca: Option<PathBuf>,

    /// The file with the broker's password, which only its owner may read.
    #[arg(long, value_name = "FILE", requires = "mqtt")]
    mqtt_password_file: Option<PathBuf>,

    /// Write InfluxDB's lines to a server's address (http://HOST:8086/write?db=NAME), a file, or -
    /// for standard output, in place of what is printed otherwise.
    ///
    /// Password or token are read of --influx-password-file or of the environment
    /// (EBP_INFLUX_PASSWORD).
    #[arg(long, value_name = "TO", requires = "watch")]
    influx: Option<String>,

    /// The user of InfluxDB; without one the file has a token.
    #[arg(long, value_name = "USER", requires = "influx")]
    influx_user: Option<String>,

    /// The file with the password or token, which only its owner may read.
    #[arg(long, value_name = "FILE", requires = "influx")]
    influx_password_file: Option<PathBuf>,

    /// The authority of the server's certificate (PEM); without it those of the machine count.
    #[arg(long, value_name = "FILE", requires = "influx")]
    influx_ca: Option<PathBuf>,

    /// Write a file for Prometheus' textfile collector; its name ends with .prom.
    #[arg(long, value_name = "FILE", requires = "watch")]
    prometheus: Option<PathBuf>,

    /// Answer Prometheus at /metrics of this address.
    #[arg(long, value_name = "ADDRESS:PORT", requires = "watch")]
    prometheus_listen: Option<SocketAddr>,

    /// Answer JSON over HTTP at this address of this machine, such as 127.0.0.1:8075.
    #[arg(long, value_name = "ADDRESS:PORT", requires = "watch")]
    json_listen: Option<LocalAddress>,

    /// Publish the meter this often at most.
    #[arg(
        long, default_value = "10s", value_name = "DURATION", requires = "watch",
        value_parser = humantime::parse_duration
    )]
    publish_every: Duration,
}

impl Outputs {
    /// As a device's configuration has them.
    ///
    /// Addresses are parsed here: clap would repeat a password that one of them has.
    pub fn config(&self) -> Result<PublishConfig, Failure> {
        let url = self.mqtt.as_deref().map(str::parse::<BrokerAddress>).transpose();
        let url = url.map_err(|error| Failure::usage(format!("--mqtt: {error}")))?;
        let to = self.influx.as_deref().map(str::parse::<InfluxTarget>).transpose();
        let to = to.map_err(|error| Failure::usage(format!("--influx: {error}")))?;
        let mqtt = url.map(|url| MqttConfig {
            ca: self.mqtt_ca.clone(),
            password_file: self.mqtt_password_file.clone(),
            password: secret(MQTT_PASSWORD),
            interval: self.publish_every,
            ..MqttConfig::new(url)
        });
        let influx = to.map(|to| InfluxConfig {
            ca: self.influx_ca.clone(),
            user: self.influx_user.clone(),
            password_file: self.influx_password_file.clone(),
            password: secret(INFLUX_PASSWORD),
            interval: self.publish_every,
            ..InfluxConfig::new(to)
        });
        let is_asked = self.prometheus.is_some() || self.prometheus_listen.is_some();
        let prometheus = is_asked.then(|| PrometheusConfig {
            file: self.prometheus.clone(),
            listen: self.prometheus_listen,
            interval: self.publish_every,
        });
        let json = self
            .json_listen
            .map(|listen| JsonConfig { interval: self.publish_every, ..JsonConfig::new(listen) });
        Ok(PublishConfig { mqtt, influx, prometheus, json })
    }

    /// Whether standard output has InfluxDB's lines.
    pub fn takes_standard_output(&self) -> bool {
        self.influx.as_deref() == Some("-")
    }

    /// Refuses what has no meaning.
    pub fn check(&self) -> CommandResult {
        if self.publish_every < Duration::from_secs(1) {
            return Err(Failure::usage("--publish-every is too short")
                .remedy("write 1s or more: meters send once a second"));
        }
        self.config().map(drop)
    }
}

fn secret(variable: &str) -> Option<Secret> {
    std::env::var(variable).ok().filter(|text| !text.is_empty()).map(Secret::new)
}
