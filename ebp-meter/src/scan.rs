//! Finding the port at which a meter speaks.
//!
//! Enters: ports to try, and how meters are taken up there. Leaves: [`Scan`]: the first that gave a telegram, still open, and what
//! was found at each; or what is at all of them. Absent: where the ports come from
//! ([`crate::port::list`]).

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    diagnosis::Cause,
    interface::MeterInterface,
    port::{PortError, PortInfo, PortName},
    readout::Readout,
    session::{Progress, SessionEvent},
};

/// How many ports are listened to at once. Each takes a thread that sleeps nearly all the time.
const AT_ONCE: usize = 8;
/// How long after another port was found a thread may go on waiting.
const SLICE: Duration = Duration::from_millis(100);
/// How often it is told how far a long answer is.
const BETWEEN_WORDS: Duration = Duration::from_secs(10);

/// What was found at a port.
#[derive(Debug)]
pub enum Finding {
    /// A telegram.
    Telegram,
    /// Bytes, but none that became a telegram.
    Unintelligible {
        /// How many.
        bytes: u64,
        /// Why, as far as they show it.
        cause: Option<Cause>,
    },
    /// Nothing within the time.
    Silent,
    /// Another port gave a telegram before this one had its time.
    GivenUp,
    /// It could not be opened or read.
    Failed(PortError),
}

/// What a scan found.
pub struct Scan {
    /// The first port that gave a telegram, the meter there, and the telegram.
    pub found: Option<(PortInfo, Box<dyn MeterInterface>, Readout)>,
    /// Every port, in the order given.
    pub tried: Vec<(PortInfo, Finding)>,
}

/// Hears every ten seconds, from any thread, how far a long answer is.
pub type Tell<'a> = &'a (dyn Fn(&PortInfo, Progress) + Sync);

/// Takes up the meter that may be at a port.
pub type Open<'a> = &'a (dyn Fn(&PortName) -> Result<Box<dyn MeterInterface>, PortError> + Sync);

/// Listens to all the ports at once, each for at most `wait`; the first that gives a telegram
/// wins. With more than eight ports the others wait for their turn, and get `wait` of their own.
#[must_use]
pub fn scan(ports: Vec<PortInfo>, open: Open<'_>, wait: Duration, tell: Tell<'_>) -> Scan {
    scan_with(ports, wait, End::FirstTelegram, ScanContext { open, tell })
}

/// Listens to all the ports, each until its first telegram or for `wait`; none is cut short because
/// another one speaks.
#[must_use]
pub fn listen_to_all(
    ports: Vec<PortInfo>,
    open: Open<'_>,
    wait: Duration,
    tell: Tell<'_>,
) -> Vec<(PortInfo, Finding)> {
    scan_with(ports, wait, End::EachPort, ScanContext { open, tell }).tried
}

/// When a scan is over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// A port gave a telegram.
    FirstTelegram,
    /// Each port gave one or had its time.
    EachPort,
}

/// How ports are opened, and who hears of long answers.
#[derive(Clone, Copy)]
struct ScanContext<'a> {
    open: Open<'a>,
    tell: Tell<'a>,
}

fn scan_with(ports: Vec<PortInfo>, wait: Duration, end: End, means: ScanContext<'_>) -> Scan {
    let threads = ports.len().min(AT_ONCE);
    let found = AtomicBool::new(false);
    let winner = Mutex::new(None);
    let findings: Vec<Mutex<Option<Finding>>> = ports.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(port) = ports.get(at) else { break };
            // The first batch is opened in any case, so that what bars a port is told.
            if at >= AT_ONCE && found.load(Ordering::Acquire) {
                break;
            }
            // Nobody else sets a port's own.
            let own = AtomicBool::new(false);
            let won = if end == End::FirstTelegram { &found } else { &own };
            let finding = listen(port, wait, means, won, |meter, readout| {
                *locked(&winner) = Some((at, meter, readout));
            });
            *locked(&findings[at]) = Some(finding);
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let found = winner.into_inner().unwrap_or_else(PoisonError::into_inner);
    let found = found.map(|(at, meter, readout)| (ports[at].clone(), meter, readout));
    let finding = |finding: Mutex<Option<Finding>>| {
        let finding = finding.into_inner().unwrap_or_else(PoisonError::into_inner);
        finding.unwrap_or(Finding::GivenUp)
    };
    Scan { found, tried: ports.into_iter().zip(findings.into_iter().map(finding)).collect() }
}

fn listen(
    port: &PortInfo,
    wait: Duration,
    means: ScanContext<'_>,
    found: &AtomicBool,
    win: impl FnOnce(Box<dyn MeterInterface>, Readout),
) -> Finding {
    let mut meter = match (means.open)(&port.name) {
        Ok(meter) => meter,
        Err(error) => return Finding::Failed(error),
    };
    let start = Instant::now();
    let mut word_at = start + BETWEEN_WORDS;
    loop {
        let answering = meter.answering();
        if Instant::now() >= word_at {
            answering.inspect(|progress| (means.tell)(port, *progress));
            word_at += BETWEEN_WORDS;
        }
        let left = match answering {
            // A slow answer counts by its silence, not by its length.
            Some(progress) => wait.saturating_sub(progress.silence),
            None => wait.saturating_sub(start.elapsed()),
        };
        match meter.next(left.min(SLICE)) {
            // The swap lets only one win.
            Ok(SessionEvent::Readout(readout)) if !found.swap(true, Ordering::AcqRel) => {
                win(meter, *readout);
                return Finding::Telegram;
            }
            Ok(SessionEvent::Readout(_)) => return Finding::Telegram,
            Ok(SessionEvent::Noise(_) | SessionEvent::TimedOut) => {}
            Ok(SessionEvent::End) => break,
            Err(error) => return Finding::Failed(error),
        }
        if found.load(Ordering::Acquire) {
            return Finding::GivenUp;
        }
        let is_silent = meter.answering().is_none_or(|progress| progress.silence >= wait);
        if start.elapsed() >= wait && is_silent {
            break;
        }
    }
    match meter.received() {
        0 => Finding::Silent,
        bytes => Finding::Unintelligible { bytes, cause: meter.cause() },
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
