//! The configuration file of the participant's page.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use ebp_errors::ErrorsConfig;
use serde::Deserialize;

/// A commented example with every default.
pub const EXAMPLE: &str = include_str!("web.example.toml");

/// The content of the file given as `--config FILE` to `ebp serve device`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebConfig {
    /// The address and port to listen at.
    #[serde(default = "listen")]
    pub listen: SocketAddr,
    /// Names, beside the machine's own, under which the page may be asked for.
    #[serde(default)]
    pub names: Vec<String>,
    /// Whether browsers with public addresses are served.
    #[serde(default)]
    pub public_peers: bool,
    /// The folder in which it is kept that consent was revoked.
    pub state: PathBuf,
    /// The file with the hash of the sign-in code.
    pub sign_in_hash: PathBuf,
    /// The measuring daemon's socket.
    pub socket: PathBuf,
    /// The socket of the device's tunnel, if it has one.
    #[serde(default)]
    pub tunnel_socket: Option<PathBuf>,
    /// The zone of times and days.
    #[serde(default = "zone")]
    pub zone: String,
    /// Where errors of the page are reported; nowhere by default.
    #[serde(default)]
    pub errors: ErrorsConfig,
    /// The Data API and this page's identity.
    pub api: Api,
}

/// The Data API and this page's identity.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// The address, such as `https://ebp.example.org:8443`.
    pub url: String,
    /// The authority's certificate (PEM).
    pub ca: PathBuf,
    /// This page's certificate (PEM), which is not the measuring device's.
    pub certificate: PathBuf,
    /// Its private key (PEM).
    pub key: PathBuf,
    /// How long an answer is waited for, seconds.
    #[serde(default = "timeout")]
    pub timeout_s: u64,
}

fn listen() -> SocketAddr {
    ([0, 0, 0, 0], 8080).into()
}

fn zone() -> String {
    "Europe/Berlin".to_owned()
}

const fn timeout() -> u64 {
    20
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WebConfigError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A value in it is wrong.
    #[error("{}, line {line}: {reason}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

impl Api {
    /// How long an answer is waited for.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s)
    }
}

impl WebConfig {
    /// Reads the file; paths in it that are not absolute are taken from its folder.
    ///
    /// # Errors
    /// Returns [`WebConfigError`] when the file cannot be read, or a value in it is wrong.
    pub fn load(path: &Path) -> Result<Self, WebConfigError> {
        let text = fs::read_to_string(path)
            .map_err(|source| WebConfigError::Read { path: path.to_owned(), source })?;
        let mut config: Self = toml::from_str(&text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = text[..start].matches('\n').count() + 1;
            let reason = error.message().replace('\n', "; ");
            WebConfigError::Wrong { path: path.to_owned(), line, reason }
        })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        for file in [
            &mut config.state,
            &mut config.sign_in_hash,
            &mut config.socket,
            &mut config.api.ca,
            &mut config.api.certificate,
            &mut config.api.key,
        ] {
            *file = folder.join(&file);
        }
        config.errors.relative_to(folder);
        config.tunnel_socket = config.tunnel_socket.map(|path| folder.join(path));
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_says_every_default() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.toml");
        let everything: String = EXAMPLE
            .lines()
            .map(|line| line.strip_prefix("# ").filter(|l| l.contains(" = ")).unwrap_or(line))
            .fold(String::new(), |all, line| all + line + "\n");
        let read = |text: &str| {
            fs::write(&path, text).unwrap();
            WebConfig::load(&path).unwrap()
        };
        let (short, long) = (read(EXAMPLE), read(&everything));
        let said = format!("{long:?}")
            .replace("[\"strom.lan\"]", "[]")
            .replace("Some(\"/run/ebp-tunnel/tunnel.sock\")", "None")
            .replace("dsn: Some(Dsn(..))", "dsn: None");
        assert_eq!(format!("{short:?}"), said);
        assert_eq!(short.state, Path::new("/var/lib/ebp-web"));
        fs::write(&path, "listen = 1\n").unwrap();
        assert!(WebConfig::load(&path).unwrap_err().to_string().contains("line 1"));
    }
}
