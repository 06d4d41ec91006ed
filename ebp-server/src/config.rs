//! The server's configuration file.
//!
//! Enters: TOML. Leaves: [`Settings`]. Absent: defaults that depend on the machine.
//!
//! ```toml
//! listen = "[::]:8443"
//! data = "/var/lib/ebp"                 # relative to the file's own folder
//! hostnames = ["ebp.example.org"]
//! # authority = "/etc/ebp/authority"    # otherwise in `data`
//! # database_url = "postgres://ebp@db.example.org/ebp"   # otherwise SQLite, in `data`
//! # database_ca = "/etc/ebp/db-ca.pem"   # whose certificate vouches for PostgreSQL's server
//! # database_connections = 8
//! # secrets = "/run/secrets/ebp.toml"   # otherwise in `data`
//! # regions = "regions.ebpgeo"         # by what households are masked that revoke consent
//!
//! [limits]                              # all optional
//! connections = 1024
//! ```

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ebp_core::clock::Clock;
use serde::Deserialize;

use crate::{
    auth::{KeySource, TokenSettings},
    geocoding::GeocodingSettings,
    settings::{Limits, Settings},
    store::{Database, DatabaseUrl, PostgresSettings},
};

/// A commented example that says what the defaults are.
pub const EXAMPLE: &str = include_str!("server.example.toml");

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no TOML, or a key is unknown, missing or not of its form.
    #[error("{}, {source}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What and in which line.
        source: toml::de::Error,
    },
}

/// The configuration of `ebp serve`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Where to listen.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// The folder of database and certificates.
    pub data: PathBuf,
    /// The authority's folder, if it is not in `data`.
    #[serde(default)]
    pub authority: Option<PathBuf>,
    /// The PostgreSQL database, if it is not SQLite in `data`.
    #[serde(default)]
    pub database_url: Option<DatabaseUrl>,
    /// The authority (PEM) that vouches for PostgreSQL's server.
    #[serde(default)]
    pub database_ca: Option<PathBuf>,
    /// Connections to PostgreSQL at the same time.
    #[serde(default)]
    pub database_connections: Option<usize>,
    /// The file of the shared secrets' hashes, if it is not in `data`.
    #[serde(default)]
    pub secrets: Option<PathBuf>,
    /// The compact file of regions that households are masked by when they revoke their consent;
    /// without it they are withheld.
    #[serde(default)]
    pub regions: Option<PathBuf>,
    /// The release key's file, if it is not in `data`.
    #[serde(default)]
    pub release_key: Option<PathBuf>,
    /// How the location of an address is found that is registered without one.
    #[serde(default)]
    pub geocoding: Option<GeocodingConfig>,
    /// Host names and IP addresses that clients reach the server by.
    #[serde(default = "default_hostnames")]
    pub hostnames: Vec<String>,
    /// Which bearer tokens are accepted; none without this.
    #[serde(default)]
    pub tokens: Option<TokensConfig>,
    /// Bounds of what clients may take up.
    #[serde(default)]
    pub limits: LimitsConfig,
}

/// Which bearer tokens (JWT, EdDSA or ES256) are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokensConfig {
    /// What the claim `aud` has to be.
    pub audience: String,
    /// What the claim `iss` has to be, if anything.
    #[serde(default)]
    pub issuer: Option<String>,
    /// A file that holds the key set (RFC 7517), or the `https://` address of one.
    pub keys: String,
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

/// The configurable part of [`Limits`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    /// Connections at the same time.
    pub connections: Option<usize>,
    /// Seconds for the TLS handshake.
    pub handshake_seconds: Option<u64>,
    /// Seconds for a request's headers, and for a kept connection to be idle.
    pub headers_seconds: Option<u64>,
    /// Seconds for a request's body to arrive.
    pub body_seconds: Option<u64>,
    /// Seconds for a request from its headers to its answer.
    pub request_seconds: Option<u64>,
    /// Seconds for what is in flight when the server is told to end.
    pub drain_seconds: Option<u64>,
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8443))
}

fn default_hostnames() -> Vec<String> {
    ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec()
}

impl ServerConfig {
    /// The configuration of a server that has only a folder.
    #[must_use]
    pub fn in_folder(data: &Path) -> Self {
        Self {
            listen: default_listen(),
            data: data.to_owned(),
            authority: None,
            database_url: None,
            database_ca: None,
            database_connections: None,
            secrets: None,
            regions: None,
            release_key: None,
            geocoding: None,
            hostnames: default_hostnames(),
            tokens: None,
            limits: LimitsConfig::default(),
        }
    }

    /// Reads a configuration file; paths in it are relative to its own folder.
    ///
    /// # Errors
    /// If it cannot be read or says something that is not known.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path)
            .map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
        Self::from_toml(&text, path)
    }

    /// Reads the text of a configuration file that lies at `path`.
    ///
    /// # Errors
    /// If it says something that is not known; the error tells the line.
    pub fn from_toml(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = toml::from_str(text)
            .map_err(|source| ConfigError::Content { path: path.to_owned(), source })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        config.data = folder.join(&config.data);
        config.authority = config.authority.map(|authority| folder.join(authority));
        config.database_ca = config.database_ca.map(|authority| folder.join(authority));
        config.secrets = config.secrets.map(|secrets| folder.join(secrets));
        config.regions = config.regions.map(|regions| folder.join(regions));
        config.release_key = config.release_key.map(|key| folder.join(key));
        if let Some(geocoding) = &mut config.geocoding {
            geocoding.postal_codes = geocoding.postal_codes.take().map(|path| folder.join(path));
        }
        if let Some(tokens) = &mut config.tokens
            && !tokens.keys.contains("://")
        {
            tokens.keys = folder.join(&tokens.keys).display().to_string();
        }
        Ok(config)
    }

    /// What [`serve`](crate::serve) is told.
    #[must_use]
    pub fn settings(&self, clock: Arc<dyn Clock>) -> Settings {
        let mut settings = Settings::in_folder(&self.data, self.hostnames.clone(), clock);
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
        if let Some(key) = &self.release_key {
            settings.masking.key.clone_from(key);
        }
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
                KeySource::Url(tokens.keys)
            } else {
                KeySource::File(tokens.keys.into())
            },
        });
        let seconds = |given: Option<u64>, default| given.map_or(default, Duration::from_secs);
        let (given, default) = (&self.limits, Limits::default());
        settings.limits = Limits {
            connections: given.connections.unwrap_or(default.connections),
            handshake: seconds(given.handshake_seconds, default.handshake),
            headers: seconds(given.headers_seconds, default.headers),
            body: seconds(given.body_seconds, default.body),
            request: seconds(given.request_seconds, default.request),
            drain: seconds(given.drain_seconds, default.drain),
            ..default
        };
        settings
    }
}

#[cfg(test)]
mod tests {
    use ebp_core::clock::SystemClock;

    use super::*;

    fn config(text: &str) -> Result<ServerConfig, String> {
        ServerConfig::from_toml(text, Path::new("/etc/ebp/server.toml"))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let config = config("data = \"state\"\n[limits]\nconnections = 5").unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8443");
        let settings = config.settings(Arc::new(SystemClock));
        assert_eq!(settings.database, Database::Sqlite("/etc/ebp/state/ebp.sqlite".into()));
        assert_eq!(settings.authority, Path::new("/etc/ebp/state/authority"));
        assert_eq!(settings.limits.connections, 5);
        assert_eq!(settings.limits.body, Limits::default().body);
    }

    #[test]
    fn the_url_chooses_the_database() {
        let config = config(
            "data = \"state\"\ndatabase_url = \"postgres://ebp:hunter2@db/ebp\"\n\
             database_ca = \"db.pem\"",
        )
        .unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        let expected = PostgresSettings {
            authority: Some("/etc/ebp/db.pem".into()),
            ..PostgresSettings::new("postgres://ebp:hunter2@db/ebp")
        };
        let settings = config.settings(Arc::new(SystemClock));
        assert_eq!(settings.database, Database::Postgres(expected));
    }

    #[test]
    fn the_example_is_true() {
        let path = Path::new("server.toml");
        let plain = ServerConfig::from_toml(EXAMPLE, path).unwrap();
        assert_eq!(plain, ServerConfig::in_folder(Path::new("ebp-data")));
        // Each line that is a setting, though it is commented out.
        let whole: String = EXAMPLE
            .lines()
            .map(|line| line.strip_prefix("# ").unwrap_or(line))
            .filter(|line| line.starts_with('[') || line.contains(" = "))
            .map(|line| format!("{line}\n"))
            .collect();
        let whole = ServerConfig::from_toml(&whole, path).unwrap();
        let (listen, hostnames) = (plain.listen, plain.hostnames.clone());
        assert_eq!((whole.listen, &whole.hostnames), (listen, &hostnames));
        assert_eq!(whole.tokens.as_ref().unwrap().keys, "keys.json");
        let clock = || Arc::new(SystemClock);
        let (plain, whole) = (plain.settings(clock()), whole.settings(clock()));
        assert_eq!((plain.authority, plain.secrets), (whole.authority, whole.secrets));
        assert_eq!(plain.masking.key, whole.masking.key);
        assert!(whole.masking.regions.is_some() && whole.geocoding.unwrap().url.is_some());
        assert_eq!(format!("{:?}", plain.limits), format!("{:?}", whole.limits));
    }

    #[test]
    fn unknown_keys_are_refused_with_their_line() {
        let error = config("data = \"/d\"\nlisten = \"[::]:1\"\nhostname = \"a\"\n").unwrap_err();
        assert!(error.contains("/etc/ebp/server.toml") && error.contains("line 3"), "{error}");
        assert!(error.contains("hostname"), "{error}");
        let error = config("data = \"/d\"\n\n[limits]\nconnexions = 5\n").unwrap_err();
        assert!(error.contains("line 4"), "{error}");
        assert!(config("listen = \"[::]:1\"").unwrap_err().contains("data"));
    }
}
