//! The arguments that say whose errors are meant.

use std::path::PathBuf;

use ebp_errors::{Component, ErrorsConfig};

use crate::{error_report::Reported, exit::Failure};

/// Whose errors are meant.
#[derive(Debug, clap::Args)]
pub struct Whose {
    /// The configuration of a device, of its page or of a server.
    #[arg(long, value_name = "FILE", required_unless_present = "folder")]
    config: Option<PathBuf>,

    /// The folder of errors, if there is no configuration file.
    #[arg(long, value_name = "FOLDER", conflicts_with = "config")]
    folder: Option<PathBuf>,
}

impl Whose {
    /// The component's configuration of reports.
    ///
    /// # Errors
    /// Returns a failure if the file cannot be read, or is of nothing that reports errors.
    pub fn find(&self) -> Result<Reported, Failure> {
        match (&self.config, &self.folder) {
            (Some(path), _) => Reported::from_file(Component::Command, path).ok_or_else(|| {
                Failure::usage(format!(
                    "{} is no configuration of a device, its page or a server",
                    path.display()
                ))
                .remedy("`ebp read --print-example` and `ebp serve --print-config` show them")
            }),
            (None, folder) => {
                let folder = folder.clone().unwrap_or_default();
                let config =
                    ErrorsConfig { folder: Some(folder.clone()), ..ErrorsConfig::default() };
                Ok(Reported::new(Component::Command, config, &folder))
            }
        }
    }
}
