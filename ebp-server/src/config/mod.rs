//! The server's configuration file.
//!
//! Enters: TOML, variables of the environment. Leaves: [`Settings`]. Absent: defaults that depend
//! on the machine; the command line, which beats both.
//!
//! ```toml
//! listen = "[::]:8443"
//! data = "/var/lib/ebp"                 # relative to the file's own folder
//! hostnames = ["ebp.example.org"]
//! # authority = "/etc/ebp/authority"    # otherwise in `data`
//! # database_url = "postgres://ebp@db.example.org/ebp"   # otherwise SQLite, in `data`
//! # database_ca = "/etc/ebp/db-ca.pem"   # the certificate authority of PostgreSQL's server
//! # database_connections = 8
//! # secrets = "/run/secrets/ebp.toml"   # otherwise in `data`
//! # regions = "regions.ebpgeo"         # otherwise households are masked by Germany's, built in
//!
//! [limits]                              # all optional
//! connections = 1024
//! ```

mod alerts;
mod environment;
mod error;
mod example;
mod survey;
mod tables;
#[cfg(test)]
mod tests;
mod web;

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ebp_core::{clock::Clock, cycle::Cycle, private_file};
use ebp_errors::ErrorsConfig;
use serde::Deserialize;

use ebp_store::{Database, DatabaseUrl, PostgresSettings, Quota, SurveyCycles};
use ebp_survey::geocoding::GeocodingSettings;

use crate::{
    auth::{KeySource, TokenSettings},
    settings::{Limits, Settings},
    tunnel::TunnelSettings,
};

pub use alerts::{AlertsConfig, Length, Limit, TimeOfDay};
pub use environment::PREFIX;
pub use error::ConfigError;
pub use example::EXAMPLE;
pub use survey::SurveyConfig;
pub use tables::{GeocodingConfig, LimitsConfig, LogFormat, TokensConfig, TunnelConfig};
pub use web::WebConfig;

/// The configuration of `ebp serve`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Where to listen.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// The folder of database and certificates.
    #[serde(default)]
    pub data: PathBuf,
    /// How log lines look.
    #[serde(default)]
    pub log: LogFormat,
    /// The authority's folder, if it is not in `data`.
    #[serde(default)]
    pub authority: Option<PathBuf>,
    /// The PostgreSQL database, if it is not SQLite in `data`.
    #[serde(default)]
    pub database_url: Option<DatabaseUrl>,
    /// The certificate authority (PEM) of PostgreSQL's server.
    #[serde(default)]
    pub database_ca: Option<PathBuf>,
    /// Connections to PostgreSQL at the same time.
    #[serde(default)]
    pub database_connections: Option<usize>,
    /// The file of the shared secrets' hashes, if it is not in `data`.
    #[serde(default)]
    pub secrets: Option<PathBuf>,
    /// The compact file of regions that households are masked by when they revoke their consent;
    /// without it they are masked by Germany's, which the program carries.
    #[serde(default)]
    pub regions: Option<PathBuf>,
    /// The folder of the repository of the program's releases: until when its roles are valid is a
    /// metric. None without this.
    #[serde(default)]
    pub releases: Option<PathBuf>,
    /// How the location of an address is found that is registered without one.
    #[serde(default)]
    pub geocoding: Option<GeocodingConfig>,
    /// Host names and IP addresses that clients reach the server by.
    #[serde(default = "tables::default_hostnames")]
    pub hostnames: Vec<String>,
    /// The survey's measurement cycle; a quarter of an hour without this.
    #[serde(default, deserialize_with = "tables::cycle")]
    pub cycle: Option<Cycle>,
    /// The survey's time zone; Europe/Berlin without this.
    #[serde(default, deserialize_with = "tables::zone")]
    pub zone: Option<String>,
    /// The survey's report cycle; an hour without this.
    #[serde(default, deserialize_with = "tables::cycle")]
    pub report_cycle: Option<Cycle>,
    /// Which bearer tokens are accepted; none without this.
    #[serde(default)]
    pub tokens: Option<TokensConfig>,
    /// What the survey says of itself, and what participants agree to.
    #[serde(default)]
    pub survey: Option<SurveyConfig>,
    /// Bounds of what clients may take up.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// How devices are watched and administrators are told; not at all without this.
    #[serde(default)]
    pub alerts: Option<AlertsConfig>,
    /// How devices' tunnels are kept.
    #[serde(default)]
    pub tunnel: TunnelConfig,
    /// Where the server's errors are reported; nowhere by default.
    #[serde(default)]
    pub errors: ErrorsConfig,
    /// The pages of researchers and administrators; none without this.
    #[serde(default)]
    pub web: Option<WebConfig>,
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8443))
}

impl ServerConfig {
    /// The configuration of a server that has only a folder.
    #[must_use]
    pub fn in_folder(data: &Path) -> Self {
        Self {
            listen: default_listen(),
            data: data.to_owned(),
            log: LogFormat::default(),
            authority: None,
            database_url: None,
            database_ca: None,
            database_connections: None,
            secrets: None,
            regions: None,
            releases: None,
            geocoding: None,
            hostnames: tables::default_hostnames(),
            cycle: None,
            zone: None,
            report_cycle: None,
            tokens: None,
            survey: None,
            limits: LimitsConfig::default(),
            alerts: None,
            tunnel: TunnelConfig::default(),
            errors: ErrorsConfig::default(),
            web: None,
        }
    }

    /// Reads a configuration file, if there is one, and what the environment's variables say
    /// instead. Relative paths are relative to the file's folder, wherever they are said. Without a
    /// file everything has a default, and the data folder is `ebp-data`. A data folder from the
    /// command line beats both, and is relative to the working directory.
    ///
    /// # Errors
    /// If something cannot be read or is not known; names the file and the line, or the variable.
    pub fn load(
        file: Option<&Path>,
        variables: &[(String, String)],
        data: Option<&Path>,
    ) -> Result<Self, ConfigError> {
        match file {
            Some(path) => {
                let file = |source| ConfigError::File { path: path.to_owned(), source };
                let (text, exposed) = private_file::read_anyway(path).map_err(file)?;
                let text = String::from_utf8(text)
                    .map_err(|error| file(io::Error::new(io::ErrorKind::InvalidData, error)))?;
                // Whatever replaces it: the password is set.
                let own: Option<Self> = toml::from_str(&text).ok();
                let url = own.and_then(|own| own.database_url);
                if let Some(exposed) = exposed
                    && url.is_some_and(|url| url.has_password())
                {
                    return Err(exposed.into());
                }
                Self::assemble(&text, path, variables, data)
            }
            None => Self::assemble("data = \"ebp-data\"", Path::new(""), variables, data),
        }
    }

    /// From the text of a configuration file that lies at `path`, and variables.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn assemble(
        text: &str,
        path: &Path,
        variables: &[(String, String)],
        data: Option<&Path>,
    ) -> Result<Self, ConfigError> {
        let content = |source| ConfigError::Content { path: path.to_owned(), source };
        // Parsed alone first, so that its errors have a line.
        let mut config: Self = toml::from_str(text).map_err(content)?;
        let mut table = toml::from_str(text).map_err(content)?;
        let applied = environment::apply(&mut table, variables)?;
        if !applied.is_empty() {
            config = serde_path_to_error::deserialize(table).map_err(|error| {
                let key = error.path().to_string();
                let variable = applied.get(&key).cloned().unwrap_or(key);
                ConfigError::Variable { variable, reason: error.into_inner().to_string() }
            })?;
        }
        if let Some(data) = data {
            data.clone_into(&mut config.data);
        }
        config.complete()?;
        config.relative_to(path.parent().unwrap_or(Path::new("")));
        if let Some(data) = data {
            data.clone_into(&mut config.data);
        }
        Ok(config)
    }

    /// Checks that every setting without a default is given.
    fn complete(&self) -> Result<(), ConfigError> {
        let (tokens, survey) = (self.tokens.as_ref(), self.survey.as_ref());
        for (key, missing) in [
            ("data", self.data == Path::new("")),
            ("tokens.audience", tokens.is_some_and(|tokens| tokens.audience.is_empty())),
            ("tokens.keys", tokens.is_some_and(|tokens| tokens.keys.is_empty())),
            ("survey.name", survey.is_some_and(|survey| survey.name.is_empty())),
            ("survey.controller", survey.is_some_and(|survey| survey.controller.is_empty())),
        ] {
            if missing {
                return Err(ConfigError::Missing { key, variable: environment::variable(key) });
            }
        }
        self.web.as_ref().map_or(Ok(()), WebConfig::check)?;
        self.alerts.as_ref().map_or(Ok(()), AlertsConfig::check)
    }

    fn relative_to(&mut self, folder: &Path) {
        self.data = folder.join(&self.data);
        let rest = [
            &mut self.authority,
            &mut self.database_ca,
            &mut self.secrets,
            &mut self.regions,
            &mut self.releases,
        ];
        for path in rest.into_iter().flatten() {
            *path = folder.join(&*path);
        }
        if let Some(survey) = &mut self.survey {
            survey.texts = survey.texts.take().map(|path| folder.join(path));
            survey.quarter_prices = survey.quarter_prices.take().map(|path| folder.join(path));
        }
        if let Some(geocoding) = &mut self.geocoding {
            geocoding.postal_codes = geocoding.postal_codes.take().map(|path| folder.join(path));
        }
        if let Some(tokens) = &mut self.tokens {
            if !tokens.keys.contains("://") {
                tokens.keys = folder.join(&tokens.keys).display().to_string();
            }
            tokens.keys_ca = tokens.keys_ca.take().map(|authority| folder.join(authority));
        }
        if let Some(alerts) = &mut self.alerts {
            alerts.relative_to(folder);
        }
        self.errors.relative_to(folder);
        if let Some(web) = &mut self.web {
            web.relative_to(folder);
        }
    }

    /// How many measurements of a meter are stored; any number where that is 0 percent.
    fn quota(&self) -> Option<Quota> {
        let devices = self.cycle.unwrap_or(Cycle::QUARTER_HOUR);
        let tokens = self.tokens.as_ref().and_then(|tokens| tokens.cycle).unwrap_or(devices);
        let percent = self.limits.slots_percent.unwrap_or(Quota::PERCENT);
        (percent > 0).then_some(Quota { devices, tokens, percent })
    }

    /// The settings of [`serve`](crate::serve()).
    #[must_use]
    pub fn settings(&self, clock: Arc<dyn Clock>) -> Settings {
        let mut settings = Settings::in_folder(&self.data, self.hostnames.clone(), clock);
        settings.trust_database_clock = true;
        if let Some(errors) = &self.errors.folder {
            settings.errors.clone_from(errors);
        }
        if let Some(authority) = &self.authority {
            settings.authority.clone_from(authority);
        }
        if let Some(url) = &self.database_url {
            settings.database = Database::Postgres(PostgresSettings {
                url: url.clone(),
                authority: self.database_ca.clone(),
                connections: self.database_connections.unwrap_or(PostgresSettings::CONNECTIONS),
            });
        }
        if let Some(secrets) = &self.secrets {
            settings.secrets.clone_from(secrets);
        }
        settings.masking.regions.clone_from(&self.regions);
        settings.releases.clone_from(&self.releases);
        settings.geocoding = self.geocoding.clone().map(|geocoding| {
            settings.masking.postal_codes.clone_from(&geocoding.postal_codes);
            GeocodingSettings {
                url: geocoding.url,
                contact: geocoding.contact,
                postal_codes: geocoding.postal_codes,
                cache: self.data.join("geocoding"),
            }
        });
        settings.tokens = self.tokens.clone().map(|tokens| TokenSettings {
            audience: tokens.audience,
            issuer: tokens.issuer,
            keys: if tokens.keys.contains("://") {
                KeySource::Url { url: tokens.keys, authority: tokens.keys_ca }
            } else {
                KeySource::File(tokens.keys.into())
            },
        });
        if let Some(zone) = &self.zone {
            settings.zone.clone_from(zone);
        }
        settings.quota = self.quota();
        if let Some(survey) = &self.survey {
            settings.survey = survey.information();
            settings.texts.clone_from(&survey.texts);
            settings.quarter_prices.clone_from(&survey.quarter_prices);
        }
        settings.cycles = SurveyCycles::new(self.cycle, self.report_cycle);
        // What cannot be used was found when the configuration was read.
        settings.alerts = self.alerts.as_ref().and_then(|alerts| alerts.settings().ok());
        settings.web = self.web.as_ref().map(|web| web.settings(&self.hostnames));
        let seconds = |given: Option<u64>, default| given.map_or(default, Duration::from_secs);
        let tunnel = TunnelSettings::default();
        settings.tunnel = TunnelSettings {
            url: self.tunnel.url.clone(),
            linger: seconds(self.tunnel.linger_seconds, tunnel.linger),
            shared_secret: self.tunnel.shared_secret,
            most: self.limits.tunnels.unwrap_or(tunnel.most),
        };
        let (given, default) = (&self.limits, Limits::default());
        let connections = given.connections.unwrap_or(default.connections);
        settings.limits = Limits {
            connections,
            // A quarter of them, but for where there are hardly any.
            connections_per_address: given
                .connections_per_address
                .unwrap_or_else(|| (connections / 4).max(8)),
            rate: given.rate(default.rate),
            handshake: seconds(given.handshake_seconds, default.handshake),
            headers: seconds(given.headers_seconds, default.headers),
            idle: seconds(given.idle_seconds, default.idle),
            body: seconds(given.body_seconds, default.body),
            request: seconds(given.request_seconds, default.request),
            drain: seconds(given.drain_seconds, default.drain),
            ..default
        };
        settings
    }
}
