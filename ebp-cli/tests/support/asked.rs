//! Meters that wait to be asked, on pseudoterminals, as strict as real ones: what is sent at another
//! speed than theirs they do not hear, and what they send at another one arrives as garbage.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use ebp_meter::virtual_meter::Pty;
use rustix::termios::tcgetattr;

/// How a meter behaves.
pub struct Manner {
    /// What it listens for, at 300 baud.
    pub request: &'static [u8],
    /// Its name, sent in answer.
    pub name: &'static [u8],
    /// What it sends on which acknowledgement and at which speed; without one at once.
    pub answers: Vec<(&'static [u8], u32, Vec<u8>)>,
    /// How long it takes for each ten bytes of an answer.
    pub slowness: Duration,
    /// Whether the head hears its own light.
    pub echo: bool,
}

impl Manner {
    /// It answers to anybody, on that acknowledgement at that speed.
    pub fn answering(on: &'static [u8], baud: u32, data: Vec<u8>) -> Self {
        Self {
            request: b"/?!\r\n",
            name: b"/PAF5EC3gr00006\r\n",
            answers: vec![(on, baud, data)],
            slowness: Duration::ZERO,
            echo: false,
        }
    }

    /// It answers at 300 baud with so many registers of its history that the answer takes that time,
    /// which is longer than the meter is waited for.
    pub fn answering_for(time: Duration) -> Self {
        let registers: String =
            (1..90).map(|at| format!("1-0:1.8.0*{at:02}({at:09}.500*kWh)\r\n")).collect();
        let mut data =
            format!("1-0:1.8.0*255(004711.815*kWh)\r\n{registers}!\r\n\x03").into_bytes();
        data.push(data.iter().fold(0, |check, byte| check ^ byte));
        data.insert(0, 2);
        let pieces = u32::try_from(data.len() / 10).unwrap();
        let slowness = time / pieces;
        Self { name: b"/ELS@A1500\r\n", slowness, ..Self::answering(b"", 300, data) }
    }
}

/// A living one.
pub struct AskedMeter {
    /// Where it is opened.
    pub link: PathBuf,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl AskedMeter {
    /// Lets one live at that link.
    pub fn start(link: &Path, manner: Manner) -> Self {
        let pty = Pty::open(Some(link)).unwrap();
        let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap();
        let readers =
            OpenOptions::new().read(true).custom_flags(nonblocking).open(pty.device()).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || live(&pty, &readers, &manner, &stopped));
        Self { link: link.to_owned(), stop, thread: Some(thread) }
    }
}

impl Drop for AskedMeter {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn live(pty: &Pty, readers: &File, manner: &Manner, stop: &AtomicBool) {
    const ACKNOWLEDGED_WITHIN: Duration = Duration::from_millis(1500);
    let speed = || tcgetattr(readers).map_or(0, |line| line.input_speed());
    let hear = || {
        let mut buffer = [0; 64];
        let count = pty.receive(&mut buffer, Duration::from_millis(20)).unwrap_or(0);
        let bytes = buffer[..count].to_vec();
        if manner.echo {
            pty.send(&bytes).unwrap();
        }
        if speed() == 300 { bytes } else { Vec::new() }
    };
    let send = |bytes: &[u8], baud: u32| {
        for piece in bytes.chunks(10) {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let arrives = if speed() == baud { piece } else { &[0x80, 0xff, 0x00][..] };
            pty.send(arrives).unwrap();
            thread::sleep(manner.slowness);
        }
    };
    let mut heard = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        heard.extend(hear());
        if !heard.ends_with(manner.request) {
            continue;
        }
        heard.clear();
        if manner.name.is_empty() {
            continue;
        }
        send(manner.name, 300);
        let (begun, mut answer) = (Instant::now(), Vec::new());
        while answer.len() < 6 && begun.elapsed() < ACKNOWLEDGED_WITHIN {
            answer.extend(hear());
        }
        if let Some((_, baud, data)) = manner.answers.iter().find(|(on, _, _)| *on == answer) {
            // The six characters take 200 ms, and then the reader has time to change its speed.
            thread::sleep(Duration::from_millis(400));
            send(data, *baud);
        }
    }
}
