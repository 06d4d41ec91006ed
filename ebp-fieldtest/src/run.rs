//! One run of a device's two daemons, as `ebp read --every` and `ebp transmit --every` drive their
//! engines: the same engines, spool, consent gate and client, stepped instead of waited for.
//!
//! Enters: a device's parts, instants. Leaves: events, and when to step again. Absent: power.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Result;
use ebp_client::ClientError;
use ebp_core::{
    clock::SimulatedClock, contract::Consent, cycle::Cycle, model::ConsentState, phrase::counted,
};
use ebp_device::keeper::SpoolKeeper;
use ebp_device::{
    consent::{Decision, Gate},
    spool::{Spool, SpoolError, SpoolOptions},
    transmitter::{DataApi, Outcome, ReportEngine, Schedule},
};
use ebp_meter::aggregator::{
    Aggregator, ConfiguredMeter, Event, MeasureError, Options, Permission,
};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    chance::{Chance, after},
    heads::WallHeads,
    link::Link,
};

/// How often a waiting daemon looks at the clock.
const LOOK: Duration = Duration::from_secs(1);

/// What a step has to tell.
pub type Events = Vec<(Option<usize>, Event<SpoolError>)>;

/// Both daemons at work.
pub struct Run {
    clock: Arc<SimulatedClock>,
    /// The way to the Data API.
    pub link: Arc<Link>,
    reader: Reader,
    sender: Sender,
}

struct Reader {
    engine: Aggregator,
    spool: Spool,
    heads: WallHeads,
    next: Timestamp,
    answer: Option<(Timestamp, Result<Consent, ClientError>)>,
    is_over: bool,
}

struct Sender {
    engine: ReportEngine,
    spool: Spool,
    next: Timestamp,
    is_over: bool,
}

/// What a daemon's step did.
#[derive(Default)]
pub struct Stepped {
    /// Of the measuring one.
    pub events: Events,
    /// Whether it heard an answer about consent, and which.
    pub permission: Option<Permission>,
    /// Whether one of them has heard of a revocation.
    pub is_revoked: bool,
    /// What the sending one came to, where that is worth a line.
    pub sent: Option<String>,
    /// A measurement's time became known.
    pub placed: u64,
}

impl Run {
    /// Starts both.
    ///
    /// # Errors
    /// If the spool cannot be opened.
    pub fn start(
        folder: &Path,
        meters: &[ConfiguredMeter],
        heads: WallHeads,
        clock: &Arc<SimulatedClock>,
        link: Link,
        device: Uuid,
    ) -> Result<Self> {
        let now = clock.truth();
        let options = || SpoolOptions { clock: clock.clone(), ..SpoolOptions::default() };
        let spool = Spool::open_with(folder, options())?;
        let mut engine = Aggregator::new(meters.to_vec(), Options::SURVEY);
        engine.remember_consent(permission(spool.consent()?.map(|known| known.state)));
        let reader = Reader { engine, spool, heads, next: now, answer: None, is_over: false };
        let spool = Spool::open_with(folder, options())?;
        spool.note_component("transmitter", env!("CARGO_PKG_VERSION"))?;
        let schedule = Schedule::of(device, Cycle::HOUR);
        let uuids = meters.iter().map(|meter| meter.uuid).collect();
        let engine = ReportEngine::new(schedule, uuids, &spool)?;
        let sender = Sender { engine, spool, next: now, is_over: false };
        Ok(Self { clock: clock.clone(), link: Arc::new(link), reader, sender })
    }

    /// When one of them has something to do.
    #[must_use]
    pub fn next(&self) -> Timestamp {
        self.reader.next().min(self.sender.next())
    }

    /// The clock was set: both look at it within a second.
    pub fn clock_was_set(&mut self) {
        let soon = after(self.clock.truth(), LOOK);
        self.reader.next = self.reader.next.min(soon);
        self.sender.next = self.sender.next.min(soon);
    }

    /// Nothing that the heads do now reaches beyond that instant.
    pub const fn ends_at(&mut self, end: Timestamp) {
        self.reader.heads.end = end;
    }

    /// What waits in the spool.
    ///
    /// # Errors
    /// The spool's.
    pub fn spool(&self) -> &Spool {
        &self.sender.spool
    }

    /// Does what is due.
    ///
    /// # Errors
    /// Where a spool fails in a way that no fault explains.
    pub fn step(&mut self, chance: &mut Chance) -> Result<Stepped> {
        let now = self.clock.truth();
        let mut stepped = Stepped::default();
        if self.reader.next() <= now {
            self.read(now, chance, &mut stepped)?;
        }
        if self.sender.next() <= now {
            self.send(now, chance, &mut stepped);
        }
        Ok(stepped)
    }

    fn read(&mut self, now: Timestamp, chance: &mut Chance, stepped: &mut Stepped) -> Result<()> {
        let reader = &mut self.reader;
        if reader.answer.as_ref().is_some_and(|(at, _)| *at <= now)
            && let Some((_, answer)) = reader.answer.take()
        {
            let permission = match Gate::decide(&reader.spool, || answer, &*self.clock)? {
                Decision::Granted { .. } => Permission::Granted,
                Decision::NotGranted => Permission::NotGranted,
                Decision::Unknown(_) => Permission::Unknown,
                Decision::Revoked => Permission::Revoked,
            };
            reader.engine.hear_consent(permission, &*self.clock);
            stepped.permission = Some(permission);
            stepped.is_revoked = permission == Permission::Revoked;
        }
        let mut keeper = SpoolKeeper(&reader.spool);
        let step = reader.engine.step(&*self.clock, &mut keeper, &mut reader.heads);
        let revoked = step.events.iter().any(|(_, event)| is_revoked(event));
        stepped.events = step.events;
        stepped.placed = step.placed;
        reader.is_over |= step.is_over || revoked;
        if step.ask_consent {
            // An answer takes a while, and none takes longer.
            let answer = self.link.consent();
            let takes =
                if answer.is_ok() { chance.between(20, 900) } else { chance.between(20, 10_000) };
            reader.answer = Some((after(now, Duration::from_millis(takes)), answer));
        }
        reader.next = after(now, step.next.max(Duration::from_micros(100)));
        Ok(())
    }

    fn send(&mut self, now: Timestamp, chance: &mut Chance, stepped: &mut Stepped) {
        let Self { clock, sender, link, .. } = self;
        let wait = sender.engine.due_in(&**clock);
        if !wait.is_zero() {
            sender.next = after(now, wait.min(Duration::from_secs(3600)));
            return;
        }
        match sender.engine.report(&sender.spool, &**link, &**clock, chance.number()) {
            Ok(Outcome::Over) => {
                (sender.is_over, stepped.is_revoked) = (true, true);
                stepped.sent = Some("consent is revoked: the sender ends".to_owned());
            }
            Ok(Outcome::Reported(done)) => {
                let all = done.measurements;
                stepped.sent = Some(format!(
                    "sent {}, {} there already, {} refused, still waiting: {}",
                    counted(all.accepted, "measurement"),
                    all.duplicate,
                    all.refused,
                    all.remaining
                ));
            }
            Ok(Outcome::Failed { source, .. }) => {
                stepped.sent = Some(format!("not sent: {source}"))
            }
            Ok(Outcome::NotGranted | Outcome::NotDue) => {}
            Ok(Outcome::Unanswered { .. }) => stepped.sent = Some("unanswered".to_owned()),
            Err(error) => stepped.sent = Some(format!("the spool fails the sender: {error}")),
        }
        let wait = sender.engine.due_in(&**clock);
        sender.next = after(now, wait.max(LOOK).min(Duration::from_secs(3600)));
    }
}

impl Reader {
    fn next(&self) -> Timestamp {
        if self.is_over {
            return Timestamp::MAX;
        }
        let answer = self.answer.as_ref().map(|(at, _)| *at);
        [answer, self.heads.next()].into_iter().flatten().fold(self.next, Timestamp::min)
    }
}

impl Sender {
    const fn next(&self) -> Timestamp {
        if self.is_over { Timestamp::MAX } else { self.next }
    }
}

const fn is_revoked(event: &Event<SpoolError>) -> bool {
    matches!(
        event,
        Event::Failed(MeasureError::Keep(SpoolError::Revoked { .. }))
            | Event::NotKept(SpoolError::Revoked { .. })
    )
}

const fn permission(state: Option<ConsentState>) -> Permission {
    match state {
        None => Permission::Unknown,
        Some(ConsentState::NotGranted) => Permission::NotGranted,
        Some(ConsentState::Granted) => Permission::Granted,
        Some(ConsentState::Revoked) => Permission::Revoked,
    }
}
