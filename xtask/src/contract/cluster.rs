//! A PostgreSQL that is thrown away.
//!
//! Enters: the machine's own `initdb` and `pg_ctl`. Leaves: databases, reached by a socket. Absent:
//! anything that outlives the task.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use anyhow::{Result, bail};

pub struct Cluster {
    folder: tempfile::TempDir,
    binaries: PathBuf,
    databases: AtomicUsize,
}

impl Cluster {
    /// None where there are no binaries.
    pub fn start() -> Result<Option<Self>> {
        let Some(binaries) = binaries() else { return Ok(None) };
        let folder = tempfile::Builder::new().prefix("ebp-pg").tempdir()?;
        if is_root() {
            done(Command::new("chown").arg("postgres").arg(folder.path()))?;
        }
        let cluster = Self { folder, binaries, databases: AtomicUsize::new(0) };
        let arguments = "-A trust -U postgres -E UTF8 --no-sync";
        cluster.tool("initdb", &arguments.split(' ').collect::<Vec<_>>())?;
        let socket = cluster.folder.path().display();
        let options =
            format!("-c listen_addresses='' -c unix_socket_directories={socket} -c fsync=off");
        let log = cluster.folder.path().join("log");
        cluster.tool("pg_ctl", &["-w", "-l", &log.to_string_lossy(), "-o", &options, "start"])?;
        Ok(Some(cluster))
    }

    /// A fresh database's URL.
    pub fn database(&self) -> Result<String> {
        let name = format!("c{}", self.databases.fetch_add(1, Relaxed));
        let socket = self.folder.path();
        done(
            Command::new(self.binaries.join("createdb"))
                .arg("-h")
                .arg(socket)
                .args(["-U", "postgres", &name]),
        )?;
        Ok(format!("host={} user=postgres dbname={name}", socket.display()))
    }

    fn tool(&self, name: &str, arguments: &[&str]) -> Result<()> {
        let program = self.binaries.join(name);
        // PostgreSQL refuses to run as root.
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.arg("-D").arg(self.folder.path().join("data")).args(arguments);
        done(command.current_dir(self.folder.path()))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.tool("pg_ctl", &["-m", "immediate", "stop"]);
    }
}

/// Of PATH, or where Debian keeps them.
fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    folders.extend(debian.map(|version| version.path().join("bin")));
    let real = folders.iter().find_map(|folder| folder.join("initdb").canonicalize().ok())?;
    real.parent().map(Path::to_owned)
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

fn done(command: &mut Command) -> Result<()> {
    let output = command.stdin(std::process::Stdio::null());
    // A server that stays behind must not hold on to this process' pipes.
    let status = output.stdout(std::process::Stdio::null()).status()?;
    if !status.success() {
        bail!("{command:?} failed ({status})");
    }
    Ok(())
}
