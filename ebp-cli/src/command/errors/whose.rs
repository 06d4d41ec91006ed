//! The arguments that say whose errors are meant.

use std::path::{Path, PathBuf};

use ebp_errors::{Component, ErrorsConfig};

use crate::{error_report::Reported, exit::Failure};

/// Whose errors are meant.
#[derive(Debug, clap::Args)]
pub struct Whose {
    /// The configuration of a device, of its page or of a server; by default the server's that the
    /// variable EBP_SERVER_CONFIG names.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// The folder of errors, if there is no configuration file.
    #[arg(long, value_name = "FOLDER", conflicts_with = "config")]
    folder: Option<PathBuf>,
}

/// The server's configuration that the environment names.
#[cfg(feature = "server")]
fn configured() -> Option<PathBuf> {
    crate::command::server_data::configured()
}

#[cfg(not(feature = "server"))]
const fn configured() -> Option<PathBuf> {
    None
}

impl Whose {
    /// The component's configuration of reports.
    ///
    /// # Errors
    /// Returns a failure if the file cannot be read, its section `[errors]` cannot be used, or it is of
    /// nothing that reports errors.
    pub fn find(&self) -> Result<Reported, Failure> {
        self.find_by(Reported::from_file)
    }

    /// Where errors are counted, whether they can be sent or not.
    ///
    /// # Errors
    /// Returns a failure if the file cannot be read, or is of nothing that reports errors.
    pub fn find_counted(&self) -> Result<Reported, Failure> {
        self.find_by(Reported::counted_by_file)
    }

    fn find_by(
        &self,
        of_file: impl FnOnce(Component, &Path) -> Result<Reported, Failure>,
    ) -> Result<Reported, Failure> {
        let named = match &self.folder {
            Some(_) => None,
            None => self.config.clone().or_else(configured),
        };
        match (named, &self.folder) {
            (Some(path), _) => of_file(Component::Command, &path),
            (None, None) => Err(Failure::usage("it is not said whose errors are meant")
                .remedy("give --config FILE, or --folder FOLDER")),
            (None, Some(folder)) => {
                let config =
                    ErrorsConfig { folder: Some(folder.clone()), ..ErrorsConfig::default() };
                Ok(Reported::new(Component::Command, config, folder))
            }
        }
    }
}
