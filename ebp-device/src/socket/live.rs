//! Reading heads that also read for whoever asks at the socket, between the cycle's own jobs.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ebp_core::clock::DeviceClock;
use ebp_meter::aggregator::{Done, Heads, Job, Reading};
use uuid::Uuid;

use super::{
    listener::Asked,
    message::{Answer, Reason, Telegram},
};

/// A meter is listened to for so long at most: that is several telegrams of any that sends by itself.
const LISTEN: Duration = Duration::from_secs(15);
/// The head is free again so long before the cycle wants it.
const ROOM: Duration = Duration::from_secs(10);

/// Heads of which the cycle's engine sees its own jobs only.
#[derive(Debug)]
pub struct LiveHeads<H> {
    /// The heads themselves.
    pub inner: H,
    /// The meters' identifiers, by index.
    meters: Vec<Uuid>,
    /// Meters at which the engine's job is under way.
    at_work: BTreeSet<usize>,
    /// Who waits for a telegram, by meter.
    waiting: BTreeMap<usize, Vec<Asked>>,
    /// Meters that are read for them.
    listening: BTreeSet<usize>,
}

impl<H: Heads> LiveHeads<H> {
    /// The heads of those meters; nobody waits yet.
    pub const fn new(inner: H, meters: Vec<Uuid>) -> Self {
        Self {
            inner,
            meters,
            at_work: BTreeSet::new(),
            waiting: BTreeMap::new(),
            listening: BTreeSet::new(),
        }
    }

    /// The index of a meter.
    pub fn index(&self, meter: Uuid) -> Option<usize> {
        self.meters.iter().position(|known| *known == meter)
    }

    /// Somebody asks for the next telegram of a meter, of which the engine wants nothing for `room`.
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

    /// Ends whatever is read for others: consent is gone, or the engine wants the head.
    fn stop_listening(&mut self, meter: usize, reason: Reason, detail: &str) {
        if self.listening.remove(&meter) {
            self.inner.leave(meter);
            for asked in self.waiting.remove(&meter).unwrap_or_default() {
                asked.answer(Answer::refuse(reason, detail));
            }
        }
    }

    /// Consent is not granted any more: nothing is read for anybody.
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
