//! A virtual meter on a pseudoterminal, in real time: an MT175 for the impatient, everything five to
//! ten times as fast.

use std::{
    any::Any,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use ebp_core::clock::{BootId, Clock, DeviceClock, SystemClock};
use ebp_meter::{
    interface::{
        Environment, Registry, Site,
        promises::{Stand, Start, count_light},
    },
    port::PortName,
    profile::Profiles,
    unlock::Tries,
    virtual_meter::{Memory, Pty, Source, Tempo, VirtualMeter, run},
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{PINS, virtual_meter};

/// From one telegram of the meter to the next.
const TELEGRAM: Duration = Duration::from_millis(600);

/// The machine's clocks since the test began.
struct MachineClock(Instant);

impl Clock for MachineClock {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }
}

impl DeviceClock for MachineClock {
    fn boot(&self) -> BootId {
        BootId(Uuid::nil())
    }

    fn since_boot(&self) -> Duration {
        self.0.elapsed()
    }

    fn synchronised(&self) -> bool {
        true
    }
}

/// A meter at work on a thread of its own, until it is dropped.
struct Running {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn quick_text() -> String {
    let interval = |name: &str, send: u32, slower: u32, accept: [u32; 2]| {
        format!(
            "{name} = {{ send_ms = {send}, slower_ms = {slower}, accept_ms = {accept:?}, \
             source = \"test\" }}"
        )
    };
    include_str!("../../profiles/mt175.toml")
        .lines()
        .map(|line| match line.split(" =").next().unwrap_or_default() {
            "push_interval_ms" => "push_interval_ms = 600".to_owned(),
            "short_press" => interval("short_press", 100, 130, [60, 290]),
            "long_press" => interval("long_press", 500, 600, [400, 2000]),
            "between_presses" => interval("between_presses", 120, 150, [60, 580]),
            "after_wake" => interval("after_wake", 200, 250, [60, 580]),
            "next_digit" => interval("next_digit", 900, 950, [600, 1150]),
            "return_to_normal_s" => "return_to_normal_s = 8".to_owned(),
            "name" => "name = \"QUICK\"".to_owned(),
            "aliases" => String::new(),
            _ => line.to_owned(),
        })
        .map(|line| line + "\n")
        .collect()
}

/// Starts a meter; where it is opened.
fn running(meter: VirtualMeter) -> (Running, PathBuf) {
    let mut source = Source::Meter(Box::new(meter));
    let stop = Arc::new(AtomicBool::new(false));
    let (ready, path) = mpsc::channel();
    let stopped = Arc::clone(&stop);
    let thread = thread::spawn(move || {
        let on_ready = |path: &Path| drop(ready.send(path.to_owned()));
        run(&mut source, None, None, Tempo::default(), &stopped, on_ready).unwrap();
    });
    let path = path.recv_timeout(Duration::from_secs(10)).unwrap();
    (Running { stop, thread: Some(thread) }, path)
}

fn put_up(start: Start) -> Stand {
    let mut profiles = Profiles::default();
    profiles.add("quick.toml", &quick_text()).unwrap();
    let driver = Arc::clone(Registry::from_profiles(&profiles).driver("QUICK").unwrap());
    let folder = tempfile::tempdir().unwrap();
    // The meter writes down what it remembers before each telegram.
    let memory = Memory::in_file(&folder.path().join("meter.json"));
    let (path, meter): (PathBuf, Box<dyn Any>) = match start {
        Start::Silent => {
            let pty = Pty::open(None).unwrap();
            (pty.path().to_owned(), Box::new(pty))
        }
        Start::Open | Start::Locked => {
            let meter = virtual_meter(profiles.get("QUICK").unwrap(), start);
            let (running, path) = running(meter.with_memory(memory.clone()).unwrap());
            (path, Box::new(running))
        }
    };
    let tries = Tries::in_folder(folder.path());
    let (environment, presses) = count_light(Environment::for_machine(tries, Arc::default()));
    let wrong_pins = move || {
        thread::sleep(TELEGRAM * 2);
        let lock = memory.recall().unwrap().and_then(|state| state.lock);
        lock.map_or(0, |lock| lock.wrong.into())
    };
    Stand {
        site: Site::new(PortName::Path(path), driver.model().read),
        driver,
        environment,
        clock: Arc::new(MachineClock(Instant::now())),
        pins: Some(PINS),
        keys: Box::new(move || presses.load(Ordering::Relaxed)),
        wrong_pins: Box::new(wrong_pins),
        keep: Box::new((meter, folder)),
    }
}

// What takes minutes of waiting is left to the simulated ones.
ebp_meter::promises!(
    put_up,
    [
        measuring_gives_what_the_meter_shows,
        silence_ends_in_time,
        stopping_ends_reading,
        reading_sends_no_light,
        identifying_leaves_the_meter_as_it_is,
        dropping_it_frees_the_port,
        an_open_meter_gets_no_light,
        unlocking_twice_is_unlocking_once,
        a_wrong_pin_counts_once,
        stopped_before_it_begins_nothing_is_sent,
        keeping_open_needs_a_lock,
    ]
);
