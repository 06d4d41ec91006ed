//! What tunnels at rest cost the server: memory and descriptors, with PostgreSQL, and whether they grow
//! while they are held: `cargo bench -p ebp-server --bench idle_tunnels`.
//!
//! Each tunnel is of a device of its own, with its certificate, over the real listener; the devices'
//! ends are here. It compares the server with itself: without tunnels, with them, and after they were
//! held. `EBP_BENCH_DEVICES` (10000), `EBP_BENCH_HOLD` (seconds, 60), `EBP_BENCH_HEARTBEAT` (seconds,
//! 30; tunnels' own default).

#![allow(clippy::unwrap_used, reason = "a benchmark that fails has failed")]

#[path = "server_support/mod.rs"]
mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use ebp_fleet::tunnel::{
    Upgraded,
    dial::{Connection, Destination, Dial},
    protocol,
};
use support::{
    client::roots,
    cluster::{self, Cluster},
    fleet::Fleet,
    machine, parameter, permit_open_files,
    process::Process,
    server::{self, Server},
    skipped,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant as TokioInstant, interval_at, sleep},
};

/// How many are built at the same time.
const AT_ONCE: usize = 16;

fn main() {
    server::serve_if_asked();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    machine("Tunnels at rest");
    if cluster::binaries().is_none() {
        return skipped("everything: PostgreSQL is not installed (Debian: postgresql-15)");
    }
    let devices = parameter("EBP_BENCH_DEVICES", 10_000);
    let heartbeat = parameter("EBP_BENCH_HEARTBEAT", 30);
    let hold = Duration::from_secs(parameter("EBP_BENCH_HOLD", 60) as u64);
    // The server inherits it. Each of the two processes has one end of each tunnel.
    permit_open_files(devices as u64 + 1_000, "tunnels may be refused");
    let cluster = Cluster::as_installed("shared_buffers = 256MB\n");
    let server = Server::start(Some(&cluster)).await;
    let db = cluster.client(server.database.as_ref().unwrap()).await;
    let fleet = Fleet::make(&server, &db, devices).await;
    let roots = roots(&server.authority);
    let before = Used::read(server.process);
    println!("without tunnels: {before}");

    let begun = Instant::now();
    let lost = Arc::new(AtomicUsize::new(0));
    let destination = Destination::parse(&format!("https://{}", server.address)).unwrap();
    let places = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
    let mut building = Vec::new();
    for device in &fleet.devices {
        let place = places.clone().acquire_owned().await.unwrap();
        let dial = Dial { destination: destination.clone(), tls: device.tls(&roots), proxy: None };
        let lost = lost.clone();
        building.push(tokio::spawn(async move {
            let headers = [
                (protocol::INSTANCE, uuid::Uuid::new_v4().to_string()),
                (protocol::VERSION, "0".to_owned()),
                (protocol::HEARTBEAT, heartbeat.to_string()),
            ];
            let path = ebp_core::contract::paths::DEVICE_TUNNEL;
            let upgraded = dial.upgrade(path, protocol::DEVICE_PROTOCOL, &headers).await.unwrap();
            drop(place);
            tokio::spawn(async move {
                rest(upgraded, Duration::from_secs(heartbeat as u64)).await;
                lost.fetch_add(1, Ordering::Relaxed);
            });
        }));
    }
    for one in building {
        one.await.unwrap();
    }
    println!("{devices} tunnels built in {:.1} s", begun.elapsed().as_secs_f64());
    // Buffers of their beginnings are let go of.
    sleep(Duration::from_secs(5)).await;
    let with = Used::read(server.process);
    println!("with {devices} tunnels: {with}");
    let kib = (with.kib - before.kib) as f64 / support::rate(devices, Duration::from_secs(1));
    println!(
        "a tunnel: {kib:.1} KiB, {} descriptors in all",
        with.descriptors - before.descriptors
    );

    let (cpu, begun) = (server.process.cpu(), Instant::now());
    let mut largest = with.kib;
    while begun.elapsed() < hold {
        sleep(Duration::from_secs(5)).await;
        largest = largest.max(Used::read(server.process).kib);
    }
    let after = Used::read(server.process);
    println!("held for {:.0} s: {after}, at most {largest} KiB", begun.elapsed().as_secs_f64());
    let growth = 100.0 * (largest as f64 / with.kib as f64 - 1.0);
    let share = 100.0 * (server.process.cpu() - cpu).as_secs_f64() / begun.elapsed().as_secs_f64();
    println!("growth {growth:.2} %; {share:.1} % of one core");
    let lost = lost.load(Ordering::Relaxed);
    println!("lost meanwhile: {lost}");
    assert_eq!(lost, 0, "a tunnel at rest ended");
}

/// Holds a tunnel at rest, as a device does, until it ends.
async fn rest(mut tunnel: Upgraded<Connection>, heartbeat: Duration) {
    let mut beats = interval_at(TokioInstant::now() + heartbeat, heartbeat);
    let mut answer = [0];
    loop {
        tokio::select! {
            _ = beats.tick() => {
                if tunnel.write_all(&[0]).await.is_err() {
                    return;
                }
            }
            read = tunnel.read(&mut answer) => {
                if !read.is_ok_and(|read| read == 1) {
                    return;
                }
            }
        }
    }
}

/// What the server uses.
struct Used {
    kib: u64,
    descriptors: usize,
}

impl Used {
    fn read(process: Process) -> Self {
        let status = std::fs::read_to_string(format!("/proc/{}/status", process.0)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kib = line.split_whitespace().next().unwrap().parse().unwrap();
        let descriptors = std::fs::read_dir(format!("/proc/{}/fd", process.0)).unwrap().count();
        Self { kib, descriptors }
    }
}

impl std::fmt::Display for Used {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} KiB resident, {} descriptors", self.kib, self.descriptors)
    }
}
