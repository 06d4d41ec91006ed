//! `ebp tunnel ssh-config`: ssh reaches devices by their identifiers.

use super::administrator::Administrator;
use crate::{
    exit::{CommandResult, Context},
    stdout::print,
};

/// By which certificate.
#[derive(Debug, clap::Args)]
pub struct SshConfig {
    #[command(flatten)]
    administrator: Administrator,
}

impl SshConfig {
    /// Prints the block.
    pub fn run(&self) -> CommandResult {
        let Administrator { url, certificate } = &self.administrator;
        let certificate = std::path::absolute(certificate).or_failed("the certificate's path")?;
        let program = std::env::current_exe().or_failed("the program's own path")?;
        print(format!(
            "# Devices of the survey, by their identifiers: ssh USER@DEVICE\n\
             Host ????????-????-????-????-????????????\n    \
             ProxyCommand {} tunnel connect %n --url {} --certificate {}\n    \
             ServerAliveInterval 30\n",
            quoted(&program.display().to_string()),
            quoted(url),
            quoted(&certificate.display().to_string()),
        ))
    }
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
