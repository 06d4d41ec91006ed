//! The lock of a virtual meter, as strict as a real one.
//!
//! Enters: light on and off with its times. Leaves: whether the meter shows its details. Absent:
//! the clock (time comes in), telegrams, and how light comes over a line (see
//! [`super::light::LightReceiver`]).
//!
//! It behaves as makers' manuals and owners describe: a press wakes the display test, the next
//! leads to PIN entry, each further one adds 1, a pause fixes the digit and the next is asked for,
//! with or without presses; after the last the PIN is checked. Whatever the profile's tolerances
//! leave undefined throws the user out, so that a plan must be right to work here.

use std::time::Duration;

use super::{
    menu::{Harm, MenuItem, MenuList},
    unit::{LockMemory, LockOptions},
};
use crate::{
    profile::{self, Blocking, Interval, Profile, Wake},
    unlock::Pin,
};

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
    Waking {
        presses: u8,
    },
    /// `from` is when the pause began that fixes the digit: the end of the last press, or of the
    /// display test.
    Entry {
        fixed: Vec<u8>,
        current: u8,
        first: bool,
        pauses: u32,
        from: Duration,
    },
    Menu {
        item: u8,
    },
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
    /// The last time that came in.
    now: Duration,
    /// The end of the last press that was noticed.
    released: Duration,
    wrong: u8,
    blocked_until: Option<Duration>,
    inf: bool,
    asks_pin: bool,
    menu: MenuList,
    harm: Harm,
}

impl Lock {
    /// The lock of a unit of that model with that PIN; nothing for models without a lock.
    #[must_use]
    pub fn new(profile: &Profile, pin: Pin, options: LockOptions) -> Option<Self> {
        let timing = profile.pin.clone()?;
        let (inf, asks_pin) = (options.inf_on, options.asks_pin);
        let menu = options.menu.clone().unwrap_or_else(|| MenuList::from_profile(&timing));
        let menu = if options.inf_offered { menu } else { menu.without(MenuItem::Inf) };
        Some(Self {
            timing,
            pin,
            options,
            state: State::Normal,
            lit_since: None,
            now: Duration::ZERO,
            released: Duration::ZERO,
            wrong: 0,
            blocked_until: None,
            inf,
            asks_pin,
            menu,
            harm: Harm::default(),
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

    /// Advances the time. While light is on nothing happens: only its end determines the kind of
    /// press.
    pub fn advance(&mut self, now: Duration) {
        if self.lit_since.is_none() {
            self.pass(self.own_time(now));
        }
    }

    /// A power cut: the menu is closed, `InF` and the PIN query are as the factory set them. Wrong
    /// tries are kept, as in every lock that is one.
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
        LockMemory { inf: self.inf, asks_pin: self.asks_pin, wrong: self.wrong, harm: self.harm }
    }

    /// Goes on from what another of the same model remembered. One that was blocked is blocked for
    /// the whole time again, since how much of it had passed is not known.
    pub fn restore(&mut self, memory: LockMemory) {
        (self.inf, self.asks_pin, self.wrong) = (memory.inf, memory.asks_pin, memory.wrong);
        self.harm = memory.harm;
        if self.is_blocking() {
            self.blocked_until = Some(self.released + self.blocked());
        }
    }

    /// Whether the meter sends detailed values, at the last time that was passed.
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
            State::Entry { first: true, from, .. } if self.now < *from => Display::Test,
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

    /// Unintended effects of long presses.
    #[must_use]
    pub const fn harm(&self) -> Harm {
        self.harm
    }

    /// What stands on the display while the list is open.
    #[must_use]
    pub fn item(&self) -> Option<MenuItem> {
        match self.state {
            State::Menu { item } => self.menu.get(item),
            _ => None,
        }
    }

    /// Whether as many PINs were wrong as block it.
    fn is_blocking(&self) -> bool {
        self.timing.blocks != Blocking::Never && self.wrong >= self.timing.tries
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

    /// Everything that happens without a press until then.
    fn pass(&mut self, now: Duration) {
        self.now = self.now.max(now);
        while let State::Entry { pauses, from, .. } = &mut self.state {
            let fix_at = *self.timing.next_digit.accept().start() * (*pauses + 1) + *from;
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
        if self.is_blocking() {
            self.blocked_until = Some(at + self.blocked());
        }
    }

    /// A stretch of light has ended: what was it?
    fn pressed(&mut self, since: Duration, at: Duration) {
        self.now = self.now.max(at);
        let (length, pause) = (at.saturating_sub(since), since.saturating_sub(self.released));
        let takes = |interval: &Interval| interval.accept().contains(&length);
        if length < *self.timing.short_press.accept().start() {
            return;
        }
        let (short, long) = (takes(&self.timing.short_press), takes(&self.timing.long_press));
        let wakes = match self.timing.wake {
            Wake::Short => short,
            Wake::Long => long,
        };
        let bounced = !matches!(self.state, State::Normal)
            && pause < *self.timing.between_presses.accept().start();
        self.released = at;
        if bounced {
            if let State::Entry { from, .. } = &mut self.state {
                *from = at.max(*from);
            }
            return;
        }
        if matches!(self.state, State::Normal | State::Waking { .. }) {
            self.state = if wakes { self.waking_press(at) } else { State::Normal };
        } else if short && self.ends_display_test(since, at) {
            // It counts for nothing more.
        } else if short && self.pause_fits(since, pause) {
            self.short_press(at);
        } else if long && let State::Menu { item } = self.state {
            self.long_press(item);
        } else {
            self.state = State::Normal;
        }
    }

    /// Whether a press fell into the display test, which it ends without counting for a digit.
    fn ends_display_test(&mut self, since: Duration, at: Duration) -> bool {
        match &mut self.state {
            State::Entry { first: true, pauses: 0, from, .. } if since < *from => {
                *from = at;
                true
            }
            _ => false,
        }
    }

    /// Whether the pause before a press was one that the model's tolerances define.
    fn pause_fits(&self, since: Duration, pause: Duration) -> bool {
        let State::Entry { first, pauses, from, .. } = &self.state else { return true };
        let within = |interval: &Interval, pause: Duration| interval.accept().contains(&pause);
        match (pauses, first) {
            (0, true) => within(
                &self.timing.after_wake,
                since.saturating_sub(*from) + self.timing.display_test(),
            ),
            (0, false) => within(&self.timing.between_presses, pause),
            // The periods before the last one are exact by definition.
            (n, _) => within(
                &self.timing.next_digit,
                since.saturating_sub(*from).saturating_sub(self.period() * (n - 1)),
            ),
        }
    }

    /// A press on the way to the first digit.
    fn waking_press(&self, at: Duration) -> State {
        let presses = match self.state {
            State::Waking { presses } => presses + 1,
            _ => 1,
        };
        if presses < self.timing.wake_presses || self.blocked_until.is_some() {
            State::Waking { presses }
        } else if self.asks_pin {
            let from = at + self.timing.display_test();
            State::Entry { fixed: Vec::new(), current: 0, first: true, pauses: 0, from }
        } else {
            State::Menu { item: 0 }
        }
    }

    fn short_press(&mut self, at: Duration) {
        match &mut self.state {
            State::Entry { current, first, pauses, from, .. } => {
                (*current, *first, *pauses, *from) = ((*current + 1) % 10, false, 0, at);
            }
            State::Menu { item } => *item = self.menu.after(*item),
            State::Normal | State::Waking { .. } => {}
        }
    }

    fn long_press(&mut self, place: u8) {
        let count = |times: &mut u8| *times = times.saturating_add(1);
        match self.menu.get(place) {
            Some(MenuItem::Inf) => self.inf = !self.inf,
            Some(MenuItem::Pin) => {
                self.asks_pin = !self.asks_pin;
                if !self.asks_pin {
                    count(&mut self.harm.pin_query_off);
                }
            }
            Some(MenuItem::EClr) => count(&mut self.harm.energy_cleared),
            Some(MenuItem::HistoryClr) => count(&mut self.harm.history_cleared),
            Some(MenuItem::Parameter) => {
                self.asks_pin = true;
                count(&mut self.harm.parameter_acted);
            }
            _ => {}
        }
    }
}
