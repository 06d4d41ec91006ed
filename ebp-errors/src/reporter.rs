//! A process's reports: written down at once, sent by a thread.

use std::{
    collections::HashMap,
    error::Error,
    fmt,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use ebp_core::clock::Clock;
use jiff::Timestamp;

use crate::{
    event::Release,
    folder::{Admission, Folder},
    report::Report,
    service::Service,
    stack::current_stack,
    transmission::{Step, Transmission},
};

/// Of how many groups is known in memory that they are counted alone.
const MOST_COUNTED: usize = 256;

/// How soon counts in memory are stored where nothing is sent; after that the time doubles up to
/// [`LATEST_STORED`].
const FIRST_STORED: Duration = Duration::from_secs(1);
const LATEST_STORED: Duration = Duration::from_secs(60);

/// What a reporter needs.
pub struct ReporterSettings {
    /// What all events of this process say.
    pub release: Release,
    /// Where ledger and queue are.
    pub folder: Folder,
    /// Where events go; without one they are counted in the ledger.
    pub service: Option<Service>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Is told, once each, that a report cannot be written and that the service is not reached.
    pub hear: Box<dyn Fn(fmt::Arguments<'_>) + Send + Sync>,
}

/// Takes the reports of a process. Cheap to clone.
#[derive(Clone)]
pub struct Reporter(Arc<Shared>);

struct Shared {
    release: Release,
    folder: Folder,
    sends: bool,
    clock: Arc<dyn Clock>,
    hear: Box<dyn Fn(fmt::Arguments<'_>) + Send + Sync>,
    unwritable: AtomicBool,
    /// Groups whose errors are counted in memory until an instant.
    counted: Mutex<HashMap<String, Counted>>,
    /// A thread stores what was counted in memory.
    is_storing: AtomicBool,
    state: Mutex<State>,
    changed: Condvar,
}

struct Counted {
    until: Timestamp,
    count: u64,
    last_seen: Timestamp,
}

#[derive(Default)]
struct State {
    /// Something was queued since the sender looked.
    is_woken: bool,
    /// The sender has nothing to do, or cannot do it now.
    rests: bool,
    /// This process has queued something.
    has_queued: bool,
}

/// Reports are worth more than what a panic may have left half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Reporter {
    /// Starts the thread that sends, if there is a service.
    #[must_use]
    pub fn start(settings: ReporterSettings) -> Self {
        let ReporterSettings { release, folder, service, clock, hear } = settings;
        let shared = Arc::new(Shared {
            release,
            folder: folder.clone(),
            sends: service.is_some(),
            clock,
            hear,
            unwritable: AtomicBool::new(false),
            counted: Mutex::default(),
            is_storing: AtomicBool::new(false),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        if let Some(service) = service {
            let own = Arc::clone(&shared);
            let transmission = Transmission::new(folder, service);
            let thread = thread::Builder::new().name("ebp-errors".to_owned());
            if let Err(error) = thread.spawn(move || own.send(transmission)) {
                (shared.hear)(format_args!("errors are not sent: {error}"));
            }
        }
        Self(shared)
    }

    /// Writes a report down. It is on the disk when this returns, unless its group has sent its share of
    /// the hour, or the folder cannot be written.
    pub fn report(&self, report: Report) {
        self.0.report(report);
    }

    /// Writes down what ends the process, which has said so: that this cannot be written is not told
    /// besides.
    pub fn report_last(&self, report: Report) {
        self.0.unwritable.store(true, Ordering::Relaxed);
        self.report(report);
    }

    /// Reports an error, at the caller's place.
    #[track_caller]
    pub fn report_error<E: Error + ?Sized>(&self, error: &E) {
        self.report(Report::from_error(error));
    }

    /// Waits until what this process has queued is sent or cannot be sent now, for that long at most, and
    /// returns how many events wait.
    pub fn finish(&self, most: Duration) -> usize {
        let shared = &self.0;
        shared.store_counts();
        let state = lock(&shared.state);
        if shared.sends && state.has_queued {
            let waited = shared.changed.wait_timeout_while(state, most, |state| !state.rests);
            drop(waited);
        }
        shared.folder.waiting()
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter").field("folder", &self.0.folder).finish_non_exhaustive()
    }
}

impl Shared {
    fn report(self: &Arc<Self>, mut report: Report) {
        let now = self.clock.now();
        let id = report.fingerprint(self.release.component);
        if self.counts(&id, now) {
            // The sender stores them otherwise.
            if !self.sends {
                self.store_soon();
            }
            return;
        }
        if report.stack.is_empty() && report.wants_stack && self.sends {
            report.stack = current_stack();
        }
        match self.folder.admit(&report, &self.release, self.sends, now) {
            Ok(Admission::Queued) => {
                let mut state = lock(&self.state);
                (state.is_woken, state.rests, state.has_queued) = (true, false, true);
                self.changed.notify_all();
            }
            Ok(Admission::Listed) => {}
            Ok(Admission::Counted { until }) => self.count_until(id, until, now),
            Err(error) => {
                if !self.unwritable.swap(true, Ordering::Relaxed) {
                    (self.hear)(format_args!("errors cannot be reported: {error}"));
                }
            }
        }
    }

    /// Whether the error's group is counted in memory now; then it was.
    fn counts(&self, id: &str, now: Timestamp) -> bool {
        let mut counted = lock(&self.counted);
        let Some(group) = counted.get_mut(id).filter(|group| now < group.until) else {
            return false;
        };
        group.count += 1;
        group.last_seen = now;
        true
    }

    fn count_until(&self, id: String, until: Timestamp, now: Timestamp) {
        self.store_counts();
        let mut counted = lock(&self.counted);
        if counted.len() >= MOST_COUNTED {
            counted.retain(|_, group| group.count > 0);
        }
        counted.insert(id, Counted { until, count: 0, last_seen: now });
    }

    /// Has a thread enter what was counted in memory, until nothing more is counted.
    fn store_soon(self: &Arc<Self>) {
        if self.is_storing.swap(true, Ordering::Relaxed) {
            return;
        }
        let own = Arc::clone(self);
        let store = move || {
            let mut wait = FIRST_STORED;
            loop {
                thread::sleep(wait);
                if own.store_counts() {
                    wait = (wait * 2).min(LATEST_STORED);
                } else if wait < LATEST_STORED {
                    wait = LATEST_STORED;
                } else {
                    own.is_storing.store(false, Ordering::Relaxed);
                    return;
                }
            }
        };
        // Without a thread the end of the process stores them.
        if thread::Builder::new().name("ebp-counts".to_owned()).spawn(store).is_err() {
            self.is_storing.store(false, Ordering::Relaxed);
        }
    }

    /// Enters into the ledger what was counted in memory, and says whether there was anything.
    fn store_counts(&self) -> bool {
        let due: Vec<(String, u64, Timestamp)> = lock(&self.counted)
            .iter_mut()
            .filter(|(_, group)| group.count > 0)
            .map(|(id, group)| (id.clone(), std::mem::take(&mut group.count), group.last_seen))
            .collect();
        if due.is_empty() {
            return false;
        }
        let stored = self.folder.try_change(|ledger| {
            for (id, count, last_seen) in &due {
                ledger.add(id, *count, *last_seen);
            }
        });
        if !matches!(stored, Ok(true)) {
            // Another process holds the ledger, or the disk is full: next time.
            let mut counted = lock(&self.counted);
            for (id, count, last_seen) in due {
                let none = || Counted { until: last_seen, count: 0, last_seen };
                counted.entry(id).or_insert_with(none).count += count;
            }
        }
        true
    }

    /// The thread that sends.
    fn send(&self, mut transmission: Transmission) {
        let mut is_told = false;
        loop {
            self.store_counts();
            let step = transmission.step(self.clock.now());
            match &step {
                Step::Sent => is_told = false,
                Step::Refused { status } => {
                    (self.hear)(format_args!(
                        "the error tracking service refuses a report ({status})"
                    ));
                }
                Step::Failed { reason, .. } if !is_told => {
                    is_told = true;
                    (self.hear)(format_args!(
                        "errors cannot be sent ({reason}); they are kept, and it is tried again"
                    ));
                }
                Step::Failed { .. } | Step::Idle | Step::Waiting { .. } => {}
            }
            if let Step::Sent | Step::Refused { .. } = step {
                // Not shortened by new reports: a backlog is no burst.
                thread::sleep(step.wait());
                continue;
            }
            let mut state = lock(&self.state);
            // A report may have come since the look.
            state.rests = !state.is_woken;
            self.changed.notify_all();
            let waited =
                self.changed.wait_timeout_while(state, step.wait(), |state| !state.is_woken);
            let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
            state.is_woken = false;
        }
    }
}
