//! What the benchmarks of the server share: the real server in a process of its own, clients with
//! certificates, the machine's figures.
//!
//! Enters: what a benchmark wants served and sent. Leaves: times, and what each process used.
//! Absent: what is measured; each benchmark is a program with its own table.

#![allow(dead_code, reason = "each benchmark uses a part")]
#![allow(clippy::unwrap_used, reason = "a benchmark that fails has failed")]

pub mod client;
pub mod fleet;
pub mod household;
pub mod pages;
pub mod process;
pub mod reference;
pub mod rival;
pub mod server;

use std::time::{Duration, Instant};

pub use ebp_testkit::cluster;

/// What the figures stand for: processors, their load by others, versions.
pub fn machine(title: &str) {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("# {title}");
    println!(
        "{cores} cores, {}; load before: {}; ebp {}",
        model.trim_start_matches([' ', '\t', ':']),
        load.split(' ').take(3).collect::<Vec<_>>().join(" "),
        env!("CARGO_PKG_VERSION")
    );
    println!();
}

/// Says past any table that something was left out.
pub fn skipped(what: &str) {
    println!("\n*** SKIPPED: {what} ***\n");
}

/// Permits this process, and the server that it starts, so many open files; says what follows where the
/// system refuses.
pub fn permit_open_files(need: u64, otherwise: &str) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let permitted = getrlimit(Resource::Nofile).maximum;
    let limit = |current, maximum| Rlimit { current: Some(current), maximum };
    let wanted = limit(need, permitted.map(|maximum| maximum.max(need)));
    if setrlimit(Resource::Nofile, wanted).is_err() {
        let current = permitted.map_or(need, |maximum| maximum.min(need));
        let _ = setrlimit(Resource::Nofile, limit(current, permitted));
        skipped(&format!("{need} open files, which the system refuses: {otherwise}"));
    }
}

/// So many a second.
#[allow(clippy::cast_precision_loss, reason = "a rate")]
pub fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// The value that `share` (0 to 1) of the sorted ones do not exceed.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let place = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len());
    sorted[place - 1]
}

/// The number in the environment variable, or else this.
pub fn parameter(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

/// Times the work.
pub async fn timed<T>(work: impl Future<Output = T>) -> (Duration, T) {
    let start = Instant::now();
    let result = work.await;
    (start.elapsed(), result)
}
