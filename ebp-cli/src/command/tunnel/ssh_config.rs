//! `ebp tunnel ssh-config`: ssh reaches devices by their identifiers.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ebp_core::contract::Tunnel;

use super::administrator::{Administrator, refused};
use crate::{
    exit::{CommandResult, Context, Failure},
    stdout::print,
};

/// By which certificate.
#[derive(Debug, clap::Args)]
pub struct SshConfig {
    #[command(flatten)]
    administrator: Administrator,

    /// Write the devices' host keys, as their statuses tell them, into this file, and let ssh check
    /// devices by it.
    ///
    /// Each run writes the file anew. A device whose keys are not told is asked about as before.
    #[arg(long, value_name = "FILE")]
    known_hosts: Option<PathBuf>,
}

impl SshConfig {
    /// Prints the block.
    pub fn run(&self) -> CommandResult {
        let Administrator { url, certificate } = &self.administrator;
        let certificate = std::path::absolute(certificate).or_failed("the certificate's path")?;
        let program = std::env::current_exe().or_failed("the program's own path")?;
        let known_hosts = match &self.known_hosts {
            None => String::new(),
            Some(file) => {
                let tunnels = self.administrator.client()?.tunnels().map_err(refused)?;
                fs::write(file, host_keys(&tunnels)).or_failed(file.display())?;
                let file = std::path::absolute(file).or_failed("the file's path")?;
                format!("    UserKnownHostsFile {} ~/.ssh/known_hosts\n", of_ssh(&file)?)
            }
        };
        print(format!(
            "# Devices of the survey, by their identifiers: ssh USER@DEVICE\n\
             Host ????????-????-????-????-????????????\n    \
             ProxyCommand {} tunnel connect %n --url {} --certificate {}\n    \
             ServerAliveInterval 30\n{known_hosts}",
            quoted(&program.display().to_string()),
            quoted(url),
            quoted(&certificate.display().to_string()),
        ))
    }
}

/// The lines of a file of known hosts: ssh knows devices by their identifiers.
fn host_keys(tunnels: &[Tunnel]) -> String {
    let mut lines = String::new();
    for Tunnel { device, host_keys, .. } in tunnels {
        lines.extend(host_keys.iter().map(|key| format!("{device} {key}\n")));
    }
    lines
}

/// A path as ssh reads it in its configuration; it has no way to write a double quote.
fn of_ssh(path: &Path) -> Result<String, Failure> {
    let path = path.display().to_string();
    if path.contains('"') {
        return Err(Failure::usage("the path of --known-hosts must have no double quote"));
    }
    Ok(format!("\"{}\"", path.replace('%', "%%")))
}

/// For the shell that ssh starts; a percent sign would be ssh's own.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''").replace('%', "%%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_reach_the_shell_as_they_are() {
        assert_eq!(quoted("/a b/50%'s"), r"'/a b/50%%'\''s'");
    }
}
