//! New mutual TLS connections a second through the server's listener, full and resumed, beside what
//! rustls does in memory: in the configuration of its own benchmark, and with our configuration,
//! keys and certificates. `cargo bench -p ebp-server --bench handshakes`.
//!
//! As in rustls' own benchmark both sides are run on one thread and the server's side alone is
//! timed. The server over sockets shares the machine's cores with the clients, whose side of a
//! handshake costs as much: so its processor time for a connection is compared, which is what one
//! core of its own could do, and the rate is told beside it. It has the kernel's part of accepting,
//! reading, writing and closing in it; what a bare loop of tokio and rustls reaches with the same
//! clients tells how much that leaves.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails has failed")]

#[path = "server_support/mod.rs"]
mod support;

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use ebp_core::clock::SystemClock;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, ServerConfig, ServerConnection};
use rustls_pki_types::ServerName;
use support::{
    client::handshake,
    household::Household,
    machine, parameter,
    process::Process,
    rate, reference,
    server::{self, Server},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

const CLIENTS: usize = 8;

/// Set, the program is the bare loop over that folder.
const BARE: &str = "EBP_BENCH_BARE";

fn main() {
    server::serve_if_asked();
    bare_if_asked();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    machine("Mutual TLS connections (TLS 1.3, ECDSA P-256 on both sides)");
    let count = parameter("EBP_BENCH_HANDSHAKES", 4000);
    let server = Server::start(None).await;
    let household = Household::register(&*server.store).await;
    let config = configuration(server.folder());
    let bare = Bare::start(server.folder());
    println!(
        "{:<8} {:>15} {:>9} {:>10} {:>12} {:>12}   {:<18} {:<18} {:<18}",
        "1/s",
        "rustls' bench",
        "in memory",
        "bare loop",
        "server",
        "seen in all",
        "server : rustls'",
        "server : memory",
        "server : bare"
    );
    for (name, kind) in [("full", HandshakeKind::Full), ("resumed", HandshakeKind::Resumed)] {
        let mut rounds = Vec::new();
        for _ in 0..parameter("EBP_BENCH_ROUNDS", 5) {
            let (reference, client) = reference::configuration(kind);
            let reference = in_memory(&reference, &client, kind, count);
            let client = household.identity(&server);
            let memory = in_memory(&config, &client, kind, count);
            let over = async |address, process| {
                over_sockets(address, process, &household.identity(&server), kind, count).await
            };
            let (_, bare) = over(bare.address, bare.process).await;
            let (took, own) = over(server.address, server.process).await;
            let (bare, own) = (rate(count, bare), rate(count, own));
            rounds.push([reference, memory, bare, own, rate(count, took)]);
        }
        let spread = |of: &dyn Fn(&[f64; 5]) -> f64| {
            let mut values: Vec<f64> = rounds.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            (values[0], values[values.len() / 2], values[values.len() - 1])
        };
        let rates: Vec<f64> = (0..5).map(|place| spread(&|round| round[place]).1).collect();
        let [reference, memory, bare] = [(3, 0), (3, 1), (3, 2)].map(|(one, other)| {
            let (least, median, most) = spread(&|round| round[one] / round[other]);
            format!("{median:.2} ({least:.2}-{most:.2})")
        });
        println!(
            "{name:<8} {:>15.0} {:>9.0} {:>10.0} {:>12.0} {:>12.0}   \
             {reference:<18} {memory:<18} {bare:<18}",
            rates[0], rates[1], rates[2], rates[3], rates[4]
        );
    }
}

/// The server's TLS.
fn configuration(folder: &Path) -> Arc<ServerConfig> {
    ebp_server::auth::server_config(
        &ebp_survey::authority::certificate_path(&folder.join("authority")),
        &folder.join("server.pem"),
        &folder.join("server.key"),
        Arc::new(SystemClock),
    )
    .unwrap()
}

/// Accepts, shakes hands, reads to the end and closes: the least that any server does.
fn bare_if_asked() {
    let Some(folder) = std::env::var_os(BARE) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let tls = TlsAcceptor::from(configuration(Path::new(&folder)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let tls = tls.clone();
                tokio::spawn(async move {
                    stream.set_nodelay(true).unwrap();
                    let mut stream = tls.accept(stream).await.unwrap();
                    let _ = stream.read_to_end(&mut Vec::new()).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        let end = || std::io::stdin().read_to_end(&mut Vec::new());
        let _ = tokio::task::spawn_blocking(end).await;
    });
    std::process::exit(0);
}

/// The bare loop in a process of its own.
struct Bare {
    address: SocketAddr,
    process: Process,
    child: Child,
}

impl Bare {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env(BARE, folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { address: line.trim().parse().unwrap(), process: Process(child.id()), child }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// The server's side alone, without sockets; handshakes a second.
fn in_memory(
    config: &Arc<ServerConfig>,
    client: &Arc<ClientConfig>,
    kind: HandshakeKind,
    count: usize,
) -> f64 {
    if kind == HandshakeKind::Full {
        // A client that remembers nothing.
        let mut forgetful = (**client).clone();
        forgetful.resumption = rustls::client::Resumption::disabled();
        return one_by_one(config, &forgetful.into(), kind, count);
    }
    one_by_one(config, client, HandshakeKind::Full, 1);
    one_by_one(config, client, kind, count)
}

/// Processor time of this thread: what else the machine does has no part in it.
fn thread_time() -> Duration {
    rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).try_into().unwrap()
}

fn one_by_one(
    config: &Arc<ServerConfig>,
    client: &Arc<ClientConfig>,
    kind: HandshakeKind,
    count: usize,
) -> f64 {
    let mut took = Duration::ZERO;
    let name = ServerName::try_from("127.0.0.1").unwrap();
    for _ in 0..count {
        let mut client = ClientConnection::new(client.clone(), name.clone()).unwrap();
        let start = thread_time();
        let mut server = ServerConnection::new(config.clone()).unwrap();
        took += thread_time() - start;
        let mut wire = Vec::new();
        while client.is_handshaking() || server.is_handshaking() || client.wants_write() {
            wire.clear();
            while client.wants_write() {
                client.write_tls(&mut wire).unwrap();
            }
            let start = thread_time();
            let mut rest = &wire[..];
            while !rest.is_empty() {
                server.read_tls(&mut rest).unwrap();
                server.process_new_packets().unwrap();
            }
            let mut back = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut back).unwrap();
            }
            took += thread_time() - start;
            let mut rest = &back[..];
            while !rest.is_empty() {
                client.read_tls(&mut rest).unwrap();
                client.process_new_packets().unwrap();
            }
        }
        assert_eq!(server.handshake_kind(), Some(kind));
        // Nothing was sent beyond the handshake.
        let _ = client.writer().flush();
        let _ = server.reader().read(&mut [0; 1]);
    }
    rate(count, took)
}

/// Through sockets: connect, end the connection, read its end. The time it took and the server's
/// processor time.
async fn over_sockets(
    address: SocketAddr,
    server: Process,
    identity: &Arc<ClientConfig>,
    kind: HandshakeKind,
    count: usize,
) -> (Duration, Duration) {
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut config = (**identity).clone();
        config.resumption = match kind {
            HandshakeKind::Full => rustls::client::Resumption::disabled(),
            _ => rustls::client::Resumption::default(),
        };
        let config = Arc::new(config);
        // The tickets come behind the first handshake.
        connect(address, &config, HandshakeKind::Full).await;
        clients.push(config);
    }
    let before = server.cpu();
    let start = Instant::now();
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|config| {
            tokio::spawn(async move {
                for _ in 0..count / CLIENTS {
                    connect(address, &config, kind).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    (start.elapsed(), server.cpu() - before)
}

async fn connect(address: SocketAddr, config: &Arc<ClientConfig>, kind: HandshakeKind) {
    let mut stream = handshake(address, config).await.unwrap();
    assert_eq!(stream.get_ref().1.handshake_kind(), Some(kind));
    stream.shutdown().await.unwrap();
    let _ = stream.read_to_end(&mut Vec::new()).await;
}
