//! The models that a command knows: those that come with the program and those of a folder.
//!
//! Enters: `--profiles`. Leaves: [`Profiles`], and the [`Registry`] by which their meters are taken up.
//! Absent: reading a profile, which the library does.

use std::path::PathBuf;

use ebp_meter::{interface::Registry, profile::Profiles};

use crate::exit::Failure;

/// Where models are known from.
#[derive(Debug, clap::Args)]
pub struct Models {
    /// A folder with further profiles of models (*.toml); one of the same name replaces a known one.
    #[arg(long, value_name = "FOLDER")]
    profiles: Option<PathBuf>,
}

impl Models {
    /// All of them.
    ///
    /// # Errors
    /// Returns a failure with file and line if a profile is invalid.
    pub fn load(&self) -> Result<Profiles, Failure> {
        let mut profiles = Profiles::embedded();
        if let Some(folder) = &self.profiles {
            profiles.load_folder(folder)?;
        }
        Ok(profiles)
    }

    /// All of them, each with what drives its meters.
    ///
    /// # Errors
    /// A profile that is wrong, with its file and line.
    pub fn registry(&self) -> Result<Registry, Failure> {
        Ok(Registry::from_profiles(&self.load()?))
    }
}
