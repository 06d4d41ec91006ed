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
        at.mul_f64(1.0 + f64::from(self.options.drift_ppm) / 1e6)
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
            let blocked = self
                .timing
                .blocked_s
                .map_or(self.options.blocked, |seconds| Duration::from_secs(seconds.into()));
            self.blocked_until = Some(at + blocked);
        }
    }

    /// A stretch of light has ended: what was it?
    fn pressed(&mut self, since: Duration, at: Duration) {
        let (length, pause) = (at - since, since.saturating_sub(self.released));
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
            (n, _) => within(&self.timing.next_digit, pause - self.period() * (n - 1)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profiles;

    /// A user with a torch.
    struct Torch {
        lock: Lock,
        now: Duration,
    }

    impl Torch {
        fn new(model: &str, pin: &str, options: LockOptions) -> Self {
            let profiles = Profiles::embedded();
            let lock = Lock::new(profiles.get(model).unwrap(), pin.parse().unwrap(), options);
            Self { lock: lock.unwrap(), now: Duration::from_secs(1) }
        }

        fn press(&mut self, ms: u64) {
            self.lock.light(true, self.now);
            self.now += Duration::from_millis(ms);
            self.lock.light(false, self.now);
        }

        fn pause(&mut self, ms: u64) {
            self.now += Duration::from_millis(ms);
            self.lock.advance(self.now);
        }

        fn enter(&mut self, digits: &[u8]) {
            for (index, &digit) in digits.iter().enumerate() {
                for press in 0..digit {
                    self.press(400);
                    self.pause(if press + 1 == digit { 0 } else { 300 });
                }
                // Zeros in a row share the rest of the last period.
                let zero_follows = digits.get(index + 1) == Some(&0);
                self.pause(if zero_follows { 3000 } else { 3800 });
            }
        }

        fn wake(&mut self, presses: u8) {
            for press in 0..presses {
                self.press(400);
                self.pause(if press + 1 == presses { 1000 } else { 300 });
            }
        }
    }

    #[test]
    fn the_way_in_and_out() {
        let mut torch = Torch::new("MT175", "1290", LockOptions::default());
        torch.press(400);
        assert_eq!(torch.lock.display(), Display::Test);
        torch.pause(300);
        torch.press(400);
        assert_eq!(torch.lock.display(), Display::Entry { digit: 1 });
        torch.pause(1000);
        torch.enter(&[1, 2, 9, 0]);
        assert_eq!(torch.lock.display(), Display::Menu { item: 0 });
        assert!(torch.lock.is_detailed());
        torch.pause(110_000);
        assert!(torch.lock.is_detailed());
        torch.press(400);
        torch.pause(119_000);
        assert!(torch.lock.is_detailed(), "a press in time keeps it open");
        torch.pause(1_001);
        assert!(!torch.lock.is_detailed());
        assert_eq!(torch.lock.display(), Display::Normal);
    }

    #[test]
    fn nine_wraps_to_zero() {
        let mut torch = Torch::new("PICUS", "0111", LockOptions::default());
        torch.wake(1);
        torch.enter(&[10, 1, 1, 1]);
        assert!(torch.lock.is_detailed());
    }

    #[test]
    fn what_the_tolerances_leave_out_does_not_work() {
        let digits: &[u8] = &[1, 2, 3, 4];
        // Each time one press or pause is off; the rest is right.
        let cases: [(&str, u64, u64, u64); 4] = [
            ("too short a press is not seen", 90, 300, 3800),
            ("too long a press throws out", 2500, 300, 3800),
            ("too short a pause is a bounce", 400, 50, 3800),
            ("between a pause and the next digit", 400, 2950, 3800),
        ];
        for (what, press, between, next) in cases {
            let mut torch = Torch::new("MT175", "1234", LockOptions::default());
            torch.wake(2);
            for &digit in digits {
                for n in 0..digit {
                    torch.press(press);
                    torch.pause(if n + 1 == digit { 0 } else { between });
                }
                torch.pause(next);
            }
            assert!(!torch.lock.is_detailed(), "{what}");
        }
    }

    #[test]
    fn wrong_pins_block_for_a_time_and_a_power_failure_does_not_help() {
        let mut torch = Torch::new("MT175", "1234", LockOptions::default());
        for wrong in 1..=3 {
            torch.wake(2);
            torch.enter(&[1, 2, 3, 5]);
            assert_eq!(torch.lock.wrong_pins(), wrong);
        }
        assert_eq!(torch.lock.display(), Display::Blocked);
        torch.lock.power_failure(torch.now);
        torch.wake(2);
        torch.enter(&[1, 2, 3, 4]);
        assert!(!torch.lock.is_detailed(), "blocked");
        torch.pause(3_600_000);
        torch.wake(2);
        torch.enter(&[1, 2, 3, 4]);
        assert!(torch.lock.is_detailed());
        assert_eq!(torch.lock.wrong_pins(), 0);
    }

    #[test]
    fn the_menu_switches_inf_and_the_pin_query() {
        let mut torch = Torch::new("MT175", "1234", LockOptions::default());
        torch.wake(2);
        torch.enter(&[1, 2, 3, 4]);
        for _ in 0..8 {
            torch.press(400);
            torch.pause(300);
        }
        torch.press(5500);
        torch.pause(300);
        assert!(torch.lock.is_inf_on());
        torch.press(400);
        torch.pause(300);
        torch.press(5500);
        assert!(!torch.lock.asks_pin());
        torch.pause(200_000);
        assert!(torch.lock.is_detailed(), "InF lasts");
        torch.wake(2);
        assert_eq!(torch.lock.display(), Display::Menu { item: 0 });
        torch.lock.power_failure(torch.now);
        assert!(!torch.lock.is_detailed() && torch.lock.asks_pin());
    }

    #[test]
    fn a_clock_that_drifts_too_far_misses() {
        for (ppm, opens) in [(-40_000, true), (40_000, true), (-250_000, false)] {
            let options = LockOptions { drift_ppm: ppm, ..LockOptions::default() };
            let mut torch = Torch::new("MT175", "1234", options);
            torch.wake(2);
            torch.enter(&[1, 2, 3, 4]);
            assert_eq!(torch.lock.is_detailed(), opens, "{ppm} ppm");
        }
    }
}
