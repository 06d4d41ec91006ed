//! A server as its operator starts it: authority, data folder, `ebp serve` on a free port.

use std::path::{Path, PathBuf};

use rustix::process::Signal;
use tempfile::TempDir;

use super::{
    ebp,
    process::{Run, Running},
};
use crate::run;

/// A server's folder, and the server while it runs.
pub struct Server {
    folder: TempDir,
    port: u16,
    environment: Vec<(String, String)>,
    process: Option<Running>,
}

impl Server {
    /// Founds an authority and starts the server.
    pub fn start() -> Self {
        Self::start_in(&[])
    }

    /// With these variables in its environment.
    pub fn start_in(environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        run!("ca", "init", "--data", folder.path()).done();
        let environment = environment.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        let mut server = Self { folder, port: 0, environment, process: None };
        server.go_on();
        server
    }

    /// Changes a variable of its environment, for when it goes on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Starts it again, on the port that it had.
    pub fn go_on(&mut self) {
        let mut command = ebp();
        command.arg("serve").arg("--data").arg(self.data());
        command.args(["--listen", &format!("127.0.0.1:{}", self.port)]);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let mut process = Running::start(command);
        let line = process.wait_for("serving https://127.0.0.1:");
        let port = line.split("127.0.0.1:").nth(1).unwrap().split(' ').next().unwrap();
        self.port = port.parse().unwrap();
        self.process = Some(process);
    }

    /// The folder of database and authority.
    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    /// The authority's certificate.
    pub fn ca(&self) -> PathBuf {
        self.data().join("authority/ca.pem")
    }

    /// Runs a command with the server's data folder and environment.
    pub fn run<A: AsRef<std::ffi::OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
        stdin: &str,
    ) -> Run {
        let mut command = ebp();
        command.args(arguments).arg("--data").arg(self.data());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        super::process::run(command, stdin.as_bytes())
    }

    /// Sets the secrets of both groups: `the secret of the GROUP`.
    pub fn set_secrets(&self) {
        for group in ["researchers", "administrators"] {
            let secret = format!("the secret of the {group}\n");
            self.run(["serve", "secret", "set", group], &secret).done();
        }
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// What it has told on standard error.
    pub fn told(&self) -> Vec<String> {
        self.process.as_ref().map(Running::stderr).unwrap_or_default()
    }

    /// How clients reach it.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// Ends it as Ctrl-C does.
    pub fn end(&mut self) -> Run {
        let process = self.process.take().unwrap();
        process.signal(Signal::INT);
        process.end()
    }

    /// Ends it without a chance to clean up.
    pub fn kill(&mut self) {
        self.process.take().unwrap().kill();
    }
}
