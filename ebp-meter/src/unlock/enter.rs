//! Unlocking from beginning to end: look, try, look again, and know when to stop.
//!
//! Enters: an [`Attempt`], a meter that can be heard and shone upon, its PIN. Leaves: [`Unlocked`], or
//! why not. Absent: where the PIN is from; words for people beyond errors.

use std::time::Duration;

use super::{
    Attempt, Lasting, Link, MeterKey, Pin, Plan, PlanError, PressError, Progress, Refused,
    UnlockError, Unlocked, Variant,
    attempt::{Executed, Looked, Report, list_open, rest},
    is_detailed,
    open_list::Open,
};
use crate::{
    lock::{Facts, Lock},
    profile::{self, Blocking},
    readout::Readout,
};

impl Attempt<'_> {
    /// Unlocks the meter.
    ///
    /// A try is counted on the disk before its first press and cleared when detail is seen. Between
    /// tries, and after one that ended otherwise, the meter is left alone until it has returned to
    /// its normal display, where every plan begins. A PIN that brings decimals and no power is right:
    /// then the meter's operator has switched the extended data off, and no further try helps.
    ///
    /// # Errors
    /// [`UnlockError`]. The light is off in any case.
    pub fn run(
        &self,
        link: &mut dyn Link,
        pin: &Pin,
        progress: Report<'_>,
    ) -> Result<Unlocked, UnlockError> {
        let plans = [Variant::Normal, Variant::Slower]
            .map(|variant| Plan::enter_pin(self.profile, pin, variant).map(|plan| (variant, plan)));
        let [first, second] = plans;
        let mut plans = vec![first?];
        if self.options.slower {
            plans.push(second?);
        }
        let Some(timing) = &self.profile.pin else {
            return Err(PlanError::without_pin(self.profile).into());
        };
        progress(Progress::Waiting);
        let (readout, meter, before) = self.first_look(link)?;
        if is_detailed(self.profile, &readout) {
            return Ok(Unlocked::already(readout));
        }
        let spent = self.tries.get(&meter)?.is_some_and(|known| known.wrong >= timing.stop_at);
        // A meter that blocks nothing is not held to what its owner may have put right since.
        if self.options.pardon || (spent && timing.blocks == Blocking::Never) {
            self.tries.pardon(&meter)?;
        }
        let (mut made, mut lock) = (0, Lock::Unknown);
        for (variant, plan) in &plans {
            if *variant == Variant::Slower {
                progress(Progress::SlowerVariant);
            }
            match self.one_try(link, timing, (&meter, before), plan, progress) {
                Ok(Tried::Detailed(open)) => {
                    self.tries.forget(&meter)?;
                    return self.make_it_last(link, timing, *variant, open, progress);
                }
                // Where its menu stands now nobody knows, so InF is left alone.
                Ok(Tried::NeedlessPin(readout)) => {
                    self.tries.forget(&meter)?;
                    let lasting = Lasting::WhileOpen(list_open(timing));
                    return Ok(Unlocked {
                        variant: Some(*variant),
                        lasting,
                        pin_was_needless: true,
                        ..Unlocked::now(readout)
                    });
                }
                // Detail that came while the meter rested: late telegrams of the try before.
                Ok(Tried::Before(readout)) => {
                    self.tries.forget(&meter)?;
                    return Ok(Unlocked { already: made == 0, ..Unlocked::now(readout) });
                }
                // It was no wrong one, but the list stands open now.
                Ok(Tried::InVain(Lock::OperatorOff)) => {
                    self.tries.pardon(&meter)?;
                    return Err(UnlockError::OperatorOff);
                }
                Ok(Tried::InVain(after)) => (made, lock) = (made + 1, after),
                // The first try of this run used up what was left: say what happened, not that.
                Err(UnlockError::Refused(Refused::TriesExhausted { .. })) if made > 0 => break,
                Err(error) => return Err(error),
            }
        }
        let counted = self.tries.get(&meter)?.map_or(0, |known| known.wrong);
        let left = match timing.blocks {
            Blocking::Never => timing.stop_at,
            Blocking::Yes | Blocking::Unknown => timing.stop_at.saturating_sub(counted),
        };
        Err(UnlockError::NotUnlocked { tries: made, left, lock })
    }

    /// The first telegrams: whether there is anything to do, which meter it is, and what it shows.
    /// More than one, because some meters put power and identity in every other.
    fn first_look(&self, link: &mut dyn Link) -> Result<(Readout, MeterKey, Facts), UnlockError> {
        let waited = self.options.first_telegram;
        let mut facts = Facts::default();
        let mut server_id = None;
        let mut readout = None;
        let mut left = waited;
        loop {
            match self.look(link, left, |_| true)? {
                Looked::Seen(seen) => {
                    server_id = server_id.or_else(|| seen.server_id.clone());
                    facts.add(&seen);
                    let first = readout.is_none();
                    let detailed = is_detailed(self.profile, &seen);
                    readout = Some(seen);
                    if detailed || !first {
                        break;
                    }
                    left = self.interval() * 2;
                }
                Looked::Not => break,
                Looked::Stopped => return Err(UnlockError::Interrupted { rest: Duration::ZERO }),
            }
        }
        let readout = readout.ok_or(UnlockError::NoTelegram { waited })?;
        let meter = MeterKey::new(server_id.as_ref(), link.port().name());
        Ok((readout, meter, facts))
    }

    fn one_try(
        &self,
        link: &mut dyn Link,
        timing: &profile::Pin,
        (meter, mut before): (&MeterKey, Facts),
        plan: &Plan,
        progress: Report<'_>,
    ) -> Result<Tried, UnlockError> {
        let normal = rest(timing);
        let exhausted =
            |wrong| Refused::TriesExhausted { wrong, limit: timing.tries, file: self.tries.path() };
        if let Some(known) = self.tries.get(meter)? {
            if known.wrong >= timing.stop_at {
                return Err(exhausted(known.wrong).into());
            }
            let left = known.rest(self.clock.now(), normal, plan.longest());
            if !left.is_zero() && !self.options.wait_for_rest {
                return Err(Refused::Resting { left }.into());
            }
            if !left.is_zero() {
                progress(Progress::Resting { left });
                // A list that was still open has closed at its end.
                let wanted = |readout: &Readout| {
                    let facts = Facts::from_readouts(std::slice::from_ref(readout));
                    before = if facts.energy { facts } else { before };
                    is_detailed(self.profile, readout)
                };
                match self.look(link, left, wanted)? {
                    Looked::Seen(readout) => return Ok(Tried::Before(readout)),
                    Looked::Not => {}
                    Looked::Stopped => return Err(UnlockError::Interrupted { rest: left }),
                }
            }
        }
        let now = self.clock.now();
        // The longest that any PIN takes: the file must not tell the sum of the digits.
        let light_until = now.saturating_add(plan.longest()).unwrap_or(now);
        let Some(begun) = self.tries.begin(meter, timing.stop_at, light_until)? else {
            return Err(exhausted(timing.stop_at).into());
        };
        progress(Progress::Try { number: begun.wrong, of: timing.stop_at });
        let executed = match self.execute(link, plan, progress) {
            // Found out before the first press.
            Err(UnlockError::Press(
                error @ (PressError::NoBreak { .. } | PressError::InvertedNeedsBreak { .. }),
            )) => {
                self.tries.withdraw(meter)?;
                return Err(error.into());
            }
            executed => executed?,
        };
        match executed {
            Executed::Stopped { presses: 0 } => {
                self.tries.withdraw(meter)?;
                return Err(UnlockError::Interrupted { rest: Duration::ZERO });
            }
            Executed::Stopped { .. } => {
                self.tries.ended(meter, self.clock.now())?;
                return Err(UnlockError::Interrupted { rest: normal });
            }
            Executed::Detailed { readout, whole: true } => {
                return Ok(Tried::Detailed(self.open(plan, readout)));
            }
            Executed::Detailed { readout, whole: false } => {
                return Ok(Tried::NeedlessPin(readout));
            }
            Executed::Whole => {}
        }
        progress(Progress::Verifying);
        let last_press = self.last_press(plan);
        let mut now = Facts::default();
        let wanted = |readout: &Readout| {
            now.add(readout);
            is_detailed(self.profile, readout)
        };
        match self.look(link, self.verify(timing), wanted)? {
            Looked::Seen(readout) => {
                let seen_at = self.pace.now();
                Ok(Tried::Detailed(Open { readout, last_press, seen_at }))
            }
            Looked::Not => {
                self.tries.ended(meter, self.clock.now())?;
                Ok(Tried::InVain(Lock::after_pin(before, now)))
            }
            Looked::Stopped => {
                self.tries.ended(meter, self.clock.now())?;
                Err(UnlockError::Interrupted { rest: normal })
            }
        }
    }

    fn open(&self, plan: &Plan, readout: Readout) -> Open {
        Open { readout, last_press: self.last_press(plan), seen_at: self.pace.now() }
    }
}

enum Tried {
    Detailed(Open),
    Before(Readout),
    /// The wake presses alone opened the list.
    NeedlessPin(Readout),
    /// No detail came; what the meter holds back now.
    InVain(Lock),
}
