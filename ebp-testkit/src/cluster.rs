//! A PostgreSQL cluster that is thrown away: made of the machine's own binaries in a temporary
//! folder, reached by a socket in it, gone with the process that started it, however that ends.

use std::{
    io::Write,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use ebp_store::PostgresSettings;
use tokio_postgres::{Client, NoTls};

use crate::postgresql::is_root;
pub use crate::postgresql::{as_postgres, binaries};

/// The cluster that all tests of a process share; each takes a database of its own. A test that asks
/// for it is marked with `needs(postgresql)`.
pub fn shared() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    // Nothing that these tests do outlives a loss of power, nor has to.
    SHARED.get_or_init(|| Cluster::start("fsync = off\nfull_page_writes = off\n"))
}

/// A cluster of its own, until this is dropped.
pub struct Cluster {
    folder: PathBuf,
    binaries: PathBuf,
    databases: AtomicUsize,
    /// Waits for its input to end, then ends the cluster.
    keeper: Child,
}

impl Cluster {
    /// A fresh cluster with these lines of configuration. Its log is in small segments, so that
    /// what they hold is let go of soon.
    pub fn start(configuration: &str) -> Self {
        Self::start_in(&std::env::temp_dir(), configuration)
    }

    /// The same in a folder of that folder.
    pub fn start_in(parent: &Path, configuration: &str) -> Self {
        let configuration = format!("autovacuum_naptime = 1\n{configuration}");
        Self::launch(parent, &configuration, "--wal-segsize=1")
    }

    /// A fresh cluster as `initdb` makes them, with these lines of configuration.
    pub fn as_installed(configuration: &str) -> Self {
        Self::launch(&std::env::temp_dir(), configuration, "--wal-segsize=16")
    }

    fn launch(parent: &Path, configuration: &str, segments: &str) -> Self {
        let binaries = binaries().expect("there is no `initdb` (Debian: postgresql)");
        let folder = tempfile::Builder::new().prefix("ebp-pg").tempdir_in(parent).unwrap().keep();
        give_to_postgres(&folder);
        let end = format!(
            "read nothing; {} -D {data} -m immediate stop; rm -rf {folder}",
            as_postgres(&binaries.join("pg_ctl")).join(" "),
            data = folder.join("data").display(),
            folder = folder.display(),
        );
        let keeper = Command::new("sh")
            .args(["-c", &end])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What is typed at the terminal to end the tests is not for it.
            .process_group(0)
            .current_dir("/")
            .spawn()
            .unwrap();
        let cluster = Self { folder, binaries, databases: AtomicUsize::new(0), keeper };
        let arguments = format!("-A trust -U postgres -E UTF8 --no-sync {segments}");
        cluster.tool("initdb", &arguments.split(' ').collect::<Vec<_>>());
        let path = cluster.data().join("postgresql.conf");
        let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
        let socket = cluster.folder.display();
        writeln!(
            file,
            "listen_addresses = ''\nunix_socket_directories = '{socket}'\n\
             max_connections = 200\n{configuration}"
        )
        .unwrap();
        cluster.run();
        cluster
    }

    /// Starts the server, and returns when it answers.
    pub fn run(&self) {
        let log = self.folder.join("log");
        let start =
            || self.try_tool("pg_ctl", &["-w", "-t", "60", "-l", log.to_str().unwrap(), "start"]);
        // What is left of a killed server holds on to its memory for a moment.
        for _ in 0..50 {
            if start().status.success() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("PostgreSQL does not start: {}", std::fs::read_to_string(&log).unwrap_or_default());
    }

    /// A standby of this cluster, which runs and follows it.
    pub fn standby(&self) -> Standby<'_> {
        let folder = self.folder.join("standby");
        let command = as_postgres(&self.binaries.join("pg_basebackup"));
        let output = Command::new(&command[0])
            .args(&command[1..])
            .args(["-R", "-X", "stream", "-c", "fast", "-U", "postgres", "-h"])
            .arg(&self.folder)
            .arg("-D")
            .arg(&folder)
            .stdin(Stdio::null())
            .current_dir(&self.folder)
            .output()
            .unwrap();
        succeeded("pg_basebackup", &output);
        // Its socket is beside its data, not beside the primary's.
        let path = folder.join("postgresql.conf");
        let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
        writeln!(file, "unix_socket_directories = '{}'", folder.display()).unwrap();
        let standby = Standby { cluster: self, folder };
        standby.run();
        standby
    }

    /// Whether the server runs.
    pub fn is_running(&self) -> bool {
        self.try_tool("pg_ctl", &["status"]).status.success()
    }

    /// Ends the server as an operator would.
    pub fn stop(&self) {
        self.tool("pg_ctl", &["-w", "-m", "fast", "stop"]);
    }

    /// Kills the server.
    pub fn kill(&self) {
        let pid = std::fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        run(Command::new("kill").args(["-9", pid.lines().next().unwrap()]));
    }

    /// The process that all others of the server descend from.
    pub fn pid(&self) -> u32 {
        let pid = std::fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        pid.lines().next().unwrap().parse().unwrap()
    }

    /// Where its files are.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// A fresh database: its URL, and the settings with it.
    pub async fn database(&self) -> (String, PostgresSettings) {
        let name = format!("t{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let admin = self.client("postgres").await;
        admin.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        let url = self.url(&name);
        (url.clone(), PostgresSettings::new(url))
    }

    /// The URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!("host={} user=postgres dbname={database}", self.folder.display())
    }

    /// A plain connection.
    pub async fn client(&self, database: &str) -> Client {
        let (client, connection) =
            tokio_postgres::connect(&self.url(database), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    fn tool(&self, name: &str, arguments: &[&str]) {
        succeeded(name, &self.try_tool(name, arguments));
    }

    fn try_tool(&self, name: &str, arguments: &[&str]) -> Output {
        let command = as_postgres(&self.binaries.join(name));
        Command::new(&command[0])
            .args(&command[1..])
            .arg("-D")
            .arg(self.data())
            .args(arguments)
            .stdin(Stdio::null())
            // Not every folder is one that its user may enter.
            .current_dir(&self.folder)
            .output()
            .unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// A standby, until this is dropped.
pub struct Standby<'a> {
    cluster: &'a Cluster,
    folder: PathBuf,
}

impl Standby<'_> {
    /// Starts it.
    pub fn run(&self) {
        self.control(&["-w", "-t", "60", "-l", "standby.log", "start"]);
    }

    /// The URL of a database of the primary, or of this once it is promoted.
    pub fn or_else(&self, url: &str) -> String {
        let primary = format!("host={}", self.cluster.folder.display());
        url.replace(&primary, &format!("{primary},{}", self.folder.display()))
    }

    /// Waits until it has all that the primary wrote so far.
    pub async fn catch_up(&self) {
        let primary = self.cluster.client("postgres").await;
        let sql = "SELECT bool_and(replay_lsn >= pg_current_wal_lsn()) FROM pg_stat_replication";
        while primary.query_one(sql, &[]).await.unwrap().get::<_, Option<bool>>(0) != Some(true) {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// Makes it the primary.
    pub fn promote(&self) {
        self.control(&["-w", "-t", "60", "promote"]);
    }

    /// Ends it, at once.
    pub fn stop(&self) {
        self.control(&["-w", "-m", "immediate", "stop"]);
    }

    fn control(&self, arguments: &[&str]) {
        let command = as_postgres(&self.cluster.binaries.join("pg_ctl"));
        let output = Command::new(&command[0])
            .args(&command[1..])
            .arg("-D")
            .arg(&self.folder)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .current_dir(&self.cluster.folder)
            .output()
            .unwrap();
        succeeded("pg_ctl", &output);
    }
}

impl Drop for Standby<'_> {
    fn drop(&mut self) {
        let command = as_postgres(&self.cluster.binaries.join("pg_ctl"));
        let mut stop = Command::new(&command[0]);
        stop.args(&command[1..]).arg("-D").arg(&self.folder).args(["-m", "immediate", "stop"]);
        let _ = stop.stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

/// Makes the folder PostgreSQL's own, which runs as another user where this is root.
pub fn give_to_postgres(folder: &Path) {
    if is_root() {
        run(Command::new("chown").arg("postgres").arg(folder));
    }
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    succeeded(&format!("{command:?}"), &output);
}

fn succeeded(what: &str, output: &Output) {
    assert!(
        output.status.success(),
        "{what}: {} {}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
