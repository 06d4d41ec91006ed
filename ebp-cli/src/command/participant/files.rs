//! The files that the research group gave a participant: certificate, key and authority.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use ebp_client::identity::Identity;

use crate::{
    command::heading::PARTICIPANT,
    exit::{Context, Failure, chain},
};

/// The files that the research group gave the participant.
#[derive(Debug, clap::Args)]
pub struct Files {
    /// The participant's folder: certificate (.pem), its key (.key) and ca.pem, as written by `ebp
    /// ca issue`.
    #[arg(
        long, global = true, value_name = "FOLDER", default_value = ".", help_heading = PARTICIPANT
    )]
    folder: PathBuf,

    /// The certificate, if the folder has several.
    #[arg(long, global = true, value_name = "FILE", help_heading = PARTICIPANT)]
    certificate: Option<PathBuf>,
}

impl Files {
    /// The certificate's file.
    pub fn certificate(&self) -> Result<PathBuf, Failure> {
        match &self.certificate {
            Some(certificate) => Ok(certificate.clone()),
            None => only_certificate(&self.folder),
        }
    }

    /// Certificate, key and authority.
    pub fn identity(&self, certificate: &Path) -> Result<Identity, Failure> {
        let (key, ca) = (certificate.with_extension("key"), self.folder.join("ca.pem"));
        Identity::load(certificate, &key, &ca).map_err(|error| {
            Failure::failed(chain(&error))
                .remedy("the research group makes these files with `ebp ca issue`")
        })
    }
}

/// The only certificate of a folder that has its key beside it.
fn only_certificate(folder: &Path) -> Result<PathBuf, Failure> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .or_failed(format!("cannot read {}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension() == Some(OsStr::new("pem")))
        .filter(|path| path.with_extension("key").exists())
        .collect();
    found.sort();
    match &mut found[..] {
        [only] => Ok(std::mem::take(only)),
        [] => Err(Failure::usage(format!("{} has no certificate with its key", folder.display()))
            .remedy("name the participant's folder with --folder")),
        several => {
            let names: Vec<String> =
                several.iter().map(|path| path.display().to_string()).collect();
            Err(Failure::usage(format!("{} has several certificates", folder.display()))
                .remedy(format!("name one with --certificate: {}", names.join(", "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_certificate_with_its_key_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str| fs::write(folder.path().join(name), "").unwrap();
        make("ca.pem");
        let told = only_certificate(folder.path()).unwrap_err().to_string();
        assert!(told.contains("no certificate") && told.contains("--folder"), "{told}");
        make("participant-1.pem");
        make("participant-1.key");
        let found = only_certificate(folder.path()).unwrap();
        assert!(found.ends_with("participant-1.pem"), "{found:?}");
        make("participant-2.pem");
        make("participant-2.key");
        let told = only_certificate(folder.path()).unwrap_err().to_string();
        assert!(told.contains("--certificate") && told.contains("participant-2.pem"), "{told}");
    }
}
