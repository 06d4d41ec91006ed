//! What it costs to listen to ten meters: processor time and wake-ups.
//!
//! `cargo bench -p ebp-meter --bench ports` starts itself once more as a process of ten virtual
//! meters on pseudoterminals, each of which pushes a telegram a second at 9600 baud, and reads them
//! with ten sessions for twenty seconds. Enters: nothing. Leaves: processor time as a share of one
//! core, wake-ups, telegrams. Absent: a real serial driver, whose interrupts the kernel pays.

#![allow(clippy::unwrap_used, missing_docs, reason = "a measurement")]

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::atomic::AtomicBool,
    thread,
    time::{Duration, Instant},
};

use ebp_meter::{
    port::PortName,
    profile::Profiles,
    session::{ReadOptions, Session, SessionEvent},
    virtual_meter::{Energies, HouseholdOptions, MeterOptions, Source, Tempo, VirtualMeter, run},
};
use rustix::time::{ClockId, clock_gettime};

const METERS: u32 = 10;
const LISTEN: Duration = Duration::from_secs(20);
const INTERVAL: Duration = Duration::from_secs(1);

fn main() {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("meters") => meters(Path::new(&arguments.next().unwrap())),
        Some("--bench") => listen(),
        // `cargo test --benches` only asks whether it runs.
        _ => {}
    }
}

/// The other process: ten meters until it is ended.
fn meters(folder: &Path) {
    thread::scope(|scope| {
        for number in 0..METERS {
            scope.spawn(move || {
                let options = MeterOptions {
                    kind: ebp_core::model::MeterType::Electricity,
                    number,
                    household: HouseholdOptions {
                        seed: number.into(),
                        pv_peak_watts: 8000,
                        battery_watt_hours: 0,
                    },
                    locked: false,
                    start: "2026-01-01T00:00:00Z".parse().unwrap(),
                    energies: Energies::from_watt_hours(4_711_500, 2_345_600).unwrap(),
                };
                let profiles = Profiles::embedded();
                let meter = VirtualMeter::new(profiles.get("MT175").unwrap(), options).unwrap();
                let tempo = Tempo { push_interval: Some(INTERVAL), ..Tempo::default() };
                let link = folder.join(number.to_string());
                let forever = AtomicBool::new(false);
                run(
                    &mut Source::Meter(Box::new(meter)),
                    Some(&link),
                    None,
                    tempo,
                    &forever,
                    |_| {},
                )
                .unwrap();
            });
        }
    });
}

/// This process: ten sessions, a thread each.
fn listen() {
    let folder = tempfile::tempdir().unwrap();
    let mut meters = Command::new(std::env::current_exe().unwrap())
        .arg("meters")
        .arg(folder.path())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let sessions: Vec<Session> =
        (0..METERS).map(|number| session(&folder.path().join(number.to_string()))).collect();
    let (processor, woken, begun) = (processor_time(), wake_ups(), Instant::now());
    let readers: Vec<_> =
        sessions.into_iter().map(|session| thread::spawn(move || read(session, begun))).collect();
    thread::sleep(LISTEN);
    // Before the threads end: what they were woken for ends with them.
    let (processor, woken) = (processor_time() - processor, wake_ups() - woken);
    let telegrams: u32 = readers.into_iter().map(|reader| reader.join().unwrap()).sum();
    meters.kill().unwrap();
    meters.wait().unwrap();
    let seconds = LISTEN.as_secs_f64();
    println!("{METERS} ports, {seconds} s, {telegrams} telegrams");
    println!(
        "processor time {:.1} ms: {:.3} % of one core",
        processor.as_secs_f64() * 1e3,
        processor.as_secs_f64() / seconds * 1e2
    );
    println!(
        "{woken} wake-ups: {:.1} a second and port",
        woken as f64 / seconds / f64::from(METERS)
    );
    assert!(telegrams >= METERS * (LISTEN.as_secs() as u32 - 2), "telegrams are missing");
}

fn session(link: &Path) -> Session {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !link.exists() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(20));
    }
    let name: PortName = link.to_str().unwrap().parse().unwrap();
    Session::open(&name, ReadOptions::default()).unwrap()
}

fn read(mut session: Session, begun: Instant) -> u32 {
    let mut telegrams = 0;
    while begun.elapsed() < LISTEN + Duration::from_millis(500) {
        if let SessionEvent::Readout(_) = session.next(Duration::from_secs(2)).unwrap() {
            telegrams += 1;
        }
    }
    telegrams
}

/// Of all threads.
fn processor_time() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap()
}

/// How often a thread of this process slept and was woken, as Linux counts it.
fn wake_ups() -> u64 {
    let threads = fs::read_dir("/proc/self/task").unwrap();
    let count = |status: String| -> u64 {
        let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches"));
        line.and_then(|line| line.split_whitespace().last()).unwrap().parse().unwrap()
    };
    threads.map(|t| count(fs::read_to_string(t.unwrap().path().join("status")).unwrap())).sum()
}
