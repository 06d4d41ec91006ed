//! One meter in the cycle: what is to be done at it next.
//!
//! Enters: the present slot, what came of earlier jobs. Leaves: the next [`Job`] and when to ask
//! again. Absent: doing it, keeping measurements.

use std::time::Duration;

use ebp_core::model::IncidentType;

use super::{
    ConfiguredMeter, Job, LastReading, Memory, Options, Reading, damage::Damage, slots::Present,
};
use crate::{lock::Lock, profile::RelockBehaviour, readout::ServerId};

/// The first pause after a failed reading; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A port is opened so long before a slot begins: a telegram of 900 bytes takes a second.
const LEAD: Duration = Duration::from_secs(2);
/// Cycles shorter than this have no time for that.
const SHORT_CYCLE: Duration = Duration::from_secs(20);
/// A job is given up so long after its end was due.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
/// The longest that unlocking may take.
const LONGEST_UNLOCKING: Duration = Duration::from_secs(900);
/// An answer that is under way is waited for at most so long from the reading's beginning: some take
/// 4 minutes at 300 baud.
const LONGEST_ANSWER: Duration = Duration::from_secs(600);
/// After so many failures in a row the USB device may be reset.
const BEFORE_RESET: u32 = 3;
/// From one reset to the next.
const BETWEEN_RESETS: Duration = Duration::from_secs(3600);
/// From one try to unlock that failed to the next, should PIN or tries have been set right.
pub(super) const TRY_AGAIN: Duration = Duration::from_secs(3600);
/// The PIN is to be entered so long before the reading that needs it, beyond the time it takes.
const PIN_MARGIN: Duration = Duration::from_secs(10);
/// A press that keeps a list open comes so much earlier than it must.
const BEFORE_PRESS: Duration = Duration::from_secs(2);

/// A job under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct UnderWay {
    /// The slot that it is for.
    pub slot: i64,
    pub begun: Duration,
    pub give_up: Duration,
}

/// A meter and what is known of it.
#[derive(Debug, Default)]
pub(super) struct Watch {
    pub under_way: Option<UnderWay>,
    /// The slot that is known to be measured.
    pub measured: Option<i64>,
    /// The slot in which it was last tried.
    pub tried: Option<i64>,
    /// In which unlocking was last tried.
    pub tried_unlocking: Option<i64>,
    pub failures: u32,
    /// What it held back when it was last read.
    pub lock: Option<Lock>,
    /// The maker that was told to be another one than the model's.
    pub other_maker: Option<String>,
    /// When no telegram came last, seconds since the Unix epoch, where the time is known.
    pub silent_at: Option<i64>,
    pub next_try: Duration,
    /// Nothing until it has been recalled.
    pub memory: Option<Memory>,
    pub noted: [Option<bool>; 2],
    pub trusted: Option<LastReading>,
    pub server_id: Option<ServerId>,
    /// Whether that is another one than the first in the meter's place, as far as telegrams told.
    pub another_meter: bool,
    pub damage: Damage,
    /// When the list that the PIN opens was last kept open.
    pub last_press: Option<Duration>,
    /// Since when every reading of this process has shown details.
    pub detailed_since: Option<Duration>,
    pub last_reset: Option<Duration>,
    /// Resetting might help.
    pub wants_reset: bool,
}

/// What is due at a meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// This, now. For a reading `true` says that it is for the present slot.
    Job(Job, bool),
    /// Nothing before that time.
    At(Duration),
}

impl Watch {
    /// What is due, whether it is measured in the present slot or not being known.
    pub fn due(&self, meter: &ConfiguredMeter, options: &Options, present: &Present) -> Due {
        let (now, slot) = (present.now(), present.slot.number());
        let memory = self.memory.unwrap_or_default();
        let is_measured = self.measured == Some(slot);
        let mut wake = present.next;

        if self.needs_pin_first(meter, &memory, present, options) {
            let lead = meter.unlocking().unwrap_or_default() + PIN_MARGIN;
            let at = if options.once { now } else { present.next.saturating_sub(lead) };
            let may = self.tried_unlocking != Some(present.following.number());
            if may && now >= at && !(options.once && is_measured) {
                return Due::Job(
                    Job::Unlock { until: present.next + options.timeout, inf: !memory.by_pressing },
                    false,
                );
            }
            if may {
                wake = wake.min(at.max(now));
            }
        }
        if !(is_measured || options.once && self.tried == Some(slot)) {
            // The port that was just tried for the next slot was tried for this one, too.
            let fresh = self.tried != Some(slot) && self.tried != Some(present.following.number());
            if fresh || now >= self.next_try {
                return Due::Job(Job::Read(self.reading(now, options)), true);
            }
            wake = wake.min(self.next_try);
        }
        if self.wants_reset && meter.reset_usb {
            let again = self.last_reset.map(|last| last.saturating_add(BETWEEN_RESETS));
            if again.is_none_or(|again| now >= again) {
                return Due::Job(Job::Reset, false);
            }
        }
        let ahead = present.next.saturating_sub(lead(meter, options));
        if !options.once && self.tried != Some(present.following.number()) {
            if now >= ahead && now < present.next {
                return Due::Job(Job::Read(self.reading(present.next, options)), false);
            }
            wake = wake.min(ahead);
        }
        match self.unlock_at(meter, options, &memory, present) {
            Some(at) if now >= at => {
                return Due::Job(
                    Job::Unlock { until: present.next, inf: !memory.by_pressing },
                    false,
                );
            }
            Some(at) => wake = wake.min(at),
            None => {}
        }
        match self.press_at(meter, &memory) {
            Some(at) if now >= at && !options.once => return Due::Job(Job::Press, false),
            Some(at) if !options.once => wake = wake.min(at),
            _ => {}
        }
        Due::At(wake)
    }

    /// Begins with that job; when it is given up.
    pub fn begin(&mut self, job: Job, now: Duration, slot: i64) -> Duration {
        let give_up = match job {
            Job::Read(reading) => reading.until.saturating_add(PATIENCE),
            Job::Unlock { .. } => now.saturating_add(LONGEST_UNLOCKING),
            Job::Press | Job::Reset => now.saturating_add(PATIENCE),
        };
        self.under_way = Some(UnderWay { slot, begun: now, give_up });
        give_up
    }

    /// A reading failed: the next try comes after a pause that grows.
    pub fn failed(&mut self, now: Duration, options: &Options) {
        let longest = LONGEST_PAUSE.min(options.cycle.duration() / 4);
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(5)).min(longest);
        self.failures = self.failures.saturating_add(1);
        self.next_try = now.saturating_add(pause);
        if self.failures.is_multiple_of(BEFORE_RESET) {
            self.wants_reset = true;
        }
    }

    /// A reading worked.
    pub fn worked(&mut self) {
        self.failures = 0;
        self.wants_reset = false;
    }

    /// What is noted of an incident, and whether that is new.
    pub fn note(&mut self, kind: IncidentType, is_present: bool) -> bool {
        let index = usize::from(kind == IncidentType::ObisCodesUnavailable);
        self.noted[index].replace(is_present) != Some(is_present)
    }

    fn reading(&self, from: Duration, options: &Options) -> Reading {
        Reading {
            from,
            until: from.saturating_add(options.timeout),
            // What is left of a cycle is for one more try.
            latest: from.saturating_add(LONGEST_ANSWER.min(options.cycle.duration() * 2 / 3)),
            // Where the profile's way fails, the meter may speak in another.
            detect: self.failures % 2 == 1,
        }
    }

    /// Whether the PIN is wanted before the next reading.
    fn needs_pin_first(
        &self,
        meter: &ConfiguredMeter,
        memory: &Memory,
        present: &Present,
        options: &Options,
    ) -> bool {
        // One-shots cannot press in between.
        let each = memory.per_reading
            || (options.once && memory.was_unlocked && keeps_by_pressing(meter, memory));
        let open = meter.stays_open().unwrap_or_default();
        let stays =
            self.last_press.is_some_and(|last| last + open > present.next + options.timeout);
        each && !stays && meter.can_unlock() && may_try(memory, present)
    }

    /// When to unlock because the codes are missing; nothing where that is not wanted.
    fn unlock_at(
        &self,
        meter: &ConfiguredMeter,
        options: &Options,
        memory: &Memory,
        present: &Present,
    ) -> Option<Duration> {
        // The power was cut: there is nothing to wait for.
        let after = if memory.was_unlocked { 1 } else { options.unlock_after };
        let wanted = memory.codes.slots >= after.max(1)
            && self.lock == Some(Lock::Locked)
            && !memory.per_reading
            && meter.can_unlock()
            && may_try(memory, present)
            && self.tried_unlocking != Some(present.following.number());
        if !wanted {
            return None;
        }
        // In the middle of a slot rather than over its end, where the cycle leaves time for that.
        let takes = meter.unlocking().unwrap_or_default() + PIN_MARGIN;
        let fits = present.left() > takes || options.cycle.duration() < 2 * takes;
        fits.then(|| present.now())
    }

    /// When the next press is due that keeps the list open.
    fn press_at(&self, meter: &ConfiguredMeter, memory: &Memory) -> Option<Duration> {
        let every = keeps_by_pressing(meter, memory).then_some(meter.press_every()?)?;
        let at = every.saturating_sub(BEFORE_PRESS);
        self.last_press.map(|last| last.saturating_add(at))
    }
}

/// How long before a slot the port is opened. One that asks its meter does so when the slot begins.
fn lead(meter: &ConfiguredMeter, options: &Options) -> Duration {
    if meter.is_asked() || options.cycle.duration() < SHORT_CYCLE { Duration::ZERO } else { LEAD }
}

fn keeps_by_pressing(meter: &ConfiguredMeter, memory: &Memory) -> bool {
    !memory.lasts && (memory.by_pressing || meter.relock() == Some(RelockBehaviour::KeepAlive))
}

/// Whether the last failure to unlock is long enough ago. A clock that was set must not make that
/// for ever.
fn may_try(memory: &Memory, present: &Present) -> bool {
    let longest = TRY_AGAIN.as_secs().cast_signed();
    memory.not_before.is_none_or(|at| {
        let left = at.saturating_sub(present.moment.at.as_second());
        !(1..=longest).contains(&left)
    })
}
