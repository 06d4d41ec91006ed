//! How soon devices' tunnels are back after their server was killed, and what reports feel of it:
//! `cargo bench -p ebp-server --bench fleet_return`.
//!
//! Each tunnel is held by the device's own end (`ebp_fleet::tunnel::device`), with a certificate and waits
//! of its own; other devices report over new connections meanwhile. The server is killed, comes back a
//! moment later at the same port, and is compared with itself before the kill. PostgreSQL stays.
//! `EBP_BENCH_DEVICES` (1000) tunnels, `EBP_BENCH_REPORTS` (20) a second, `EBP_BENCH_DOWN` (seconds, 2),
//! `EBP_BENCH_STEADY` (seconds, 60) before and after.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails has failed")]

#[path = "server_support/mod.rs"]
mod support;

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use ebp_core::{clock::SystemClock, contract::paths};
use ebp_fleet::tunnel::{
    device::{self, DeviceSettings, SessionLog, TunnelEvent},
    dial::Destination,
    relay::SessionLimits,
};
use rustls::RootCertStore;
use support::{
    client::{Connection, roots},
    cluster::{self, Cluster},
    fleet::{Device, Fleet},
    machine, parameter, permit_open_files, quantile,
    server::{self, Server},
    skipped,
};
use tokio::{
    sync::mpsc,
    task::{JoinSet, LocalSet},
    time::{sleep, sleep_until, timeout},
};

/// How long all tunnels may take to be built.
const PATIENCE: Duration = Duration::from_secs(180);

fn main() {
    server::serve_if_asked();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, run());
}

async fn run() {
    machine("Tunnels after their server was killed");
    if cluster::binaries().is_none() {
        return skipped("everything: PostgreSQL is not installed (Debian: postgresql-15)");
    }
    let tunnels = parameter("EBP_BENCH_DEVICES", 1_000);
    let steady = parameter("EBP_BENCH_STEADY", 60);
    let down = Duration::from_secs(parameter("EBP_BENCH_DOWN", 2) as u64);
    let reports = steady * parameter("EBP_BENCH_REPORTS", 20);
    permit_open_files(2 * tunnels as u64 + 1_000, "tunnels may be refused");
    let cluster = Cluster::as_installed("shared_buffers = 256MB\n");
    let mut server = Server::start(Some(&cluster)).await;
    let db = cluster.client(server.database.as_ref().unwrap()).await;
    let fleet = Arc::new(Fleet::make(&server, &db, tunnels + 2 * reports).await);
    let roots = roots(&server.authority);

    let (hear, mut heard) = mpsc::unbounded_channel();
    for (number, device) in fleet.devices[..tunnels].iter().enumerate() {
        let (tls, hear) = (device.tls(&roots), hear.clone());
        let settings = DeviceSettings {
            config: serde_json::from_str("{}").unwrap(),
            destination: Destination::parse(&format!("https://{}", server.address)).unwrap(),
            path: paths::DEVICE_TUNNEL,
            load_tls: Box::new(move || Ok(tls.clone())),
            certificate: PathBuf::from("kept-in-memory"),
            version: env!("CARGO_PKG_VERSION"),
            clock: Arc::new(SystemClock),
            limits: SessionLimits::default(),
            hear: Box::new(move |event| {
                let _ = hear.send((number, event));
            }),
        };
        let log = SessionLog::in_memory().unwrap();
        tokio::task::spawn_local(device::run(settings, log, std::future::pending()));
    }
    let begun = Instant::now();
    let built = wait_for_tunnels(&mut heard, tunnels, begun).await;
    println!("{tunnels} tunnels built in {:.1} s", built[tunnels - 1].as_secs_f64());

    let over = Duration::from_secs(steady as u64);
    let (count, address) = (reports, server.address);
    let begin = tunnels..tunnels + count;
    let before = send_reports(&fleet, begin, over, address, &roots).await;
    show("before", &before);

    server.kill();
    sleep(down).await;
    server.go_on();
    let begun = Instant::now();
    let begin = tunnels + count..tunnels + 2 * count;
    let (back, after) = tokio::join!(
        wait_for_tunnels(&mut heard, tunnels, begun),
        send_reports(&fleet, begin, over, address, &roots)
    );
    show("after", &after);
    println!(
        "tunnels back: half in {:.1} s, 95 % in {:.1} s, all in {:.1} s",
        quantile(&back, 0.5).as_secs_f64(),
        quantile(&back, 0.95).as_secs_f64(),
        quantile(&back, 1.0).as_secs_f64()
    );
    let ratio = quantile(&after, 0.99).as_secs_f64() / quantile(&before, 0.99).as_secs_f64();
    println!("p99 of reports, after through before: {ratio:.2}");
}

/// When each of so many tunnels was held first from now on, sorted.
async fn wait_for_tunnels(
    heard: &mut mpsc::UnboundedReceiver<(usize, TunnelEvent)>,
    count: usize,
    begun: Instant,
) -> Vec<Duration> {
    let mut seen = vec![None; count];
    let mut left = count;
    while left > 0 {
        let event = timeout(PATIENCE.saturating_sub(begun.elapsed()), heard.recv()).await;
        let (number, event) = event.expect("tunnels are missing").unwrap();
        if event == TunnelEvent::Connected && seen[number].is_none() {
            seen[number] = Some(begun.elapsed());
            left -= 1;
        }
    }
    let mut seen: Vec<Duration> = seen.into_iter().flatten().collect();
    seen.sort_unstable();
    seen
}

/// One report of each of these devices, begun evenly over that time: from its beginning until it is
/// stored, sorted.
async fn send_reports(
    fleet: &Arc<Fleet>,
    devices: std::ops::Range<usize>,
    over: Duration,
    address: SocketAddr,
    roots: &Arc<RootCertStore>,
) -> Vec<Duration> {
    let begin = tokio::time::Instant::now();
    let pause = over / u32::try_from(devices.len()).unwrap();
    let mut sending = JoinSet::new();
    for (place, number) in devices.enumerate() {
        sleep_until(begin + pause * u32::try_from(place).unwrap()).await;
        let (fleet, roots) = (fleet.clone(), roots.clone());
        sending.spawn_local(async move { report(&fleet.devices[number], address, &roots).await });
    }
    let mut took = sending.join_all().await;
    took.sort_unstable();
    took
}

async fn report(device: &Device, address: SocketAddr, roots: &Arc<RootCertStore>) -> Duration {
    let (tls, request) = (device.tls(roots), device.household.report(0, 4));
    let begun = Instant::now();
    let mut connection = Connection::tls(address, &tls).await.unwrap();
    let answer = connection.send(&request).await.unwrap();
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    begun.elapsed()
}

fn show(when: &str, sorted: &[Duration]) {
    let ms = |share| 1_000.0 * quantile(sorted, share).as_secs_f64();
    println!(
        "{} reports {when}: p50 {:.1} ms, p99 {:.1} ms, most {:.1} ms",
        sorted.len(),
        ms(0.5),
        ms(0.99),
        ms(1.0)
    );
}
