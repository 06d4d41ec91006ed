//! Reading heads that also read for clients of the socket, between the jobs of the measurement
//! cycle.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ebp_core::clock::DeviceClock;
use ebp_meter::{
    aggregator::{Done, Heads, Job, Reading},
    canonical::Pinned,
};
use uuid::Uuid;

use super::{
    listener::Asked,
    listening::{HeardTelegram, Listening},
    message::{Answer, Reason, Telegram},
};

/// The longest reading for a client: long enough for several telegrams of any meter that sends
/// without a request.
const LISTEN: Duration = Duration::from_secs(15);
/// The head is released this long before the cycle needs it.
const ROOM: Duration = Duration::from_secs(10);

/// Heads that show the cycle's engine only its own jobs.
#[derive(Debug)]
pub struct LiveHeads<H> {
    /// The heads themselves.
    pub inner: H,
    /// The meters' identifiers, by index.
    meters: Vec<Uuid>,
    /// Meters at which the engine's job is under way.
    at_work: BTreeSet<usize>,
    /// The clients that wait for a telegram, by meter.
    waiting: BTreeMap<usize, Vec<Asked>>,
    /// Meters that are read for them, or for outputs.
    listening: BTreeSet<usize>,
    /// Readings for outputs.
    outputs: Option<Listening>,
}

impl<H: Heads> LiveHeads<H> {
    /// The heads of those meters, without waiting clients.
    pub const fn new(inner: H, meters: Vec<Uuid>) -> Self {
        Self {
            inner,
            meters,
            at_work: BTreeSet::new(),
            waiting: BTreeMap::new(),
            listening: BTreeSet::new(),
            outputs: None,
        }
    }

    /// Reads each meter that often for outputs, in between those of the cycle.
    pub fn listen_every(
        &mut self,
        interval: Duration,
        cycle: Duration,
        pinned: impl Iterator<Item = Pinned>,
    ) {
        self.outputs = Some(Listening::new(interval, cycle, pinned));
    }

    /// The telegrams that were heard since the last call, in their order, for outputs.
    pub fn take_heard(&mut self) -> impl Iterator<Item = (usize, HeardTelegram)> + use<H> {
        self.outputs.as_mut().map(Listening::take_heard).unwrap_or_default().into_iter()
    }

    /// Begins the readings for outputs that are due. The engine needs no meter for `room`. Returns when
    /// the next is due.
    pub fn begin_due(&mut self, room: Duration, clock: &dyn DeviceClock) -> Duration {
        let Some(outputs) = &mut self.outputs else { return Duration::MAX };
        let now = clock.since_boot();
        let room = room.saturating_sub(ROOM).min(LISTEN);
        for meter in 0..self.meters.len() {
            let is_free = !self.at_work.contains(&meter) && !self.listening.contains(&meter);
            if is_free && outputs.begins(meter, now, room) {
                let until = now.saturating_add(room);
                self.listening.insert(meter);
                let reading = Reading { from: now, until, latest: until, detect: false };
                self.inner.begin(meter, Job::Read(reading));
            }
        }
        outputs.next_due(self.meters.len(), now)
    }

    /// The index of a meter.
    pub fn index(&self, meter: Uuid) -> Option<usize> {
        self.meters.iter().position(|known| *known == meter)
    }

    /// Reads the next telegram of a meter for a client. The engine does not need the meter for
    /// `room`.
    pub fn ask(&mut self, meter: usize, asked: Asked, room: Duration, clock: &dyn DeviceClock) {
        if self.listening.contains(&meter) {
            self.waiting.entry(meter).or_default().push(asked);
            return;
        }
        let Some(time) = room.checked_sub(ROOM).filter(|time| !time.is_zero()) else {
            asked.answer(Answer::refuse(
                Reason::Busy,
                "its measurement is due: ask again in a minute",
            ));
            return;
        };
        if self.at_work.contains(&meter) {
            let detail = "it is being measured or unlocked: ask again in a minute";
            asked.answer(Answer::refuse(Reason::Busy, detail));
            return;
        }
        let from = clock.since_boot();
        let until = from.saturating_add(time.min(LISTEN));
        self.waiting.entry(meter).or_default().push(asked);
        self.listening.insert(meter);
        self.inner.begin(meter, Job::Read(Reading { from, until, latest: until, detect: false }));
    }

    /// Stops readings for clients: consent was revoked, or the engine needs the head.
    fn stop_listening(&mut self, meter: usize, reason: Reason, detail: &str) {
        if self.listening.remove(&meter) {
            self.inner.leave(meter);
            for asked in self.waiting.remove(&meter).unwrap_or_default() {
                asked.answer(Answer::refuse(reason, detail));
            }
        }
    }

    /// Consent is not granted any more: nothing is read for clients.
    pub fn forbid(&mut self) {
        for meter in self.listening.iter().copied().collect::<Vec<_>>() {
            self.stop_listening(meter, Reason::NoConsent, "consent is not granted");
        }
    }
}

impl<H: Heads> Heads for LiveHeads<H> {
    fn begin(&mut self, meter: usize, job: Job) {
        self.stop_listening(meter, Reason::Busy, "its measurement is due: ask again in a minute");
        self.at_work.insert(meter);
        self.inner.begin(meter, job);
    }

    fn leave(&mut self, meter: usize) {
        self.at_work.remove(&meter);
        self.inner.leave(meter);
    }

    fn report(&mut self) -> Option<(usize, Done)> {
        loop {
            let (meter, done) = self.inner.report()?;
            if let Some(outputs) = &mut self.outputs {
                outputs.hear(meter, &done);
            }
            if !self.listening.remove(&meter) {
                self.at_work.remove(&meter);
                return Some((meter, done));
            }
            let answer = answer(self.meters.get(meter).copied().unwrap_or_default(), done);
            for asked in self.waiting.remove(&meter).unwrap_or_default() {
                asked.answer(answer.clone());
            }
        }
    }
}

fn answer(meter: Uuid, done: Done) -> Answer {
    match done {
        Done::Read { telegram: Ok(telegram), .. } => Answer::Telegram(Telegram {
            meter,
            at: telegram.at.at,
            data: telegram.readout.survey(),
        }),
        Done::Read { telegram: Err(error), .. } => {
            Answer::refuse(Reason::Silent, error.to_string())
        }
        _ => Answer::refuse(Reason::Silent, "reading it failed"),
    }
}
