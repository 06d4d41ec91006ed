//! The tunnel's two ends beside rathole 0.5.0 with TLS and OpenSSH's `-R`, in turn:
//! `cargo bench -p ebp-fleet --all-features --bench tunnel`.
//!
//! Each carries a plain connection from a visitor at the server to a service at the device: a server's
//! end and a device's end in processes of their own, TLS between them (OpenSSH: its own encryption,
//! with its default cipher). Processor time is that of both ends; the visitor and the service, which
//! are this program, are not counted. What the Data API does besides, such as an administrator's own
//! TLS, is left out: the others have nothing like it.
//!
//! `EBP_BENCH_RATHOLE` names rathole's program (else of PATH), `EBP_BENCH_ROUNDS` (9),
//! `EBP_BENCH_MIB` (256) what is sent in each direction and round.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails has failed")]

#[allow(dead_code, reason = "each benchmark uses a part")]
#[path = "server_support/process.rs"]
mod process;
#[path = "tunnel_support/mod.rs"]
mod support;

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, TcpStream},
    time::{Duration, Instant},
};

use support::{Rival, SERVICES, ends, rivals, services::Services};

/// New sessions a round.
const SESSIONS: usize = 50;
/// Bytes that go and come a round, each before the next.
const TURNS: usize = 2_000;

/// One rival's figures of one round; smaller is better.
struct Round([Duration; MEASURES.len()]);

/// What is measured.
const MEASURES: [&str; 6] = [
    "to the device, s a GB",
    "to the device, processor s a GB",
    "from the device, s a GB",
    "from the device, processor s a GB",
    "new session to first byte, ms",
    "round trip, ms",
];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some(ends::SERVER) => ends::serve(&arguments[2..]),
        Some(ends::DEVICE) => ends::hold(&arguments[2..]),
        _ => compare(),
    }
}

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

fn compare() {
    let rounds = number("EBP_BENCH_ROUNDS", 9);
    let length = number("EBP_BENCH_MIB", 256) << 20;
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(length);
    let (rivals, missing) = rivals::all(folder.path(), &services);
    println!("# The ends of a tunnel: {rounds} rounds in turn, {} MiB each way", length >> 20);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load before: {}", load.split(' ').take(3).collect::<Vec<_>>().join(" "));
    for what in missing {
        println!("\n*** SKIPPED: {what} ***");
    }
    // Whoever is first has everything to do that is done once.
    for rival in &rivals {
        measure(rival, length);
    }
    let mut all: Vec<Vec<Round>> = rivals.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for turn in 0..rivals.len() {
            let place = (round + turn) % rivals.len();
            all[place].push(measure(&rivals[place], length));
        }
    }
    print(&rivals, &all);
}

fn measure(rival: &Rival, length: usize) -> Round {
    let [sink, source, echo] = rival.ports;
    let a_gigabyte = |took: Duration| took.mul_f64(1e9 / support::as_f64(length));
    let (to, to_cpu) = with_cpu(rival, || {
        let mut stream = visit(sink);
        let piece = vec![0x5a; 64 << 10];
        for _ in 0..length / piece.len() {
            stream.write_all(&piece).unwrap();
        }
        stream.shutdown(Shutdown::Write).unwrap();
        // The service says when it has all of it.
        stream.read_exact(&mut [0]).unwrap();
    });
    let (from, from_cpu) = with_cpu(rival, || {
        let mut piece = vec![0; 64 << 10];
        let (mut stream, mut read) = (visit(source), 0);
        while read < length {
            match stream.read(&mut piece).unwrap() {
                0 => break,
                some => read += some,
            }
        }
        assert_eq!(read, length, "{}", rival.name);
    });
    let first = (0..SESSIONS).map(|_| {
        let begun = Instant::now();
        visit(echo).read_exact(&mut [0]).unwrap();
        begun.elapsed()
    });
    let first = median(first.collect());
    let mut stream = visit(echo);
    stream.read_exact(&mut [0]).unwrap();
    let turns = (0..TURNS).map(|_| {
        let begun = Instant::now();
        stream.write_all(&[1]).unwrap();
        stream.read_exact(&mut [0]).unwrap();
        begun.elapsed()
    });
    let turns = median(turns.collect());
    Round([
        a_gigabyte(to),
        a_gigabyte(to_cpu),
        a_gigabyte(from),
        a_gigabyte(from_cpu),
        first,
        turns,
    ])
}

fn visit(port: u16) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

/// How long it took, and the processor time of both ends meanwhile.
fn with_cpu(rival: &Rival, work: impl FnOnce()) -> (Duration, Duration) {
    let (before, begun) = (rival.cpu(), Instant::now());
    work();
    (begun.elapsed(), rival.cpu().saturating_sub(before))
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort_unstable();
    all[all.len() / 2]
}

fn print(rivals: &[Rival], all: &[Vec<Round>]) {
    let names: Vec<_> = rivals.iter().map(|rival| format!(" {} |", rival.name)).collect();
    println!("\nBest (median) of the rounds; the share of ours in the best of each.\n");
    println!("| what |{}", names.concat());
    println!("|---|{}", "---|".repeat(rivals.len()));
    for (place, what) in MEASURES.into_iter().enumerate() {
        let scale = if what.ends_with("ms") { 1e3 } else { 1.0 };
        let mut line = format!("| {what} |");
        let mut ours = None;
        for rounds in all {
            let of: Vec<_> = rounds.iter().map(|round| round.0[place]).collect();
            let best = of.iter().min().unwrap().as_secs_f64();
            let ours = *ours.get_or_insert(best);
            let middle = median(of).as_secs_f64();
            line.push_str(&format!(
                " {:.3} ({:.3}), {:.2} |",
                best * scale,
                middle * scale,
                ours / best
            ));
        }
        println!("{line}");
    }
    println!("\nservices: {}", SERVICES.join(", "));
}
