//! Unlocking from beginning to end: look, try, look again, and know when to stop.
//!
//! Enters: a meter that can be heard and shone upon, its PIN, what was tried before. Leaves:
//! [`Unlocked`], or why not. Absent: where the PIN is from; words for people beyond errors.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use ebp_core::clock::Clock;

use super::{
    Head, MeterKey, Pace, Phase, Pin, Plan, PlanError, PressError, Step, Tries, TriesError,
    Variant, is_detailed,
    plan::has_way_to_inf,
    press::{Watch, execute},
};
use crate::{
    port::{LineSettings, Port, PortError},
    profile::{self, Profile},
    readout::Readout,
    session::{Outcome, Session},
};

/// What the meter is given beyond its own time to return to normal: so owners do it.
const REST_MARGIN: Duration = Duration::from_secs(10);
/// The longest wait for one telegram before the stop flag is looked at.
const SLICE: Duration = Duration::from_millis(250);
/// So much of what is heard during a plan is kept: some telegrams.
const KEPT: usize = 16 * 1024;

/// A meter that can be heard and shone upon.
///
/// A stream that has ended is an error of [`Link::next`], for it would never wait.
pub trait Link: Send {
    /// The port, for light.
    fn port(&mut self) -> &mut dyn Port;

    /// The line's present settings, where they are known.
    fn line(&self) -> Option<LineSettings>;

    /// Takes what was read from the port in the pauses of a plan.
    ///
    /// # Errors
    /// Those of the port, which a dialogue with the meter may need.
    fn hear(&mut self, bytes: &[u8]) -> Result<(), PortError>;

    /// The next telegram, waiting at most so long for it.
    ///
    /// # Errors
    /// Those of the port.
    fn next(&mut self, wait: Duration) -> Result<Option<Readout>, PortError>;
}

impl Link for Session {
    fn port(&mut self) -> &mut dyn Port {
        self.port_mut()
    }

    fn line(&self) -> Option<LineSettings> {
        Self::line(self)
    }

    fn hear(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        Self::hear(self, bytes)
    }

    fn next(&mut self, wait: Duration) -> Result<Option<Readout>, PortError> {
        match Self::next(self, wait)? {
            Outcome::Readout(readout) => Ok(Some(*readout)),
            Outcome::Noise(_) | Outcome::TimedOut => Ok(None),
            Outcome::End => Err(PortError::Vanished { port: self.name().clone() }),
        }
    }
}

/// What is asked of an attempt beyond the profile.
#[derive(Debug, Clone)]
pub struct UnlockOptions {
    /// How the head is driven.
    pub head: Head,
    /// How long the first telegram may take.
    pub first_telegram: Duration,
    /// How long after the PIN the detail may take to appear; `None` for five telegrams, at least
    /// ten seconds.
    pub verify: Option<Duration>,
    /// Whether to try again with the slower variant.
    pub slower: bool,
    /// Whether to switch `InF` on where the profile says so.
    pub inf: bool,
    /// Whether to look, after `InF`, if the detail outlasts the open list. It takes two minutes.
    pub confirm: bool,
    /// Whether to wait where the meter needs rest; else that is a refusal.
    pub wait_for_rest: bool,
}

impl UnlockOptions {
    /// Everything that helps, with a common head.
    #[must_use]
    pub const fn for_model(profile: &Profile) -> Self {
        Self {
            head: Head::on(profile.line.settings()),
            first_telegram: Duration::from_secs(30),
            verify: None,
            slower: true,
            inf: true,
            confirm: true,
            wait_for_rest: true,
        }
    }
}

/// How an attempt goes on. None of it tells the PIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// For the first telegram.
    Waiting,
    /// The meter is left alone until it has returned to its normal display.
    Resting {
        /// For so long.
        left: Duration,
    },
    /// A try begins; it is counted as wrong until it is seen to work.
    Try {
        /// Tries counted with this one.
        number: u8,
        /// Nothing is tried beyond so many.
        of: u8,
    },
    /// A part of the plan begins.
    Step {
        /// Which, from 1.
        index: usize,
        /// Of how many.
        of: usize,
        /// What it is.
        phase: Phase,
    },
    /// Looking for detail in the telegrams.
    Verifying,
    /// The first try did not work: the slower one follows.
    SlowerVariant,
    /// On the way to `InF`.
    SwitchingInf,
    /// Looking whether the detail outlasts the open list.
    Confirming {
        /// For so long.
        left: Duration,
    },
}

/// How long the detail lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasting {
    /// Past the open list: until a power failure.
    Permanent,
    /// As long as the list is open: so long after the last press.
    WhileOpen(Duration),
    /// Nobody looked.
    Unknown,
}

/// A meter that shows its details.
#[derive(Debug, Clone)]
pub struct Unlocked {
    /// It was so before; nothing was done.
    pub already: bool,
    /// The variant that worked.
    pub variant: Option<Variant>,
    /// How long it lasts.
    pub lasting: Lasting,
    /// The telegram that shows it.
    pub readout: Readout,
}

/// What forbids a try.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// As many tries failed as may.
    #[error(
        "{wrong} wrong tries on this meter, which may block itself after {limit}: when its PIN and \
         model are certain, forget them with --reset-tries (remembered in {})", file.display()
    )]
    TriesExhausted {
        /// Counted.
        wrong: u8,
        /// The meter's own limit, by its profile.
        limit: u8,
        /// Where they are remembered.
        file: PathBuf,
    },
    /// The meter has to return to its normal display first.
    #[error("an earlier try ended a short while ago: leave the meter alone for {} s", left.as_secs() + 1)]
    Resting {
        /// For so long.
        left: Duration,
    },
}

/// Why a meter was not unlocked.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// The profile or the PIN gives no plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Nothing may be tried.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Tries cannot be remembered, so none is made.
    #[error(transparent)]
    Tries(#[from] TriesError),
    /// Light could not be made.
    #[error(transparent)]
    Press(#[from] PressError),
    /// The port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// No telegram came, so that nothing could be verified; no light was made.
    #[error("no telegram within {} s: nothing was tried", waited.as_secs())]
    NoTelegram {
        /// After so long.
        waited: Duration,
    },
    /// Everything was done and no detail appeared.
    #[error(
        "the PIN was entered {} and no detail appeared: the PIN or the model's timing is wrong, or the head's light is too weak",
        if *tries == 1 { "once".to_owned() } else { format!("{tries} times") }
    )]
    NotUnlocked {
        /// Tries of this run.
        tries: u8,
        /// Tries that remain before the stop.
        left: u8,
    },
    /// The stop flag was raised.
    #[error("stopped in the midst; the meter returns to its normal display within {} s", rest.as_secs())]
    Interrupted {
        /// The next try waits so long by itself.
        rest: Duration,
    },
}

/// An attempt with everything that it needs.
pub struct Attempt<'a> {
    /// The model.
    pub profile: &'a Profile,
    /// What was tried before.
    pub tries: &'a Tries,
    /// The time of day, for the memory of tries.
    pub clock: &'a dyn Clock,
    /// The monotonic time, for light.
    pub pace: &'a dyn Pace,
    /// What is asked.
    pub options: &'a UnlockOptions,
    /// Raised to stop: the light goes off, and the try stays counted.
    pub stop: &'a AtomicBool,
}

type Report<'a> = &'a mut dyn FnMut(Progress);

impl Attempt<'_> {
    /// Unlocks the meter.
    ///
    /// A try is counted on the disk before its first press and cleared when detail is seen. Between
    /// tries, and after one that ended otherwise, the meter is left alone until it has returned to
    /// its normal display, where every plan begins.
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
            return Err(PlanError::NoLock { model: self.profile.name.clone() }.into());
        };
        progress(Progress::Waiting);
        let waited = self.options.first_telegram;
        let readout = match self.look(link, waited, |_| true)? {
            Looked::Seen(readout) => readout,
            Looked::Not => return Err(UnlockError::NoTelegram { waited }),
            Looked::Stopped => return Err(UnlockError::Interrupted { rest: Duration::ZERO }),
        };
        if is_detailed(self.profile, &readout) {
            return Ok(Unlocked {
                already: true,
                variant: None,
                lasting: Lasting::Unknown,
                readout,
            });
        }
        let meter = MeterKey::of(readout.server_id.as_ref(), link.port().name());
        let mut made = 0;
        for (variant, plan) in &plans {
            if *variant == Variant::Slower {
                progress(Progress::SlowerVariant);
            }
            match self.one_try(link, timing, &meter, plan, progress) {
                Ok(Tried::Detailed(readout)) => {
                    self.tries.forget(&meter)?;
                    let (lasting, readout) =
                        self.make_it_last(link, timing, *variant, readout, progress)?;
                    return Ok(Unlocked {
                        already: false,
                        variant: Some(*variant),
                        lasting,
                        readout,
                    });
                }
                // Detail that came while the meter rested: late telegrams of the try before.
                Ok(Tried::Before(readout)) => {
                    self.tries.forget(&meter)?;
                    let lasting = Lasting::Unknown;
                    return Ok(Unlocked { already: made == 0, variant: None, lasting, readout });
                }
                Ok(Tried::InVain) => made += 1,
                // The first try of this run used up what was left: say what happened, not that.
                Err(UnlockError::Refused(Refused::TriesExhausted { .. })) if made > 0 => break,
                Err(error) => return Err(error),
            }
        }
        let counted = self.tries.get(&meter)?.map_or(0, |known| known.wrong);
        let left = timing.stop_at.saturating_sub(counted);
        Err(UnlockError::NotUnlocked { tries: made, left })
    }

    fn one_try(
        &self,
        link: &mut dyn Link,
        timing: &profile::Pin,
        meter: &MeterKey,
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
                match self.look(link, left, |readout| is_detailed(self.profile, readout))? {
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
            Executed::Whole => {}
        }
        progress(Progress::Verifying);
        match self.look(link, self.verify(timing), |readout| is_detailed(self.profile, readout))? {
            Looked::Seen(readout) => Ok(Tried::Detailed(readout)),
            Looked::Not => {
                self.tries.ended(meter, self.clock.now())?;
                Ok(Tried::InVain)
            }
            Looked::Stopped => {
                self.tries.ended(meter, self.clock.now())?;
                Err(UnlockError::Interrupted { rest: normal })
            }
        }
    }

    /// Switches `InF` on where that is the model's way, and looks whether it did.
    fn make_it_last(
        &self,
        link: &mut dyn Link,
        timing: &profile::Pin,
        variant: Variant,
        readout: Readout,
        progress: Report<'_>,
    ) -> Result<(Lasting, Readout), UnlockError> {
        let open = Duration::from_secs(timing.return_to_normal_s.into());
        if !(self.options.inf && has_way_to_inf(self.profile)) {
            return Ok((Lasting::WhileOpen(open), readout));
        }
        progress(Progress::SwitchingInf);
        let plan = Plan::switch_inf(self.profile, variant)?;
        if let Executed::Stopped { .. } = self.execute(link, &plan, progress)? {
            return Err(UnlockError::Interrupted { rest: rest(timing) });
        }
        if !self.options.confirm {
            return Ok((Lasting::Unknown, readout));
        }
        let left = open + self.verify(timing).min(REST_MARGIN);
        progress(Progress::Confirming { left });
        let until = self.pace.now() + left;
        let mut last = readout;
        // Every telegram is looked at, so that a lost one in between costs nothing: the last tells.
        loop {
            let left = until.saturating_sub(self.pace.now());
            match self.look(link, left, |_| true)? {
                Looked::Seen(readout) if is_detailed(self.profile, &readout) => last = readout,
                Looked::Seen(_) => return Ok((Lasting::WhileOpen(open), last)),
                Looked::Not => return Ok((Lasting::Permanent, last)),
                Looked::Stopped => return Ok((Lasting::Unknown, last)),
            }
        }
    }

    fn execute(
        &self,
        link: &mut dyn Link,
        plan: &Plan,
        progress: Report<'_>,
    ) -> Result<Executed, UnlockError> {
        let head =
            Head { line: link.line().unwrap_or(self.options.head.line), ..self.options.head };
        let mut watcher = Watcher {
            stop: self.stop,
            phases: plan.phases(),
            index: 0,
            progress,
            heard: Vec::new(),
        };
        let done = execute(plan, link.port(), &head, self.pace, &mut watcher)?;
        link.hear(&watcher.heard)?;
        Ok(if done.finished {
            Executed::Whole
        } else {
            Executed::Stopped { presses: done.presses }
        })
    }

    /// Reads telegrams until one is the wanted one.
    fn look(
        &self,
        link: &mut dyn Link,
        wait: Duration,
        wanted: impl Fn(&Readout) -> bool,
    ) -> Result<Looked, UnlockError> {
        let until = self.pace.now() + wait;
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(Looked::Stopped);
            }
            let left = until.saturating_sub(self.pace.now());
            match link.next(left.min(SLICE))? {
                Some(readout) if wanted(&readout) => return Ok(Looked::Seen(readout)),
                _ if left.is_zero() => return Ok(Looked::Not),
                _ => {}
            }
        }
    }

    /// Five telegrams, at least ten seconds; but the list must still be open for `InF` then.
    fn verify(&self, timing: &profile::Pin) -> Duration {
        let five = self.profile.line.push_interval().unwrap_or(Duration::from_secs(4)) * 5;
        let most = Duration::from_secs(u64::from(timing.return_to_normal_s) / 2);
        self.options.verify.unwrap_or(five.max(Duration::from_secs(10))).min(most)
    }
}

/// How long a meter is left alone after light.
fn rest(timing: &profile::Pin) -> Duration {
    Duration::from_secs(timing.return_to_normal_s.into()) + REST_MARGIN
}

enum Looked {
    Seen(Readout),
    Not,
    Stopped,
}

enum Tried {
    Detailed(Readout),
    Before(Readout),
    InVain,
}

enum Executed {
    Whole,
    Stopped { presses: usize },
}

/// Keeps what is heard between presses and tells how far it is.
struct Watcher<'a> {
    stop: &'a AtomicBool,
    phases: Vec<Phase>,
    index: usize,
    progress: Report<'a>,
    heard: Vec<u8>,
}

impl Watch for Watcher<'_> {
    fn step(&mut self, step: &Step) {
        let before = self.index.checked_sub(1).and_then(|index| self.phases.get(index));
        if before != Some(&step.phase) {
            self.index += 1;
            let (index, of) = (self.index, self.phases.len());
            (self.progress)(Progress::Step { index, of, phase: step.phase });
        }
    }

    fn heard(&mut self, bytes: &[u8]) {
        // Only the telegrams after the last digit can tell anything new.
        let excess = (self.heard.len() + bytes.len()).saturating_sub(KEPT);
        self.heard.drain(..excess.min(self.heard.len()));
        self.heard.extend_from_slice(bytes);
    }

    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
