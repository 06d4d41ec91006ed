//! The arguments for a server's data, which `ebp serve`, `ebp ca` and `ebp household` share.

use std::{path::PathBuf, sync::Arc};

use ebp_core::clock::SystemClock;
use ebp_server::{ConfigError, ENVIRONMENT_PREFIX, ServerConfig, Settings};

use super::heading::SERVER_DATA;
use crate::exit::{Failure, chain};

/// Names the configuration file, the data folder, or both. What is said here beats the
/// environment (`EBP_SERVER_…`), which beats the file.
#[derive(Debug, clap::Args)]
pub struct ServerData {
    // The variable is read by `configured`, and named here.
    #[arg(
        long, global = true, value_name = "FILE", help_heading = SERVER_DATA,
        help = "The server's configuration [env: EBP_SERVER_CONFIG=]"
    )]
    config: Option<PathBuf>,

    /// The folder of database and certificates, instead of the configuration's; by default
    /// `ebp-data`.
    #[arg(long, global = true, value_name = "FOLDER", help_heading = SERVER_DATA)]
    data: Option<PathBuf>,
}

/// The variable that names the configuration.
const CONFIG_FILE: &str = "EBP_SERVER_CONFIG";

/// The configuration that the environment names. An empty variable is none. It is no argument of
/// the command line's, so that what excludes --config does not exclude the variable.
pub fn configured() -> Option<PathBuf> {
    std::env::var_os(CONFIG_FILE).filter(|file| !file.is_empty()).map(PathBuf::from)
}

impl ServerData {
    /// The configuration: of the file, the environment and these arguments.
    ///
    /// # Errors
    /// Returns a failure that names the file and the line, or the variable.
    pub fn load(&self) -> Result<ServerConfig, Failure> {
        let variables: Vec<(String, String)> = std::env::vars_os()
            .map(|(name, value)| {
                // What is no text names nothing, and is refused as what it is not.
                (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())
            })
            .filter(|(name, _)| name.starts_with(ENVIRONMENT_PREFIX))
            .collect();
        let named = self.config.clone().or_else(configured);
        let file = named.as_deref();
        let loaded = ServerConfig::load(file, &variables, self.data.as_deref());
        loaded.map_err(|error| match (&error, file) {
            (ConfigError::Content { source, .. }, Some(path)) => {
                let text = std::fs::read_to_string(path).unwrap_or_default();
                crate::file::wrong_toml(path, &text, source)
            }
            (ConfigError::UnknownVariable { .. } | ConfigError::Variable { .. }, _) => {
                Failure::usage(chain(&error)).remedy(
                    "`ebp serve --print-config` shows every setting; each is a variable, too",
                )
            }
            (ConfigError::Exposed(_), _) => Failure::failed(chain(&error)),
            _ => Failure::usage(chain(&error)),
        })
    }

    /// The arguments of the server itself.
    ///
    /// # Errors
    /// Returns the same errors as [`Self::load`].
    pub fn settings(&self) -> Result<Settings, Failure> {
        Ok(self.load()?.settings(Arc::new(SystemClock)))
    }
}
