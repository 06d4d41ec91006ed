//! A PostgreSQL that is thrown away.
//!
//! Enters: the machine's own `initdb` and `pg_ctl`. Leaves: databases, reached by a socket. Absent:
//! anything that outlives the task.

use std::{
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use anyhow::{Result, bail};
use ebp_testkit::postgresql::{as_postgres, binaries, is_root};

pub struct Cluster {
    folder: tempfile::TempDir,
    binaries: PathBuf,
    databases: AtomicUsize,
    /// Waits for its input to end, then ends the cluster: however this process ends.
    keeper: Option<Child>,
}

impl Cluster {
    /// None where there are no binaries.
    pub fn start() -> Result<Option<Self>> {
        let Some(binaries) = binaries() else { return Ok(None) };
        let folder = tempfile::Builder::new().prefix("ebp-pg").tempdir()?;
        if is_root() {
            done(Command::new("chown").arg("postgres").arg(folder.path()))?;
        }
        let mut cluster = Self { folder, binaries, databases: AtomicUsize::new(0), keeper: None };
        let arguments = "-A trust -U postgres -E UTF8 --no-sync";
        cluster.tool("initdb", &arguments.split(' ').collect::<Vec<_>>())?;
        let socket = cluster.folder.path().display();
        let options =
            format!("-c listen_addresses='' -c unix_socket_directories={socket} -c fsync=off");
        let log = cluster.folder.path().join("log");
        cluster.tool("pg_ctl", &["-w", "-l", &log.to_string_lossy(), "-o", &options, "start"])?;
        cluster.keeper = Some(cluster.keep()?);
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

    fn keep(&self) -> Result<Child> {
        let folder = self.folder.path().display();
        let pg_ctl = as_postgres(&self.binaries.join("pg_ctl")).join(" ");
        let stop = format!("{pg_ctl} -D {folder}/data -m immediate stop");
        Ok(Command::new("sh")
            .args(["-c", &format!("read nothing; {stop}; rm -rf {folder}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What is typed at the terminal to end the task is not for it.
            .process_group(0)
            .current_dir("/")
            .spawn()?)
    }

    fn tool(&self, name: &str, arguments: &[&str]) -> Result<()> {
        let program = as_postgres(&self.binaries.join(name));
        let mut command = Command::new(&program[0]);
        command.args(&program[1..]);
        command.arg("-D").arg(self.folder.path().join("data")).args(arguments);
        done(command.current_dir(self.folder.path()))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(keeper) = &mut self.keeper {
            drop(keeper.stdin.take());
            let _ = keeper.wait();
        }
    }
}

fn done(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null());
    // A server that stays behind must not hold on to this process' pipes.
    let status = output.stdout(Stdio::null()).status()?;
    if !status.success() {
        bail!("{command:?} failed ({status})");
    }
    Ok(())
}
