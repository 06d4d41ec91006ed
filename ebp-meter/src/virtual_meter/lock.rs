//! The lock of a virtual meter, as strict as a real one.
//!
//! Enters: light on and off with its times. Leaves: whether the meter shows its details. Absent:
//! the clock (time comes in), telegrams, and how light comes over a line (see
//! [`super::light::LightReceiver`]).
//!
//! What it does is what the makers' manuals and owners tell: a press wakes the display test, the
//! next leads to PIN entry, each further one adds 1, a pause fixes the digit and the next is asked
//! for, whoever presses then or not; after the last the PIN is checked. Whatever the profile's
//! tolerances leave undefined throws the user out, so that a plan must be right to work here.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    profile::{self, Interval, Profile},
    unlock::Pin,
};

/// How a unit differs from its model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockOptions {
    /// Whether the item `InF` is there; some operators configure it away.
    pub inf_offered: bool,
    /// Whether `InF` is on at the start.
    pub inf_on: bool,
    /// Whether the head hears its own light.
    pub echoes: bool,
    /// How fast the meter's own clock runs, parts in a million; -20000 is 2 % slow.
    pub drift_ppm: i32,
    /// How long entry is blocked where the profile does not know it.
    pub blocked: Duration,
}

impl Default for LockOptions {
    fn default() -> Self {
        Self {
            inf_offered: true,
            inf_on: false,
            echoes: false,
            drift_ppm: 0,
            blocked: Duration::from_secs(3600),
        }
    }
}

/// What the display shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Display {
    /// The energy.
    Normal,
    /// The display test, or what else lies before PIN entry.
    Test,
    /// A digit of the PIN is asked for.
    Entry {
        /// Which, from 1.
        digit: usize,
    },
    /// The list behind the right PIN, at an item counted from 0.
    Menu {
        /// The item.
        item: u8,
    },
    /// Entry is blocked: the display blinks.
    Blocked,
}

#[derive(Clone)]
enum State {
    Normal,
    Waking { presses: u8 },
    Entry { fixed: Vec<u8>, current: u8, first: bool, pauses: u32 },
    Menu { item: u8 },
}

/// What a lock remembers while its program is not running, as if the meter had stayed on the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockMemory {
    /// Whether `InF` is on.
    pub inf: bool,
    /// Whether the PIN is asked for.
    pub asks_pin: bool,
    /// Wrong PINs since the last right one.
    pub wrong: u8,
}

/// The state machine. Times are measured from any start, must not run backward, and are taken by
/// the meter's own, drifting clock.
#[derive(Clone)]
pub struct Lock {
    timing: profile::Pin,
    pin: Pin,
    options: LockOptions,
    state: State,
    lit_since: Option<Duration>,
    /// The end of the last press that was noticed.
    released: Duration,
    wrong: u8,
    blocked_until: Option<Duration>,
    inf: bool,
    asks_pin: bool,
}

impl Lock {
    /// The lock of a unit of that model with that PIN; nothing for models without a lock.
    #[must_use]
    pub fn new(profile: &Profile, pin: Pin, options: LockOptions) -> Option<Self> {
        let timing = profile.pin.clone()?;
        let inf = options.inf_on;
        Some(Self {
            timing,
            pin,
            options,
            state: State::Normal,
            lit_since: None,
            released: Duration::ZERO,
            wrong: 0,
            blocked_until: None,
            inf,
            asks_pin: true,
        })
    }

    /// The light went on or off at that time.
    pub fn light(&mut self, on: bool, at: Duration) {
        let at = self.own_time(at);
        match (on, self.lit_since) {
            (true, None) => {
                self.pass(at);
                self.lit_since = Some(at);
            }
            (false, Some(since)) => {
                self.lit_since = None;
                self.pressed(since, at);
            }
            _ => {}
        }
    }

    /// Time has passed. While light is on nothing happens: only its end tells what it was.
    pub fn advance(&mut self, now: Duration) {
        if self.lit_since.is_none() {
            self.pass(self.own_time(now));
        }
    }

    /// The power was gone: whoever was at the menu is thrown out, `InF` and the PIN query are as
    /// the factory set them. Wrong tries are kept, as in every lock that is one.
    pub fn power_failure(&mut self, at: Duration) {
        self.advance(at);
        self.state = State::Normal;
        self.lit_since = None;
        self.inf = false;
        self.asks_pin = true;
    }

    /// What it remembers.
    #[must_use]
    pub const fn memory(&self) -> LockMemory {
        LockMemory { inf: self.inf, asks_pin: self.asks_pin, wrong: self.wrong }
    }

    /// Goes on from what another of the same model remembered. One that was blocked is blocked for
    /// the whole time again, since how much of it had passed is not known.
    pub fn restore(&mut self, memory: LockMemory) {
        (self.inf, self.asks_pin, self.wrong) = (memory.inf, memory.asks_pin, memory.wrong);
        if self.wrong >= self.timing.tries {
            self.blocked_until = Some(self.released + self.blocked());
        }
    }

    /// Whether the meter tells its details, as of the last time that came in.
    #[must_use]
    pub const fn is_detailed(&self) -> bool {
        self.inf || matches!(self.state, State::Menu { .. })
    }

    /// What the display shows, as of the last time that came in.
    #[must_use]
    pub fn display(&self) -> Display {
        match &self.state {
            _ if self.blocked_until.is_some() => Display::Blocked,
            State::Normal => Display::Normal,
            State::Waking { .. } => Display::Test,
            State::Entry { fixed, .. } => Display::Entry { digit: fixed.len() + 1 },
            State::Menu { item } => Display::Menu { item: *item },
        }
    }

    /// Wrong PINs since the last right one.
    #[must_use]
    pub const fn wrong_pins(&self) -> u8 {
        self.wrong
    }

    /// Whether `InF` is on.
    #[must_use]
    pub const fn is_inf_on(&self) -> bool {
        self.inf
    }

    /// Whether the PIN is asked for.
    #[must_use]
    pub const fn asks_pin(&self) -> bool {
        self.asks_pin
    }

    fn own_time(&self, at: Duration) -> Duration {
        at.mul_f64((1.0 + f64::from(self.options.drift_ppm) / 1e6).max(0.0))
    }

    fn blocked(&self) -> Duration {
        self.timing
            .blocked_s
            .map_or(self.options.blocked, |seconds| Duration::from_secs(seconds.into()))
    }

    fn period(&self) -> Duration {
        *self.timing.next_digit.accept().start()
    }

    /// Everything that happens by itself until then, in the dark.
    fn pass(&mut self, now: Duration) {
        while let State::Entry { pauses, .. } = &mut self.state {
            let fix_at = *self.timing.next_digit.accept().start() * (*pauses + 1) + self.released;
            if now < fix_at {
                break;
            }
            *pauses += 1;
            self.fix(fix_at);
        }
        let normal_at = self.released + Duration::from_secs(self.timing.return_to_normal_s.into());
        if now >= normal_at {
            self.state = State::Normal;
        }
        if self.blocked_until.is_some_and(|until| now >= until) {
            self.blocked_until = None;
            self.wrong = 0;
        }
    }

    fn fix(&mut self, at: Duration) {
        let State::Entry { fixed, current, first, .. } = &mut self.state else { return };
        fixed.push(*current);
        (*current, *first) = (0, false);
        if fixed.len() < usize::from(self.timing.digits) {
            return;
        }
        if self.pin.is(fixed) {
            self.wrong = 0;
            self.state = State::Menu { item: 0 };
            return;
        }
        self.state = State::Normal;
        self.wrong = self.wrong.saturating_add(1);
        if self.wrong >= self.timing.tries {
            self.blocked_until = Some(at + self.blocked());
        }
    }

    /// A stretch of light has ended: what was it?
    fn pressed(&mut self, since: Duration, at: Duration) {
        let (length, pause) = (at.saturating_sub(since), since.saturating_sub(self.released));
        let takes = |interval: &Interval| interval.accept().contains(&length);
        if length < *self.timing.short_press.accept().start() {
            return;
        }
        let (short, long) = (takes(&self.timing.short_press), takes(&self.timing.long_press));
        let bounced = !matches!(self.state, State::Normal)
            && pause < *self.timing.between_presses.accept().start();
        self.released = at;
        if bounced {
            return;
        }
        if short && self.pause_fits(pause) {
            self.short_press();
        } else if long && let State::Menu { item } = self.state {
            self.long_press(item);
        } else {
            self.state = State::Normal;
        }
    }

    /// Whether the pause before a press was one that the model's tolerances define.
    fn pause_fits(&self, pause: Duration) -> bool {
        let State::Entry { first, pauses, .. } = &self.state else { return true };
        let within = |interval: &Interval, pause: Duration| interval.accept().contains(&pause);
        match (pauses, first) {
            (0, true) => within(&self.timing.after_wake, pause),
            (0, false) => within(&self.timing.between_presses, pause),
            // The periods before the last one are exact by definition.
            (n, _) => {
                within(&self.timing.next_digit, pause.saturating_sub(self.period() * (n - 1)))
            }
        }
    }

    fn short_press(&mut self) {
        let presses = match &mut self.state {
            State::Entry { current, first, pauses, .. } => {
                (*current, *first, *pauses) = ((*current + 1) % 10, false, 0);
                return;
            }
            State::Menu { item } => {
                *item = (*item + 1)
                    % self.timing.menu.as_ref().map_or(10, |menu| {
                        menu.inf_presses.max(menu.pin_presses.unwrap_or(0)).saturating_add(1)
                    });
                return;
            }
            State::Normal => 1,
            State::Waking { presses } => *presses + 1,
        };
        self.state = if presses < self.timing.wake_presses || self.blocked_until.is_some() {
            State::Waking { presses }
        } else if self.asks_pin {
            State::Entry { fixed: Vec::new(), current: 0, first: true, pauses: 0 }
        } else {
            State::Menu { item: 0 }
        };
    }

    fn long_press(&mut self, item: u8) {
        let Some(menu) = &self.timing.menu else { return };
        if item == menu.inf_presses {
            self.inf = self.options.inf_offered && !self.inf;
        } else if Some(item) == menu.pin_presses {
            self.asks_pin = !self.asks_pin;
        }
    }
}
