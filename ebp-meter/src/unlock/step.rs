//! Steps through the menu to `InF` with the meter's owner, who types at each item what the display
//! shows.
//!
//! A meter sends nothing about its menu over the port, and menus differ by model and by what
//! operators have disabled. So one press goes to the next item, and the long press is sent only
//! after an explicit yes, while the menu is certainly still open.

use std::time::Duration;

use super::{
    Attempt, InfSwitch, Link, Pin, Plan, Progress, UnlockError, UnlockOptions, Unlocked, Variant,
    attempt::{Executed, Looked, Report, list_open, rest},
    is_detailed,
    open_list::Open,
};
use crate::profile;

/// The maximum number of items.
const MOST_ITEMS: u8 = 24;
/// How long before the menu closes no more presses are sent.
const MARGIN: Duration = Duration::from_secs(5);

/// What the display shows, as the owner reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// `InF OFF`: the extended data can be switched on here.
    InfOff,
    /// `InF ON`: they are on.
    InfOn,
    /// Something else, in the owner's words.
    Other(String),
}

/// The owner in front of the meter.
pub trait AskItem {
    /// What the display shows after that many presses after the PIN; `None` to give up.
    fn item(&mut self, presses: u8) -> Option<Item>;

    /// Whether the long press may be sent at the displayed item: only after an explicit yes.
    fn may_hold(&mut self) -> bool;
}

/// How stepping through the menu ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SteppedEnd {
    /// The long press was sent to `InF OFF`.
    Held,
    /// `InF` is on already.
    AlreadyOn,
    /// The owner gave up; no long press was sent.
    GivenUp,
    /// `InF` did not appear; no long press was sent.
    NotFound,
    /// The menu closed, or may have closed: no long press was sent.
    ListClosed,
}

/// The result of stepping through the menu.
#[derive(Debug, Clone)]
pub struct Stepped {
    /// How it ended.
    pub end: SteppedEnd,
    /// What the display showed, one item after the other.
    pub items: Vec<String>,
    /// The presses to `InF` after the PIN, if it was found: for `--inf-presses`.
    pub inf_presses: Option<u8>,
    /// The meter.
    pub unlocked: Unlocked,
}

impl Attempt<'_> {
    /// Enters the PIN and steps through the menu with the owner.
    ///
    /// # Errors
    /// As [`Attempt::run`].
    pub fn run_with_owner(
        &self,
        link: &mut dyn Link,
        pin: &Pin,
        ask: &mut dyn AskItem,
        progress: Report<'_>,
    ) -> Result<Stepped, UnlockError> {
        let options = UnlockOptions { inf: false, ..self.options.clone() };
        let plain = Attempt { options: &options, ..*self };
        let unlocked = plain.run(link, pin, progress)?;
        let nothing = |unlocked: Unlocked, end| {
            Ok(Stepped { end, items: Vec::new(), inf_presses: None, unlocked })
        };
        let Some(timing) = self.profile.pin.as_ref() else {
            return nothing(unlocked, SteppedEnd::ListClosed);
        };
        if unlocked.already {
            return nothing(unlocked, SteppedEnd::AlreadyOn);
        }
        let (Some(variant), Some(seen), false) =
            (unlocked.variant, unlocked.seen, unlocked.pin_was_needless)
        else {
            // The state of its menu is unknown.
            return nothing(unlocked, SteppedEnd::ListClosed);
        };
        let seen_at = self.pace.now();
        let last_press = seen_at.saturating_sub(seen);
        let open = Open { readout: unlocked.readout.clone(), last_press, seen_at };
        let mut walk = Walk { attempt: self, timing, variant, open, items: Vec::new() };
        let (end, inf_presses) = walk.walk_to_inf(link, ask, progress)?;
        let unlocked = if end == SteppedEnd::Held {
            self.watch(link, timing, variant, walk.open, progress)?
        } else {
            let seen = walk.open.seen_at.saturating_sub(walk.open.last_press);
            Unlocked { seen: Some(seen), inf: InfSwitch::Untouched, ..unlocked }
        };
        Ok(Stepped { end, items: walk.items, inf_presses, unlocked })
    }
}

/// Stepping through an open menu.
struct Walk<'a, 'b> {
    attempt: &'a Attempt<'b>,
    timing: &'a profile::Pin,
    variant: Variant,
    open: Open,
    items: Vec<String>,
}

impl Walk<'_, '_> {
    fn walk_to_inf(
        &mut self,
        link: &mut dyn Link,
        ask: &mut dyn AskItem,
        progress: Report<'_>,
    ) -> Result<(SteppedEnd, Option<u8>), UnlockError> {
        let step = Plan::next_item(self.attempt.profile, self.variant)?;
        for presses in 0..=MOST_ITEMS {
            if presses > 0 {
                if !self.is_open(link, step.duration())? {
                    return Ok((SteppedEnd::ListClosed, None));
                }
                self.press(link, &step, progress)?;
            }
            let Some(item) = ask.item(presses) else { return Ok((SteppedEnd::GivenUp, None)) };
            match item {
                Item::InfOn => {
                    self.items.push("InF ON".to_owned());
                    return Ok((SteppedEnd::AlreadyOn, Some(presses)));
                }
                Item::InfOff => {
                    self.items.push("InF OFF".to_owned());
                    return Ok((self.hold(link, ask, progress)?, Some(presses)));
                }
                Item::Other(text) => self.items.push(text),
            }
        }
        Ok((SteppedEnd::NotFound, None))
    }

    fn hold(
        &mut self,
        link: &mut dyn Link,
        ask: &mut dyn AskItem,
        progress: Report<'_>,
    ) -> Result<SteppedEnd, UnlockError> {
        let hold = Plan::hold(self.attempt.profile, self.variant)?;
        if !ask.may_hold() {
            return Ok(SteppedEnd::GivenUp);
        }
        if !self.is_open(link, hold.duration())? {
            return Ok(SteppedEnd::ListClosed);
        }
        progress(Progress::SwitchingInf);
        self.press(link, &hold, progress)?;
        Ok(SteppedEnd::Held)
    }

    fn press(
        &mut self,
        link: &mut dyn Link,
        plan: &Plan,
        progress: Report<'_>,
    ) -> Result<(), UnlockError> {
        if let Executed::Stopped { .. } = self.attempt.execute(link, plan, progress)? {
            return Err(UnlockError::Interrupted { rest: rest(self.timing) });
        }
        self.open.last_press = self.attempt.last_press(plan);
        Ok(())
    }

    /// Whether the menu will stay open for that long, according to the clock and to a present
    /// telegram with detailed values. It may have closed while the owner was answering.
    fn is_open(&mut self, link: &mut dyn Link, needed: Duration) -> Result<bool, UnlockError> {
        // Telegrams that were received while the owner was looking.
        while link.next(Duration::ZERO)?.is_some() {}
        let attempt = self.attempt;
        let wait = attempt.interval() * 3;
        let closes = self.open.last_press + list_open(self.timing);
        let in_time =
            |now: Duration| now + needed + MARGIN.min(list_open(self.timing) / 4) < closes;
        if !in_time(attempt.pace.now()) {
            return Ok(false);
        }
        match attempt.look(link, wait, |readout| is_detailed(attempt.profile, readout))? {
            Looked::Seen(readout) => {
                (self.open.readout, self.open.seen_at) = (readout, attempt.pace.now());
                Ok(in_time(self.open.seen_at))
            }
            Looked::Not => Ok(false),
            Looked::Stopped => Err(UnlockError::Interrupted { rest: rest(self.timing) }),
        }
    }
}
