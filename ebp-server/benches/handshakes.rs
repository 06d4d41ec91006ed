//! New mutual TLS connections a second through the server's listener, full and resumed, beside what
//! rustls does with the same configuration, keys and certificates in memory:
//! `cargo bench -p ebp-server --bench handshakes`.
//!
//! As in rustls' own benchmark both sides are run on one thread and the server's side alone is
//! timed. The server over sockets shares the machine's cores with the clients, whose side of a
//! handshake costs as much: so its processor time for a connection is compared, which is what one
//! core of its own could do, and the rate is told beside it. It has the kernel's part of accepting,
//! reading, writing and closing in it.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails has failed")]

mod support;

use std::{
    io::{Read as _, Write as _},
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
    rate,
    server::{self, Server},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const CLIENTS: usize = 8;

fn main() {
    server::serve_if_asked();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    machine("Mutual TLS connections (TLS 1.3, ECDSA P-256 on both sides)");
    let count = parameter("EBP_BENCH_HANDSHAKES", 4000);
    let server = Server::start(None).await;
    let household = Household::register(&*server.store).await;
    let folder = server.folder();
    let config = ebp_server::auth::server_config(
        &ebp_server::authority::certificate_path(&folder.join("authority")),
        &folder.join("server.pem"),
        &folder.join("server.key"),
        Arc::new(SystemClock),
    )
    .unwrap();
    println!(
        "{:<8} {:>32} {:>32} {:>14} {:>8}",
        "", "rustls in memory, server, 1/s", "server, 1/s of its processor", "1/s in all", "ratio"
    );
    for (name, kind) in [("full", HandshakeKind::Full), ("resumed", HandshakeKind::Resumed)] {
        let (mut ratios, mut lines) = (Vec::new(), Vec::new());
        for _ in 0..parameter("EBP_BENCH_ROUNDS", 5) {
            let client = household.identity(&server);
            let memory = in_memory(&config, &client, kind, count);
            let (took, cpu) = over_sockets(&server, &household, kind, count).await;
            let (own, all) = (rate(count, cpu), rate(count, took));
            ratios.push(own / memory);
            lines.push((memory, own, all));
        }
        let median = |of: fn(&(f64, f64, f64)) -> f64| {
            let mut values: Vec<f64> = lines.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        ratios.sort_by(f64::total_cmp);
        println!(
            "{name:<8} {:>32.0} {:>32.0} {:>14.0} {:>8.2}   ({:.2}-{:.2})",
            median(|line| line.0),
            median(|line| line.1),
            median(|line| line.2),
            ratios[ratios.len() / 2],
            ratios[0],
            ratios[ratios.len() - 1]
        );
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

/// Through the listener: connect, end the connection, read its end. The time it took and the
/// server's processor time.
async fn over_sockets(
    server: &Server,
    household: &Household,
    kind: HandshakeKind,
    count: usize,
) -> (Duration, Duration) {
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut config = (*household.identity(server)).clone();
        if kind == HandshakeKind::Full {
            config.resumption = rustls::client::Resumption::disabled();
        }
        let config = Arc::new(config);
        // The tickets come behind the first handshake.
        connect(server, &config, HandshakeKind::Full).await;
        clients.push(config);
    }
    let before = Process::cpu(server.process);
    let start = Instant::now();
    let address = server.address;
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|config| {
            tokio::spawn(async move {
                for _ in 0..count / CLIENTS {
                    let mut stream = handshake(address, &config).await.unwrap();
                    assert_eq!(stream.get_ref().1.handshake_kind(), Some(kind));
                    stream.shutdown().await.unwrap();
                    let _ = stream.read_to_end(&mut Vec::new()).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    (start.elapsed(), server.process.cpu() - before)
}

async fn connect(server: &Server, config: &Arc<ClientConfig>, kind: HandshakeKind) {
    let mut stream = handshake(server.address, config).await.unwrap();
    assert_eq!(stream.get_ref().1.handshake_kind(), Some(kind));
    stream.shutdown().await.unwrap();
    let _ = stream.read_to_end(&mut Vec::new()).await;
}
