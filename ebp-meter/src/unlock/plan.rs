//! Computes presses and pauses from a profile and a PIN.
//!
//! Enters: a model's timing, a PIN, a goal. Leaves: [`Plan`], steps of light and dark. Absent: the
//! clock, the port, and whether it worked.
//!
//! Zeros make this more than an addition. A digit 0 has no press: the pause alone confirms it, and
//! the meter confirms another zero each time that its period has passed. So the pause over several
//! zeros is not a multiple of the pause: 3.8 s for a period of 3 s, three times in a row, would
//! confirm a fourth zero in its slower variant. Therefore only the last confirmation of a dark
//! interval has the length from the profile, and each one before it exactly the period.

use std::{fmt, time::Duration};

use ebp_core::phrase::counted_as;

use super::{Pin, PlanError};
use crate::profile::{self, Interval, Profile};

/// The shortest light that keeps a list open: 200 ms did not, 300 ms did on a Q3A
/// (github.com/m9aertner/ATtiny-PinKeepAlive).
pub const KEEP_ALIVE: Duration = Duration::from_millis(300);

/// Which of a profile's two lengths are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variant {
    /// The ones that work on nearly every unit.
    Normal,
    /// Longer ones, for a unit that missed those.
    Slower,
}

impl Variant {
    fn duration(self, interval: &Interval) -> Duration {
        interval.send(self == Self::Slower)
    }
}

/// What a step is for, and what of it may be shown while it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// From the normal display to the first digit.
    Wake,
    /// Entering and confirming a digit.
    Digit {
        /// Which, from 1.
        number: usize,
        /// Of how many.
        of: usize,
    },
    /// Stepping through the menu to `InF`.
    Menu,
    /// The long press that switches.
    Switch,
    /// A press that keeps the menu open.
    KeepAlive,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wake => f.write_str("waking the display"),
            Self::Digit { number, of } => write!(f, "digit {number} of {of}"),
            Self::Menu => f.write_str("walking to InF"),
            Self::Switch => f.write_str("switching InF"),
            Self::KeepAlive => f.write_str("keeping the display awake"),
        }
    }
}

/// An interval of light or of dark.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Light or dark.
    pub lit: bool,
    /// For how long.
    pub duration: Duration,
    /// What for.
    pub phase: Phase,
}

/// The presses and pauses that reach a goal.
///
/// `Display` is for `--dry-run`: it hides the PIN, and so shows the longest duration of any PIN,
/// because the duration reveals the sum of the digits. [`Plan::revealed`] prints every press on
/// explicit request. `Debug` only shows the number of phases.
#[derive(Clone, PartialEq, Eq)]
pub struct Plan {
    goal: &'static str,
    steps: Vec<Step>,
    /// The longest duration of any PIN.
    longest: Duration,
    press: Duration,
}

impl Plan {
    /// From the normal display to the menu that the right PIN opens.
    ///
    /// # Errors
    /// Returns [`PlanError::NoLock`] for a model without a PIN, [`PlanError::WrongLength`] for a
    /// PIN that has not as many digits as the model asks for.
    pub fn enter_pin(profile: &Profile, pin: &Pin, variant: Variant) -> Result<Self, PlanError> {
        let mut plan = Builder::new(profile, variant)?;
        plan.pin(profile, pin)?;
        Ok(plan.finish("enter the PIN"))
    }

    /// From the menu that the right PIN opened to `InF`, and the long press that switches it, by
    /// the presses that a source names for the model.
    ///
    /// # Errors
    /// [`PlanError::NoLock`]; [`PlanError::NoMenu`] where no source names the way: a long press at
    /// another item may clear energies or the history, or switch the PIN query off.
    pub fn switch_inf(profile: &Profile, variant: Variant) -> Result<Self, PlanError> {
        let timing = Builder::new(profile, variant)?.timing;
        let presses = timing
            .sourced_inf_presses()
            .ok_or_else(|| PlanError::NoMenu { model: profile.name.clone() })?;
        Self::switch_inf_after(profile, presses, variant)
    }

    /// The same by the presses that the meter's owner has counted.
    ///
    /// # Errors
    /// Returns [`PlanError::NoLock`] if the model has no lock.
    pub fn switch_inf_after(
        profile: &Profile,
        presses: u8,
        variant: Variant,
    ) -> Result<Self, PlanError> {
        let mut plan = Builder::new(profile, variant)?;
        plan.inf(presses);
        Ok(plan.finish("switch the extended data (InF)"))
    }

    /// Switches `InF` off: from the normal display through the PIN to `InF`, after that many
    /// presses, and the long press. It would switch `InF` on if it is off already.
    ///
    /// # Errors
    /// As [`Plan::enter_pin`].
    pub fn relock(
        profile: &Profile,
        pin: &Pin,
        inf_presses: u8,
        variant: Variant,
    ) -> Result<Self, PlanError> {
        let mut plan = Builder::new(profile, variant)?;
        plan.pin(profile, pin)?;
        plan.inf(inf_presses);
        Ok(plan.finish("switch the extended data (InF) off"))
    }

    /// One short press to the next item of the menu.
    ///
    /// # Errors
    /// Returns [`PlanError::NoLock`] if the model has no lock.
    pub fn next_item(profile: &Profile, variant: Variant) -> Result<Self, PlanError> {
        let mut plan = Builder::new(profile, variant)?;
        plan.press(Phase::Menu);
        plan.step(false, plan.variant.duration(&plan.timing.between_presses), Phase::Menu);
        Ok(plan.finish("go to the next item"))
    }

    /// The long press that switches the item on the display.
    ///
    /// # Errors
    /// Returns [`PlanError::NoLock`] if the model has no lock.
    pub fn hold(profile: &Profile, variant: Variant) -> Result<Self, PlanError> {
        Self::switch_inf_after(profile, 0, variant)
    }

    /// One short press, which keeps an open menu open: of at least [`KEEP_ALIVE`], if the model
    /// accepts that as a short press.
    ///
    /// # Errors
    /// Returns [`PlanError::NoLock`] if the model has no lock.
    pub fn keep_alive(profile: &Profile, variant: Variant) -> Result<Self, PlanError> {
        let mut plan = Builder::new(profile, variant)?;
        let (usual, short) = (variant.duration(&plan.timing.short_press), &plan.timing.short_press);
        let longest = *short.accept().end();
        plan.step(true, usual.max(KEEP_ALIVE.min(longest)), Phase::KeepAlive);
        Ok(plan.finish("keep the extended data"))
    }

    /// A single interval of light, to find out what a model accepts as a press.
    #[must_use]
    pub fn probe(duration: Duration) -> Self {
        let step = Step { lit: true, duration, phase: Phase::KeepAlive };
        Self { goal: "probe", steps: vec![step], longest: duration, press: duration }
    }

    /// The steps in their order. Light and dark do not always alternate: a dark interval has one
    /// step for each digit that is confirmed in it.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What it is for, as a heading.
    #[must_use]
    pub const fn goal(&self) -> &'static str {
        self.goal
    }

    /// How long it takes. It reveals something about the PIN: show [`Plan::longest`] to people.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.steps.iter().map(|step| step.duration).sum()
    }

    /// How long it takes with the longest PIN.
    #[must_use]
    pub const fn longest(&self) -> Duration {
        self.longest
    }

    /// The length of the pause after its last press.
    #[must_use]
    pub fn last_pause(&self) -> Duration {
        self.steps.iter().rev().take_while(|step| !step.lit).map(|step| step.duration).sum()
    }

    /// How many presses it has. It reveals something about the PIN.
    #[must_use]
    pub fn presses(&self) -> usize {
        self.steps.iter().filter(|step| step.lit).count()
    }

    /// Its phases, in order and without repetition.
    #[must_use]
    pub fn phases(&self) -> Vec<Phase> {
        let mut phases: Vec<Phase> = self.steps.iter().map(|step| step.phase).collect();
        phases.dedup();
        phases
    }

    /// Every press and pause, and with them the PIN.
    #[must_use]
    pub const fn revealed(&self) -> Revealed<'_> {
        Revealed(self)
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plan({}, {} phases)", self.goal, self.phases().len())
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: at most {}", self.goal, seconds(self.longest))?;
        for phase in self.phases() {
            if matches!(phase, Phase::Digit { .. }) {
                writeln!(f, "  {phase}: 0 to 9 presses of {}", seconds(self.press))?;
            } else {
                let mut presses =
                    self.steps.iter().filter(|step| step.lit && step.phase == phase).peekable();
                let length = presses.peek().map_or(Duration::ZERO, |step| step.duration);
                let count = presses.count();
                let presses = counted_as(count, "press", "presses");
                writeln!(f, "  {phase}: {presses} of {}", seconds(length))?;
            }
        }
        Ok(())
    }
}

/// Shows a plan with every press.
pub struct Revealed<'a>(&'a Plan);

impl fmt::Display for Revealed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.0.goal, seconds(self.0.duration()))?;
        let mut at = Duration::ZERO;
        for step in &self.0.steps {
            let what = if step.lit { "light" } else { "dark" };
            let (from, length) = (at.as_secs_f64(), step.duration.as_secs_f64());
            writeln!(f, "  {from:7.2} s  {what:5} {length:5.2} s  {}", step.phase)?;
            at += step.duration;
        }
        Ok(())
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

struct Builder<'a> {
    timing: &'a profile::Pin,
    variant: Variant,
    steps: Vec<Step>,
    longest: Duration,
}

impl<'a> Builder<'a> {
    fn new(profile: &'a Profile, variant: Variant) -> Result<Self, PlanError> {
        let timing = profile.pin.as_ref().ok_or_else(|| PlanError::without_pin(profile))?;
        Ok(Self { timing, variant, steps: Vec::new(), longest: Duration::ZERO })
    }

    fn step(&mut self, lit: bool, duration: Duration, phase: Phase) {
        self.steps.push(Step { lit, duration, phase });
    }

    fn press(&mut self, phase: Phase) {
        self.step(true, self.variant.duration(&self.timing.short_press), phase);
    }

    /// So many presses, with pauses between them but not after the last.
    fn presses(&mut self, count: u8, phase: Phase) {
        for press in 0..count {
            if press > 0 {
                self.step(false, self.variant.duration(&self.timing.between_presses), phase);
            }
            self.press(phase);
        }
    }

    /// From the normal display to the first digit.
    fn wake(&mut self) {
        let timing = self.timing;
        for press in 0..timing.wake_presses {
            if press > 0 {
                self.step(false, self.variant.duration(timing.between_wake()), Phase::Wake);
            }
            self.step(true, self.variant.duration(timing.wake_press()), Phase::Wake);
        }
    }

    fn pin(&mut self, profile: &Profile, pin: &Pin) -> Result<(), PlanError> {
        let of = usize::from(self.timing.digits);
        if pin.len() != of {
            return Err(PlanError::WrongLength {
                model: profile.name.clone(),
                expected: of,
                given: pin.len(),
            });
        }
        self.wake();
        let digits = pin.digits();
        // A leading zero is confirmed by the pause alone, which begins when the digit is asked for.
        let before = match digits[0] {
            0 => self.timing.display_test(),
            _ => self.variant.duration(&self.timing.after_wake),
        };
        if !before.is_zero() {
            self.step(false, before, Phase::Wake);
        }
        let period = *self.timing.next_digit.accept().start();
        for (index, &digit) in digits.iter().enumerate() {
            let phase = Phase::Digit { number: index + 1, of };
            self.presses(digit, phase);
            let zero_follows = digits.get(index + 1) == Some(&0);
            let pause =
                if zero_follows { period } else { self.variant.duration(&self.timing.next_digit) };
            self.step(false, pause, phase);
        }
        self.longest += self.longest_pin();
        Ok(())
    }

    /// Nines all over take longest.
    fn longest_pin(&self) -> Duration {
        let t = self.timing;
        let [press, between] =
            [&t.short_press, &t.between_presses].map(|i| self.variant.duration(i));
        let wake = (self.variant.duration(t.wake_press())
            + self.variant.duration(t.between_wake()))
            * u32::from(t.wake_presses);
        let digit = (press + between) * 9 + self.variant.duration(&t.next_digit);
        wake + self.variant.duration(&t.after_wake) + digit * u32::from(t.digits)
    }

    fn inf(&mut self, presses: u8) {
        let from = self.steps.len();
        self.presses(presses, Phase::Menu);
        if presses > 0 {
            self.step(false, self.variant.duration(&self.timing.between_presses), Phase::Menu);
        }
        self.step(true, self.variant.duration(&self.timing.long_press), Phase::Switch);
        self.step(false, self.variant.duration(&self.timing.between_presses), Phase::Switch);
        self.longest += self.steps[from..].iter().map(|step| step.duration).sum::<Duration>();
    }

    fn finish(self, goal: &'static str) -> Plan {
        let sum = self.steps.iter().map(|step| step.duration).sum();
        let longest = if self.longest.is_zero() { sum } else { self.longest };
        let press = self.variant.duration(&self.timing.short_press);
        Plan { goal, steps: self.steps, longest, press }
    }
}
