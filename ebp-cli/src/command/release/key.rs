//! `ebp release key`: a signer's key.

use std::path::{Path, PathBuf};

use ebp_core::private_file;
use ebp_release::author::{SigningKey, write_public_key};

use crate::{
    exit::{CommandResult, Context, Failure, release::explain},
    file::write_whole,
    tell::tell,
};

/// Make a key: its private half in FILE, which only its owner can read, its public half in FILE.pub.
///
/// The private half stays with its owner, on a machine or a stick that is kept away from networks. The
/// public half goes to whoever runs `ebp release init` or `rotate`.
#[derive(Debug, clap::Args)]
pub struct Key {
    /// Where the private half is written.
    file: PathBuf,

    /// Its owner's name, which is published with the public half.
    #[arg(long)]
    name: Option<String>,
}

impl Key {
    /// Makes it.
    pub fn run(&self) -> CommandResult {
        let public_path = beside(&self.file, ".pub");
        for path in [&self.file, &public_path] {
            if path.exists() {
                return Err(Failure::usage(format!("{} exists", path.display()))
                    .remedy("give another name: a key that is overwritten is lost"));
            }
        }
        let (key, pem) = SigningKey::generate().map_err(explain)?;
        let public = key.public(self.name.as_deref()).map_err(explain)?;
        private_file::replace(&self.file, &beside(&self.file, ".new"), pem.as_bytes())
            .or_failed(format!("cannot write {}", self.file.display()))?;
        write_whole(&public_path, write_public_key(&public).as_bytes())?;
        tell!("ebp: key {}", key.id());
        tell!(
            "ebp: keep {} to yourself; {} is for the others",
            self.file.display(),
            public_path.display()
        );
        Ok(())
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
