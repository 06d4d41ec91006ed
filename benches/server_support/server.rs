//! The server in a process of its own: this very program, started again.

use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use ebp_core::{clock::SystemClock, scope::Group};
use ebp_server::{Settings, auth::hash_secret, serve};
use ebp_store::{Database, PostgresSettings, Store};
use ebp_survey::{atomic_file::write_atomic, authority::Authority};

use super::{cluster::Cluster, parameter, process::Process};

/// Set, the program is the server over that folder.
const FOLDER: &str = "EBP_BENCH_SERVER";
/// Set, it bounds what a single client may do.
const LIMITED: &str = "EBP_BENCH_LIMITED";
const URL: &str = "EBP_BENCH_DATABASE";
/// Set, the server listens there.
const ADDRESS: &str = "EBP_BENCH_ADDRESS";
/// Set, the server has so many connections to PostgreSQL, of which a quarter stores reports.
const CONNECTIONS: &str = "EBP_BENCH_CONNECTIONS";

/// The administrators' and researchers' secret.
pub const SECRET: &str = "the secret of the benchmarks";

/// Serves and does not return if the program was started for that.
pub fn serve_if_asked() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    // As `ebp serve` has it.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let settings = settings(Path::new(&folder), std::env::var(URL).ok());
        let address = std::env::var(ADDRESS).unwrap_or_else(|_| "127.0.0.1:0".to_owned());
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let ended = async move {
            println!("{address}");
            let end = || std::io::stdin().read_to_end(&mut Vec::new());
            let _ = tokio::task::spawn_blocking(end).await;
        };
        serve(settings, listener, ended).await.unwrap();
    });
    std::process::exit(0);
}

fn settings(folder: &Path, url: Option<String>) -> Settings {
    let mut settings = Settings::in_folder(folder, vec!["127.0.0.1".into()], Arc::new(SystemClock));
    if std::env::var_os(LIMITED).is_none() {
        // One client asks as often as it can, and all have one address.
        settings.limits.rate = None;
        settings.limits.connections_per_address = settings.limits.connections;
    }
    if let Some(url) = url {
        let mut postgres = PostgresSettings::new(url);
        postgres.connections = parameter(CONNECTIONS, postgres.connections);
        settings.database = Database::Postgres(postgres);
    }
    settings
}

/// A running server.
pub struct Server {
    pub address: SocketAddr,
    pub authority: Authority,
    /// The same database, as tests have it: to register households without HTTP.
    pub store: Arc<dyn Store>,
    pub process: Process,
    pub database: Option<String>,
    child: Child,
    command: Command,
    folder: tempfile::TempDir,
}

impl Server {
    /// The file of its SQLite database.
    pub fn sqlite(&self) -> std::path::PathBuf {
        self.folder.path().join("ebp.sqlite")
    }

    /// Over SQLite, or over a fresh database of the cluster; a single client may do what it wants.
    pub async fn start(cluster: Option<&Cluster>) -> Self {
        Self::launch(cluster, false).await
    }

    /// As [`start`](Self::start), with every limit as it is by default.
    pub async fn start_limited(cluster: Option<&Cluster>) -> Self {
        Self::launch(cluster, true).await
    }

    async fn launch(cluster: Option<&Cluster>, limited: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = folder.path().join("authority");
        let authority = Authority::init(&authority, "Bench CA", Arc::new(SystemClock)).unwrap();
        // The server takes them from the file at its first start.
        let secrets: String = Group::ALL
            .iter()
            .map(|group| format!("{group} = {:?}\n", hash_secret(SECRET).unwrap()))
            .collect();
        write_atomic(&folder.path().join("secrets.toml"), secrets.as_bytes(), 0o600).unwrap();
        let url = match cluster {
            Some(cluster) => Some(cluster.database().await.0),
            None => None,
        };
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(FOLDER, folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        if limited {
            command.env(LIMITED, "yes");
        }
        if let Some(url) = &url {
            command.env(URL, url);
        }
        let (child, address) = spawn(&mut command);
        let settings = settings(folder.path(), url.clone());
        Self {
            address,
            authority,
            store: ebp_store::open_store(&settings.database).await.unwrap(),
            process: Process(child.id()),
            database: url.map(|url| url.rsplit('=').next().unwrap().to_owned()),
            child,
            command,
            folder,
        }
    }
}

/// The process, and where it listens.
fn spawn(command: &mut Command) -> (Child, SocketAddr) {
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().parse().unwrap())
}

impl Server {
    /// Ends it without a chance to clean up.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again where it was, and returns when it listens.
    pub fn go_on(&mut self) {
        self.command.env(ADDRESS, self.address.to_string());
        (self.child, _) = spawn(&mut self.command);
        self.process = Process(self.child.id());
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
