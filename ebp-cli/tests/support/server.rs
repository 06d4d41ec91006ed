//! A server as its operator starts it: authority, data folder, `ebp serve` on a free port.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use rustix::process::Signal;
use tempfile::TempDir;

use super::{
    ebp,
    process::{Run, Running},
};
use crate::run;

/// A server's folder, and the server while it runs.
pub struct Server {
    data: PathBuf,
    config: Option<PathBuf>,
    port: u16,
    environment: Vec<(String, String)>,
    process: Option<Running>,
    _folder: Option<TempDir>,
}

impl Server {
    /// Founds an authority and starts the server.
    pub fn start() -> Self {
        Self::start_in(&[])
    }

    /// With these variables in its environment.
    pub fn start_in(environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().to_owned();
        let environment = environment.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        Self::found(data, None, Some(folder), environment)
    }

    /// The same in a folder that holds an authority already.
    pub fn with_authority(data: &Path, environment: &[(&str, &str)]) -> Self {
        let environment = environment.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        let data = data.to_owned();
        let mut server =
            Self { data, config: None, port: 0, environment, process: None, _folder: None };
        server.go_on();
        server
    }

    /// The same in that folder, which is made.
    pub fn in_folder(data: &Path) -> Self {
        Self::found(data.to_owned(), None, None, Vec::new())
    }

    /// The same with lines of configuration.
    pub fn configured(lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("server.toml");
        std::fs::write(&config, format!("data = \"data\"\n{lines}")).unwrap();
        Self::found(folder.path().join("data"), Some(config), Some(folder), Vec::new())
    }

    fn found(
        data: PathBuf,
        config: Option<PathBuf>,
        folder: Option<TempDir>,
        environment: Vec<(String, String)>,
    ) -> Self {
        run!("ca", "init", "--data", data).done();
        let mut server =
            Self { data, config, port: 0, environment, process: None, _folder: folder };
        server.go_on();
        server
    }

    /// The option that names it to commands on its machine.
    pub fn named(&self) -> [OsString; 2] {
        match &self.config {
            Some(config) => ["--config".into(), config.into()],
            None => ["--data".into(), (&self.data).into()],
        }
    }

    /// Changes a variable of its environment, for when it goes on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Starts it again, on the port that it had.
    pub fn go_on(&mut self) {
        let mut command = ebp();
        command.arg("serve").args(self.named());
        command.args(["--listen", &format!("127.0.0.1:{}", self.port)]);
        // Most tests send more than a survey's slots would hold.
        command.env("EBP_SERVER_LIMITS__SLOTS_PERCENT", "0");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let mut process = Running::start(command);
        let line = process.wait_for("serving https://127.0.0.1:");
        let port = line.split("127.0.0.1:").nth(1).unwrap().split(' ').next().unwrap();
        self.port = port.parse().unwrap();
        self.process = Some(process);
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process that was started last.
    pub fn pid(&self) -> u32 {
        self.process.as_ref().unwrap().pid()
    }

    /// Whether the process that was started last still runs.
    pub fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(Running::is_running)
    }

    /// The folder of database and authority.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The authority's certificate.
    pub fn ca(&self) -> PathBuf {
        self.data().join("authority/ca.pem")
    }

    /// Runs a command with the server's configuration, or data folder, and environment.
    pub fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>, stdin: &str) -> Run {
        let mut command = ebp();
        command.args(arguments).args(self.named());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        super::process::run(command, stdin.as_bytes())
    }

    /// Enrolls a device by the token in a file, which trusts the authority's certificate.
    pub fn enroll(&self, token: impl AsRef<OsStr>, output: impl AsRef<OsStr>) -> Run {
        self.enroll_trusting(["--ca".as_ref(), self.ca().as_ref()], token, output)
    }

    /// The same, trusting what that option says.
    pub fn enroll_trusting(
        &self,
        trust: [&OsStr; 2],
        token: impl AsRef<OsStr>,
        output: impl AsRef<OsStr>,
    ) -> Run {
        let mut command = ebp();
        command.args(["device", "enroll", "--url", &self.url()]).args(trust);
        command.arg("--token-file").arg(token).arg("--output").arg(output);
        super::process::run(command, b"")
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
    pub fn log_lines(&self) -> Vec<String> {
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
