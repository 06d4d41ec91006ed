//! The configuration file of a measurement device.
//!
//! Enters: TOML. Leaves: [`DeviceConfig`], every value parsed. Absent: opening anything it names.

mod error;
mod values;

use std::{
    fs,
    num::NonZeroU16,
    path::{Path, PathBuf},
    time::Duration,
};

use ebp_client::ClientOptions;
use ebp_core::cycle::Cycle;
use ebp_errors::ErrorsConfig;
use ebp_fleet::tunnel::TunnelConfig;
use ebp_meter::{
    aggregator::Options, d0::Address, port::PortName, readout::Protocol, unlock::Method,
};
use ebp_publish::config::{InfluxConfig, JsonConfig, MqttConfig, PrometheusConfig, PublishConfig};
use ebp_update::UpdateConfig;
use serde::Deserialize;
use uuid::Uuid;

use crate::{clock::ClockSource, frontend::FrontendConfig, spool::SpoolOptions};
pub use error::ConfigError;
use values::{answer_timeout, duration, from_text, light, presses, protocol, room, spool_bytes};

/// A commented example with every default.
pub const EXAMPLE: &str = include_str!("device.example.toml");

/// The content of the file given as `--config FILE` to `ebp read` and `ebp transmit`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceConfig {
    /// The folder of the spool.
    pub spool: PathBuf,
    /// How large the spool may become, bytes.
    #[serde(default = "spool_bytes", deserialize_with = "room")]
    pub spool_max_bytes: u64,
    /// The folder where attempts to unlock are stored; by default that of `ebp unlock`.
    #[serde(default)]
    pub state: Option<PathBuf>,
    /// How it is determined whether the machine's clock is right.
    #[serde(default, deserialize_with = "from_text")]
    pub clock: ClockSource,
    /// The socket at which the measuring daemon answers other programs on this device; none if
    /// absent.
    #[serde(default)]
    pub socket: Option<PathBuf>,
    /// The Data API and this device's identity.
    pub api: Api,
    /// The intervals of measuring and sending.
    #[serde(default)]
    pub cycle: Cycles,
    /// The page that shows the household its data; no certificate is kept for one if absent.
    #[serde(default)]
    pub frontend: Option<FrontendConfig>,
    /// The tunnel by which administrators reach this device; none if absent.
    #[serde(default)]
    pub tunnel: Option<TunnelConfig>,
    /// Where errors of the device's programs are reported; nowhere by default.
    #[serde(default)]
    pub errors: ErrorsConfig,
    /// The file for node_exporter that says how the device is; none if absent.
    #[serde(default)]
    pub metrics_file: Option<PathBuf>,
    /// Its updates; none if absent.
    #[serde(default)]
    pub update: Option<UpdateConfig>,
    /// What its meters show, by MQTT for the household's own tools.
    #[serde(default)]
    pub mqtt: Option<MqttConfig>,
    /// The same as InfluxDB's lines.
    #[serde(default)]
    pub influx: Option<InfluxConfig>,
    /// The same for Prometheus.
    #[serde(default)]
    pub prometheus: Option<PrometheusConfig>,
    /// The same as JSON over HTTP on this device.
    #[serde(default)]
    pub json: Option<JsonConfig>,
    /// The meters it reads.
    #[serde(rename = "meter")]
    pub meters: Vec<MeterEntry>,
}

/// The Data API and this device's identity.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// The address, such as `https://ebp.example.org:8443`.
    pub url: String,
    /// The authority's certificate (PEM).
    pub ca: PathBuf,
    /// The device's certificate (PEM).
    pub certificate: PathBuf,
    /// The device's private key (PEM), readable by its owner only.
    pub key: PathBuf,
    /// The timeout for a whole response.
    #[serde(default = "answer_timeout", deserialize_with = "duration")]
    pub timeout: Duration,
}

/// The intervals of measuring and sending.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cycles {
    /// The measurement cycle.
    #[serde(deserialize_with = "from_text")]
    pub measurement: Cycle,
    /// The report cycle.
    #[serde(deserialize_with = "from_text")]
    pub report: Cycle,
    /// The timeout for a meter within a cycle.
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
    /// The number of slots in a row without detailed values before the PIN is entered.
    pub unlock_after: u32,
    /// The number of slots in a row without a telegram before the incident is reported.
    pub incident_after: u32,
}

impl Default for Cycles {
    fn default() -> Self {
        Self {
            measurement: Cycle::QUARTER_HOUR,
            report: Cycle::HOUR,
            timeout: Options::SURVEY.timeout,
            unlock_after: Options::SURVEY.unlock_after,
            incident_after: Options::SURVEY.incident_after,
        }
    }
}

/// A meter that the device reads.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeterEntry {
    /// Its identifier in the survey.
    pub uuid: Uuid,
    /// Its model's name.
    pub model: String,
    /// Where its reading head is.
    #[serde(deserialize_with = "from_text")]
    pub port: PortName,
    /// Its protocol; detected if absent.
    #[serde(default, deserialize_with = "protocol")]
    pub protocol: Option<Protocol>,
    /// Its speed in bits per second; detected if absent.
    #[serde(default)]
    pub baud: Option<u32>,
    /// Its address, for a meter that only answers requests with its address.
    #[serde(default)]
    pub address: Option<Address>,
    /// The file with its PIN, which only its owner may read.
    #[serde(default)]
    pub pin_file: Option<PathBuf>,
    /// The number of presses after the PIN at which its display shows `InF`, as its owner has
    /// counted them.
    #[serde(default, deserialize_with = "presses")]
    pub inf_presses: Option<u8>,
    /// How its head's light is switched.
    #[serde(default, deserialize_with = "light")]
    pub light: Method,
    /// Whether its head's light is on while the line is idle, and off in a break.
    #[serde(default)]
    pub inverted: bool,
    /// Whether its head's USB device may be reset when it hangs.
    #[serde(default)]
    pub reset_usb: bool,
    /// The maximum current that is printed on it, amperes, if it differs from the model's.
    #[serde(default)]
    pub max_current_a: Option<NonZeroU16>,
}

impl MeterEntry {
    /// A meter of that model at that port, with defaults for everything else.
    #[must_use]
    pub const fn new(uuid: Uuid, model: String, port: PortName) -> Self {
        Self {
            uuid,
            model,
            port,
            protocol: None,
            baud: None,
            address: None,
            pin_file: None,
            inf_presses: None,
            light: Method::Auto,
            inverted: false,
            reset_usb: false,
            max_current_a: None,
        }
    }
}

impl Api {
    /// The Data API at that address, with those files.
    #[must_use]
    pub fn new(url: String, ca: PathBuf, certificate: PathBuf, key: PathBuf) -> Self {
        Self { url, ca, certificate, key, timeout: answer_timeout() }
    }

    /// The settings of its client.
    pub fn client_options(&self) -> ClientOptions {
        ClientOptions { timeout: self.timeout, ..ClientOptions::default() }
    }
}

impl DeviceConfig {
    /// A configuration with a spool in that folder, an API and meters, with defaults for everything
    /// else.
    #[must_use]
    pub fn new(spool: PathBuf, api: Api, meters: Vec<MeterEntry>) -> Self {
        Self {
            spool,
            spool_max_bytes: spool_bytes(),
            state: None,
            clock: ClockSource::default(),
            socket: None,
            api,
            cycle: Cycles::default(),
            frontend: None,
            tunnel: None,
            errors: ErrorsConfig::default(),
            metrics_file: None,
            update: None,
            mqtt: None,
            influx: None,
            prometheus: None,
            json: None,
            meters,
        }
    }

    /// Reads the file; paths in it that are not absolute are taken from its folder.
    ///
    /// # Errors
    /// Returns [`ConfigError`] when the file cannot be read, or a value in it is wrong.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let mut config: Self = toml::from_str(&text).map_err(|error| wrong(path, &text, &error))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        for file in [
            &mut config.spool,
            &mut config.api.ca,
            &mut config.api.certificate,
            &mut config.api.key,
        ] {
            *file = folder.join(&file);
        }
        config.state = config.state.map(|state| folder.join(state));
        config.socket = config.socket.map(|socket| folder.join(socket));
        if let Some(frontend) = &mut config.frontend {
            frontend.folder = folder.join(&frontend.folder);
        }
        if let Some(tunnel) = &mut config.tunnel {
            tunnel.socket = tunnel.socket.take().map(|socket| folder.join(socket));
            tunnel.host_keys = folder.join(&tunnel.host_keys);
        }
        config.metrics_file = config.metrics_file.map(|file| folder.join(file));
        config.errors.relative_to(folder);
        if let Some(update) = &mut config.update {
            for file in [&mut update.source, &mut update.root, &mut update.authority] {
                *file = file.take().map(|file| folder.join(file));
            }
            // An address stays as it is.
            update.repository = update.repository.take().map(|repository| {
                let is_folder = !repository.contains("://");
                if is_folder { folder.join(repository).display().to_string() } else { repository }
            });
        }
        for file in config.output_files() {
            *file = folder.join(&file);
        }
        for meter in &mut config.meters {
            if let PortName::Path(port) = &mut meter.port {
                *port = folder.join(&port);
            }
            meter.pin_file = meter.pin_file.take().map(|file| folder.join(file));
        }
        config.check(path)?;
        Ok(config)
    }

    /// The outputs for the household's own tools; none by default.
    #[must_use]
    pub fn publish(&self) -> PublishConfig {
        PublishConfig {
            mqtt: self.mqtt.clone(),
            influx: self.influx.clone(),
            prometheus: self.prometheus.clone(),
            json: self.json.clone(),
        }
    }

    /// The files that outputs read and write.
    fn output_files(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let mqtt = self.mqtt.iter_mut().flat_map(|own| [&mut own.ca, &mut own.password_file]);
        let influx = self.influx.iter_mut().flat_map(|own| {
            let InfluxConfig { to, ca, password_file, .. } = own;
            [ca.as_mut(), password_file.as_mut(), to.file_mut()]
        });
        let prometheus = self.prometheus.iter_mut().map(|own| &mut own.file);
        mqtt.chain(prometheus).flatten().chain(influx.flatten())
    }

    /// The options of the spool.
    pub fn spool_options(&self) -> SpoolOptions {
        SpoolOptions { max_bytes: self.spool_max_bytes, ..SpoolOptions::default() }
    }

    fn check(&self, path: &Path) -> Result<(), ConfigError> {
        if self.meters.is_empty() {
            return Err(ConfigError::NoMeter(path.to_owned()));
        }
        for (i, meter) in self.meters.iter().enumerate() {
            if meter.inf_presses.is_some() && meter.pin_file.is_none() {
                let (path, meter) = (path.to_owned(), meter.uuid);
                return Err(ConfigError::InfWithoutPin { path, meter });
            }
            for other in &self.meters[..i] {
                if meter.uuid == other.uuid {
                    let (path, meter) = (path.to_owned(), meter.uuid);
                    return Err(ConfigError::MeterTwice { path, meter });
                }
                if meter.port == other.port {
                    let (path, port) = (path.to_owned(), meter.port.clone());
                    return Err(ConfigError::SharedPort { path, port });
                }
            }
        }
        Ok(())
    }
}

/// A TOML error on one line, with file and line number.
fn wrong(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let line =
        error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    let reason = error.message().replace('\n', "; ");
    ConfigError::Wrong { path: path.to_owned(), line, reason }
}

#[cfg(test)]
mod tests;
