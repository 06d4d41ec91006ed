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
    process: Option<Running>,
}

impl Server {
    /// Founds an authority and starts the server.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        run!("ca", "init", "--data", folder.path()).done();
        let mut server = Self { folder, port: 0, process: None };
        server.go_on();
        server
    }

    /// Starts it again, on the port that it had.
    pub fn go_on(&mut self) {
        let mut command = ebp();
        command.arg("serve").arg("--data").arg(self.data());
        command.args(["--listen", &format!("127.0.0.1:{}", self.port)]);
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
