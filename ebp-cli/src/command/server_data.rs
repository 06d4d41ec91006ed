//! Where a server's data is: what `ebp serve`, `ebp ca` and `ebp household` have in common.

use std::{path::PathBuf, sync::Arc};

use ebp_core::clock::SystemClock;
use ebp_server::{ConfigError, ServerConfig, Settings};

use crate::exit::{Failure, chain};

/// Names the server's data folder, or the configuration file that does.
#[derive(Debug, clap::Args)]
pub struct ServerData {
    /// The server's configuration.
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "data")]
    config: Option<PathBuf>,

    /// The folder of database and certificates, for a server without a configuration file.
    #[arg(
        long,
        global = true,
        value_name = "FOLDER",
        default_value = "ebp-data",
        env = "EBP_DATA"
    )]
    data: PathBuf,
}

impl ServerData {
    /// The configuration, from the file or by default.
    ///
    /// # Errors
    /// Names the file and the line.
    pub fn load(&self) -> Result<ServerConfig, Failure> {
        match &self.config {
            Some(path) => ServerConfig::load(path).map_err(|error| match &error {
                ConfigError::Content { source, .. } => {
                    let text = std::fs::read_to_string(path).unwrap_or_default();
                    crate::config::wrong_toml(path, &text, source)
                }
                _ => Failure::usage(chain(&error)),
            }),
            None => Ok(ServerConfig::in_folder(&self.data)),
        }
    }

    /// What the server itself is told.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn settings(&self) -> Result<Settings, Failure> {
        Ok(self.load()?.settings(Arc::new(SystemClock)))
    }
}
