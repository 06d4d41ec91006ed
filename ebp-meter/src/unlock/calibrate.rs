//! Measures the timing of an unknown model, while its owner watches the display.
//!
//! Enters: an owner who answers, a port. Leaves: [`Finding`]. Absent: the terminal; the profile,
//! which `written` writes.
//!
//! The meter gives no feedback but its display, so a person must look. It needs one wrong attempt:
//! once PIN entry is open the meter confirms zeros without presses, and the moments at which it
//! moves to the next digit give its period. The owner is asked for consent to that attempt, and it
//! is counted like any other.

mod written;

use std::{fmt, time::Duration};

use ebp_core::phrase::counted_as;

use super::{
    Head, OnPort, Plan, PressError, TriesError,
    press::{Done, execute},
};
use crate::pace::Pace;
use crate::{port::Port, profile::ProfileError};

/// The presses that are tried, shortest first, milliseconds.
const PRESSES: [u32; 6] = [100, 200, 300, 400, 600, 1000];
/// The long ones that are tried if none of these is seen, milliseconds: Sagemcom's Siconia only
/// wakes after more than 5 s.
const LONG_PRESSES: [u32; 2] = [5500, 8000];
/// The assumed short press of a meter that is woken by long ones, milliseconds.
const ASSUMED_PRESS: u32 = 300;
/// The most presses that may lead to PIN entry.
const MOST_WAKE: u8 = 4;
/// The most presses through the menu.
const MOST_MENU: u8 = 24;

/// The questions to the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Whether the meter shows its normal display; if not, it waits.
    ShowsNormal,
    /// Whether the display reacted to a press.
    Reacted {
        /// Of that length.
        press_ms: u32,
    },
    /// Whether one wrong attempt may be used.
    MaySpendTry,
    /// Whether the display asks for the first digit of the PIN.
    AsksForPin,
    /// The moment at which it asks for that digit.
    AsksForDigit {
        /// Which, from 1.
        number: u8,
    },
    /// The moment at which it is back at its normal display.
    BackToNormal,
    /// Whether the display shows `InF`.
    ShowsInf,
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShowsNormal => f.write_str("Does the meter show its normal display (the energy)?"),
            Self::Reacted { press_ms } if LONG_PRESSES.contains(press_ms) => {
                write!(f, "Did the display react to a long light of {press_ms} ms?")
            }
            Self::Reacted { press_ms } => {
                write!(f, "Did the display react to a press of {press_ms} ms?")
            }
            Self::MaySpendTry => f.write_str(
                "The next step lets the meter enter 0000, one wrong try unless that is the PIN. Go on?",
            ),
            Self::AsksForPin => f.write_str("Does the display ask for the PIN?"),
            Self::AsksForDigit { number } => {
                write!(f, "Say so at the moment when it moves on to digit {number}.")
            }
            Self::BackToNormal => {
                f.write_str("Say so at the moment when it has moved on from the last digit.")
            }
            Self::ShowsInf => f.write_str("Does the display show InF?"),
        }
    }
}

/// The owner gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("calibration was given up")]
pub struct Quit;

/// The owner in front of the meter.
pub trait Ask {
    /// Asks a question that is answered by yes or no.
    ///
    /// # Errors
    /// Returns [`Quit`] if the person quits.
    fn yes(&mut self, question: Question) -> Result<bool, Quit>;

    /// Waits until the owner says that it happens now, and returns then.
    ///
    /// # Errors
    /// Returns [`Quit`] if the person quits.
    fn moment(&mut self, question: Question) -> Result<(), Quit>;
}

/// Why no timing was found.
#[derive(Debug, thiserror::Error)]
pub enum CalibrateError {
    /// The owner gave up, or does not permit the attempt.
    #[error(transparent)]
    Quit(#[from] Quit),
    /// The light could not be switched.
    #[error(transparent)]
    Press(#[from] PressError),
    /// The attempt could not be stored.
    #[error(transparent)]
    Tries(#[from] TriesError),
    /// The meter must not be tried again.
    #[error("no try is left on this meter: forget the earlier ones with --reset-tries first")]
    NoTryLeft,
    /// No press was seen.
    #[error(
        "the display reacted to no press: is the head placed right and its light strong enough?"
    )]
    NoReaction,
    /// PIN entry did not appear.
    #[error("{} did not lead to PIN entry", counted_as(*presses, "press", "presses"))]
    NoPinEntry {
        /// The number of presses.
        presses: u8,
    },
    /// The moments are inconsistent.
    #[error("a digit every {} ms cannot be right: try again", .0.as_millis())]
    Period(Duration),
    /// `InF` did not appear.
    #[error("InF did not come within {MOST_MENU} presses")]
    NoInf,
    /// The findings do not form a valid profile.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

/// What is needed to send light while asking.
pub struct Calibration<'a> {
    /// The port.
    pub port: &'a mut dyn Port,
    /// How its head is driven.
    pub head: Head,
    /// The monotonic time.
    pub pace: &'a dyn Pace,
    /// Counts the wrong attempt before it is made; `false` forbids it.
    pub spend: &'a mut dyn FnMut() -> Result<bool, TriesError>,
}

/// The findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The shortest press that was seen, milliseconds; an assumed one where a long one wakes the
    /// meter.
    pub shortest_press_ms: u32,
    /// The long press that wakes the meter, milliseconds, where no short one does.
    pub long_wake_ms: Option<u32>,
    /// Presses to PIN entry.
    pub wake_presses: u8,
    /// The time after which the meter confirms a digit, milliseconds.
    pub period_ms: u32,
    /// Presses to `InF`, where that was looked for.
    pub inf_presses: Option<u8>,
}

impl Calibration<'_> {
    /// Finds press, wake presses and period, beginning at a locked meter's normal display.
    ///
    /// # Errors
    /// Returns [`CalibrateError`] if the port fails, the person quits, or the timing cannot be
    /// determined.
    pub fn find(&mut self, ask: &mut dyn Ask) -> Result<Finding, CalibrateError> {
        while !ask.yes(Question::ShowsNormal)? {}
        if !ask.yes(Question::MaySpendTry)? {
            return Err(Quit.into());
        }
        if !(self.spend)()? {
            return Err(CalibrateError::NoTryLeft);
        }
        let woken = self.wake(ask)?;
        let (shortest_press_ms, long_wake_ms) = match woken {
            Woken::Short(ms) => (ms, None),
            Woken::Long(ms) => (ASSUMED_PRESS, Some(ms)),
        };
        let mut wake_presses = 1;
        while !ask.yes(Question::AsksForPin)? {
            // Its state is unknown now: a second long press could switch something.
            if wake_presses == MOST_WAKE || long_wake_ms.is_some() {
                return Err(CalibrateError::NoPinEntry { presses: wake_presses });
            }
            self.press(send_ms(shortest_press_ms))?;
            wake_presses += 1;
        }
        // The owner may still be reading the question while the second digit comes.
        ask.moment(Question::AsksForDigit { number: 3 })?;
        let third = self.pace.now();
        ask.moment(Question::AsksForDigit { number: 4 })?;
        ask.moment(Question::BackToNormal)?;
        let period = (self.pace.now() - third) / 2;
        // In steps of a tenth of a second, which is as precise as a person can be.
        let period_ms = u32::try_from((period.as_millis() + 50) / 100 * 100).unwrap_or(u32::MAX);
        if !(1000..=10_000).contains(&period_ms) {
            return Err(CalibrateError::Period(period));
        }
        let inf_presses = None;
        Ok(Finding { shortest_press_ms, long_wake_ms, wake_presses, period_ms, inf_presses })
    }

    /// Counts the presses to `InF`, starting in the menu that the right PIN opened. It stops there:
    /// a long press would switch.
    ///
    /// # Errors
    /// Returns [`CalibrateError`] if the port fails, the person quits, or the timing cannot be
    /// determined.
    pub fn find_inf(
        &mut self,
        finding: &mut Finding,
        ask: &mut dyn Ask,
    ) -> Result<(), CalibrateError> {
        for presses in 0..=MOST_MENU {
            if presses > 0 {
                self.press(send_ms(finding.shortest_press_ms))?;
            }
            if ask.yes(Question::ShowsInf)? {
                finding.inf_presses = Some(presses);
                return Ok(());
            }
        }
        Err(CalibrateError::NoInf)
    }

    /// The press that wakes the meter, the shortest that does. A long one is sent only to the normal
    /// display, where it can switch nothing.
    fn wake(&mut self, ask: &mut dyn Ask) -> Result<Woken, CalibrateError> {
        for press_ms in PRESSES {
            self.press(press_ms)?;
            if ask.yes(Question::Reacted { press_ms })? {
                return Ok(Woken::Short(press_ms));
            }
        }
        for press_ms in LONG_PRESSES {
            while !ask.yes(Question::ShowsNormal)? {}
            self.press(press_ms)?;
            if ask.yes(Question::Reacted { press_ms })? {
                return Ok(Woken::Long(press_ms));
            }
        }
        Err(CalibrateError::NoReaction)
    }

    fn press(&mut self, ms: u32) -> Result<Done, PressError> {
        let plan = Plan::probe(Duration::from_millis(ms.into()));
        execute(&plan, &mut OnPort(self.port), &self.head, self.pace)
    }
}

/// What woke a meter, milliseconds.
enum Woken {
    Short(u32),
    Long(u32),
}

/// Well above the shortest that was seen.
fn send_ms(shortest: u32) -> u32 {
    (shortest * 3 / 2).max(300)
}
