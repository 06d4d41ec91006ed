//! The measurement cycle as a state machine: it never waits and reads no clock.
//!
//! Enters: the device's clocks, reports of the heads, answers about consent. Leaves: jobs for the
//! heads, measurements for the keeper, and when to step again. Absent: threads, sleeping, the Data
//! API, and texts for people.

use std::time::Duration;

use ebp_core::clock::{BootId, DeviceClock};

use super::{
    ConfiguredMeter, Done, Event, Heads, Heard, Job, Keeper, MeasureError, Options, ReadError,
    Step,
    slots::{Key, Present},
    take::Taking,
    watch::{Due, PATIENCE, Watch},
};

/// Consent is checked this long before a slot begins, so that the answer does not delay a reading.
const CONSENT_LEAD: Duration = Duration::from_secs(30);
/// A stored granted consent is used if there is no answer after this time.
const GRACE: Duration = Duration::from_secs(2);
/// The pause between unanswered requests while consent is unknown; doubles each time.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// The longest such pause: a server that is down for days is asked some hundred times a day.
const ASK_AGAIN_AT_LAST: Duration = Duration::from_secs(300);

/// Whether anything may be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// The API has never answered.
    Unknown,
    /// The participant has not granted consent: the ports stay closed.
    NotGranted,
    /// It is granted, as of now or as of the last answer.
    Granted,
    /// It is revoked for good.
    Revoked,
}

/// The measurement cycle over all meters of a device.
#[derive(Debug)]
pub struct Aggregator {
    pub(super) meters: Vec<ConfiguredMeter>,
    pub(super) options: Options,
    pub(super) watches: Vec<Watch>,
    permission: Permission,
    /// When the Data API was asked, while there is no answer.
    asked: Option<Duration>,
    /// The slot for which it was asked last.
    asked_for: Option<i64>,
    ask_again: Option<Duration>,
    /// The number of unanswered requests in a row.
    unanswered: u32,
    /// In which run of the machine its clock was right.
    knows_the_time: Option<BootId>,
    /// The run in which all measurements without a time have got it.
    placed: Option<BootId>,
}

impl Aggregator {
    /// A cycle over those meters.
    #[must_use]
    pub fn new(meters: Vec<ConfiguredMeter>, options: Options) -> Self {
        let watches = meters.iter().map(|_| Watch::default()).collect();
        Self {
            meters,
            options,
            watches,
            permission: Permission::Unknown,
            asked: None,
            asked_for: None,
            ask_again: None,
            unanswered: 0,
            knows_the_time: None,
            placed: None,
        }
    }

    /// The meters, in the order of their indices.
    #[must_use]
    pub fn meters(&self) -> &[ConfiguredMeter] {
        &self.meters
    }

    /// Sets the consent that the device has stored, before the Data API was asked.
    pub fn remember_consent(&mut self, permission: Permission) {
        self.permission = permission;
    }

    /// Sets the Data API's answer about consent.
    pub fn hear_consent(&mut self, permission: Permission, clock: &dyn DeviceClock) {
        self.permission = permission;
        self.asked = None;
        if permission != Permission::Unknown {
            (self.unanswered, self.ask_again) = (0, None);
            return;
        }
        let pause = ASK_AGAIN.saturating_mul(1 << self.unanswered.min(16)).min(ASK_AGAIN_AT_LAST);
        self.unanswered = self.unanswered.saturating_add(1);
        self.ask_again = Some(clock.since_boot().saturating_add(pause));
    }

    /// Does what is due now.
    ///
    /// Call it again after [`Step::next`], or as soon as a head has reported or an answer about
    /// consent has arrived. Without consent no job is begun; after a revocation the step reports
    /// that the cycle has ended.
    pub fn step<K: Keeper>(
        &mut self,
        clock: &dyn DeviceClock,
        keeper: &mut K,
        heads: &mut dyn Heads,
    ) -> Step<K::Error> {
        let mut step = Step::default();
        let known = self.knows_the_time(clock, keeper, &mut step);
        let present = Present::from_moment(clock.moment(), known, self.options.cycle);
        self.place(&present, keeper, &mut step);
        if self.permission == Permission::Revoked {
            self.stop(heads);
            step.is_over = true;
            return step;
        }
        while let Some((meter, done)) = heads.report() {
            self.take(meter, done, &present, keeper, &mut step);
        }
        self.leave_what_hangs(&present, keeper, heads, &mut step);
        if step.events.iter().any(|(_, event)| matches!(event, Event::Measured(_))) {
            self.place(&present, keeper, &mut step);
        }
        self.ask(&present, &mut step);
        if self.may_read(present.now()) {
            for meter in 0..self.meters.len() {
                self.begin_due(meter, &present, keeper, heads, &mut step);
            }
        }
        step.is_over = self.options.once
            && self.may_read(present.now())
            && self.watches.iter().all(|watch| watch.under_way.is_none());
        step
    }

    /// Abandons the jobs at the heads.
    pub fn stop(&mut self, heads: &mut dyn Heads) {
        for (meter, watch) in self.watches.iter_mut().enumerate() {
            if watch.under_way.take().is_some() {
                heads.leave(meter);
            }
        }
    }

    /// Whether the time of day is trusted; asks the keeper until it is.
    fn knows_the_time<K: Keeper>(
        &mut self,
        clock: &dyn DeviceClock,
        keeper: &mut K,
        step: &mut Step<K::Error>,
    ) -> bool {
        let boot = clock.boot();
        if self.knows_the_time == Some(boot) {
            return true;
        }
        let known = keeper.knows_the_time(clock).unwrap_or_else(|error| {
            step.events.push((None, Event::NotKept(error)));
            clock.synchronised()
        });
        self.knows_the_time = known.then_some(boot);
        known
    }

    /// The measurements of a time without a clock get their slots as soon as there is one, and those
    /// of an earlier run of the machine once their meters were measured again.
    fn place<K: Keeper>(&mut self, present: &Present, keeper: &mut K, step: &mut Step<K::Error>) {
        let boot = present.moment.boot;
        if !present.knows_the_time() || self.placed == Some(boot) {
            return;
        }
        match keeper.place(present.moment, self.options.cycle) {
            Ok(placed) => {
                self.placed = (placed.waiting == 0).then_some(boot);
                step.placed += placed.placed;
            }
            Err(error) => step.events.push((None, Event::NotKept(error))),
        }
    }

    /// Consent is checked at the start and before each slot.
    fn ask(&mut self, present: &Present, step: &mut Step<impl Sized>) {
        let now = present.now();
        let lead = CONSENT_LEAD.min(self.options.cycle.duration() / 4);
        let ask_at = present.next.saturating_sub(lead);
        let slot = if now >= ask_at { present.following } else { present.slot }.number();
        let again = self.ask_again.is_some_and(|at| now >= at);
        if !self.options.once && self.asked.is_none() && (again || self.asked_for != Some(slot)) {
            step.ask_consent = true;
            (self.asked, self.asked_for, self.ask_again) = (Some(now), Some(slot), None);
        }
        let grace = self.asked.map(|asked| asked.saturating_add(GRACE)).filter(|at| *at > now);
        let next = [Some(ask_at).filter(|at| *at > now), self.ask_again, grace];
        for at in next.into_iter().flatten().chain([present.next]) {
            step.next = step.next.min(at.saturating_sub(now));
        }
    }

    fn may_read(&self, now: Duration) -> bool {
        // The pending answer may differ; an outage must not stop a granted survey.
        let waits = self.asked.is_some_and(|asked| now.saturating_sub(asked) < GRACE);
        self.permission == Permission::Granted && !waits
    }

    fn begin_due<K: Keeper>(
        &mut self,
        meter: usize,
        present: &Present,
        keeper: &mut K,
        heads: &mut dyn Heads,
        step: &mut Step<K::Error>,
    ) {
        let (configured, watch) = (&self.meters[meter], &mut self.watches[meter]);
        let now = present.now();
        if let Some(job) = watch.under_way {
            step.next = step.next.min(job.give_up.saturating_sub(now));
            return;
        }
        if watch.memory.is_none() {
            match keeper.recall(configured.uuid) {
                Ok(memory) => watch.memory = Some(memory),
                // An empty one does no harm: attempts are stored separately.
                Err(error) => {
                    watch.memory = Some(super::Memory::default());
                    step.events.push((Some(meter), Event::NotKept(error)));
                }
            }
        }
        loop {
            match watch.due(configured, &self.options, present) {
                Due::At(at) => {
                    step.next = step.next.min(at.saturating_sub(now));
                    return;
                }
                Due::Job(job, for_present) => {
                    let slot = if for_present { present.slot } else { present.following };
                    if for_present
                        && is_measured(&mut Taking {
                            meter,
                            slot: slot.number(),
                            configured,
                            watch,
                            options: &self.options,
                            present,
                            keeper,
                            events: &mut step.events,
                        })
                    {
                        continue;
                    }
                    match job {
                        Job::Read(_) => watch.tried = Some(slot.number()),
                        Job::Unlock { .. } => {
                            watch.tried_unlocking = Some(present.following.number());
                            step.events.push((Some(meter), Event::Unlocking));
                        }
                        Job::Reset => {
                            (watch.wants_reset, watch.last_reset) = (false, Some(now));
                        }
                        Job::Press => {}
                    }
                    let give_up = watch.begin(job, now, slot.number());
                    heads.begin(meter, job);
                    step.next = step.next.min(give_up.saturating_sub(now));
                    return;
                }
            }
        }
    }

    fn take<K: Keeper>(
        &mut self,
        meter: usize,
        done: Done,
        present: &Present,
        keeper: &mut K,
        step: &mut Step<K::Error>,
    ) {
        let (Some(configured), Some(watch)) = (self.meters.get(meter), self.watches.get_mut(meter))
        else {
            return;
        };
        let Some(job) = watch.under_way.take() else { return };
        let mut taking = Taking {
            meter,
            slot: job.slot,
            configured,
            watch,
            options: &self.options,
            present,
            keeper,
            events: &mut step.events,
        };
        taking.take(done);
    }

    /// A job that hangs is abandoned: its meter is tried again, and the others are not affected.
    fn leave_what_hangs<K: Keeper>(
        &mut self,
        present: &Present,
        keeper: &mut K,
        heads: &mut dyn Heads,
        step: &mut Step<K::Error>,
    ) {
        for meter in 0..self.watches.len() {
            let Some(job) = &mut self.watches[meter].under_way else { continue };
            if present.now() >= job.give_up
                && let Some(until) = heads.goes_on_until(meter)
            {
                job.give_up = job.give_up.max(until.saturating_add(PATIENCE));
            }
            if present.now() < job.give_up {
                continue;
            }
            let begun = job.begun;
            heads.leave(meter);
            self.watches[meter].wants_reset = true;
            let waited = present.now().saturating_sub(begun);
            let telegram = Err(ReadError::Hangs { waited });
            let done = Done::Read { telegram, heard: Heard::default() };
            self.take(meter, done, present, keeper, step);
        }
    }
}

/// Whether the present slot needs no reading; an error of the keeper counts as a failed attempt.
fn is_measured<K: Keeper>(taking: &mut Taking<'_, K>) -> bool {
    let (present, meter) = (taking.present, taking.configured.uuid);
    let has = match present.slot {
        Key::Placed(slot) => taking.keeper.has_slot(meter, slot),
        Key::Unplaced(_, part) => taking.keeper.has_unplaced(meter, present.moment, part),
    };
    match has {
        Ok(false) => false,
        Ok(true) => {
            taking.measured_elsewhere();
            true
        }
        Err(error) => {
            taking.watch.tried = Some(taking.slot);
            taking.failed(MeasureError::Keep(error));
            true
        }
    }
}
