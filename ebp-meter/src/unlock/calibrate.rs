//! Finding the timing of a model that nobody has described, with its owner watching the display.
//!
//! Enters: an owner who answers, a port, one telegram. Leaves: [`Finding`], and the text of a
//! profile made of it. Absent: the terminal.
//!
//! The meter gives no feedback but its display, so a person must look. It costs one wrong try: once
//! PIN entry is open the meter fixes zeros by itself, and from the moments at which it asks for the
//! next digit its period is measured. That try is asked for first, and counted like any other.

use std::{fmt, fmt::Write as _, time::Duration};

use ebp_core::{obis::ObisCode, quantity::Unit};

use super::{
    Head, OnPort, Pace, Plan, PressError, TriesError,
    press::{Done, execute},
};
use crate::{
    port::{Framing, LineSettings, Port},
    profile::{Profile, ProfileError, Quantity},
    readout::{Protocol, Readout, ServerId},
};

/// The presses that are tried, shortest first, milliseconds.
const PRESSES: [u32; 6] = [100, 200, 300, 400, 600, 1000];
/// The most presses that may lead to PIN entry.
const MOST_WAKE: u8 = 4;
/// The most presses through the menu.
const MOST_MENU: u8 = 24;

/// What the owner is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Whether the meter shows its normal display; where not, it is waited for.
    ShowsNormal,
    /// Whether the display reacted to a press.
    Reacted {
        /// Of that length.
        press_ms: u32,
    },
    /// Whether one wrong try may be spent.
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

/// The owner does not want to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("calibration was given up")]
pub struct Quit;

/// The owner in front of the meter.
pub trait Ask {
    /// Asks a question that is answered by yes or no.
    ///
    /// # Errors
    /// [`Quit`].
    fn yes(&mut self, question: Question) -> Result<bool, Quit>;

    /// Waits until the owner says that it happens now, and returns then.
    ///
    /// # Errors
    /// [`Quit`].
    fn moment(&mut self, question: Question) -> Result<(), Quit>;
}

/// Why no timing was found.
#[derive(Debug, thiserror::Error)]
pub enum CalibrateError {
    /// The owner gave up, or does not want to spend a try.
    #[error(transparent)]
    Quit(#[from] Quit),
    /// Light could not be made.
    #[error(transparent)]
    Press(#[from] PressError),
    /// The try could not be remembered.
    #[error(transparent)]
    Tries(#[from] TriesError),
    /// The meter must not be tried any more.
    #[error("no try is left on this meter: forget the earlier ones with --reset-tries first")]
    NoTryLeft,
    /// No press was seen.
    #[error(
        "the display reacted to no press: is the head placed right and its light strong enough?"
    )]
    NoReaction,
    /// PIN entry did not come.
    #[error("{MOST_WAKE} presses did not lead to PIN entry")]
    NoPinEntry,
    /// The moments make no sense.
    #[error("a digit every {} ms cannot be right: try again", .0.as_millis())]
    Period(Duration),
    /// `InF` did not come.
    #[error("InF did not come within {MOST_MENU} presses")]
    NoInf,
    /// What was found makes no profile.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

/// What is needed to make light while asking.
pub struct Calibration<'a> {
    /// The port.
    pub port: &'a mut dyn Port,
    /// How its head is driven.
    pub head: Head,
    /// The monotonic time.
    pub pace: &'a dyn Pace,
    /// Counts the one wrong try before it is made; `false` forbids it.
    pub spend: &'a mut dyn FnMut() -> Result<bool, TriesError>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The shortest press that was seen, milliseconds.
    pub shortest_press_ms: u32,
    /// Presses to PIN entry.
    pub wake_presses: u8,
    /// How often the meter fixes a digit, milliseconds.
    pub period_ms: u32,
    /// Presses to `InF`, where that was looked for.
    pub inf_presses: Option<u8>,
}

impl Calibration<'_> {
    /// Finds press, wake presses and period, beginning at a locked meter's normal display.
    ///
    /// # Errors
    /// [`CalibrateError`].
    pub fn find(&mut self, ask: &mut dyn Ask) -> Result<Finding, CalibrateError> {
        while !ask.yes(Question::ShowsNormal)? {}
        if !ask.yes(Question::MaySpendTry)? {
            return Err(Quit.into());
        }
        if !(self.spend)()? {
            return Err(CalibrateError::NoTryLeft);
        }
        let shortest_press_ms = self.shortest_press(ask)?;
        let press = send_ms(shortest_press_ms);
        let mut wake_presses = 1;
        while !ask.yes(Question::AsksForPin)? {
            if wake_presses == MOST_WAKE {
                return Err(CalibrateError::NoPinEntry);
            }
            self.press(press)?;
            wake_presses += 1;
        }
        // The owner may still be reading the question while the second digit comes.
        ask.moment(Question::AsksForDigit { number: 3 })?;
        let third = self.pace.now();
        ask.moment(Question::AsksForDigit { number: 4 })?;
        ask.moment(Question::BackToNormal)?;
        let period = (self.pace.now() - third) / 2;
        // In steps of a tenth of a second, finer than which nobody says when.
        let period_ms = u32::try_from((period.as_millis() + 50) / 100 * 100).unwrap_or(u32::MAX);
        if !(1000..=10_000).contains(&period_ms) {
            return Err(CalibrateError::Period(period));
        }
        Ok(Finding { shortest_press_ms, wake_presses, period_ms, inf_presses: None })
    }

    /// Counts the presses to `InF`, beginning at the list that the right PIN opened. The meter is
    /// left there: a long press would switch.
    ///
    /// # Errors
    /// [`CalibrateError`].
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

    fn shortest_press(&mut self, ask: &mut dyn Ask) -> Result<u32, CalibrateError> {
        for press_ms in PRESSES {
            self.press(press_ms)?;
            if ask.yes(Question::Reacted { press_ms })? {
                return Ok(press_ms);
            }
        }
        Err(CalibrateError::NoReaction)
    }

    fn press(&mut self, ms: u32) -> Result<Done, PressError> {
        let plan = Plan::probe(Duration::from_millis(ms.into()));
        execute(&plan, &mut OnPort(self.port), &self.head, self.pace)
    }
}

/// Well above the shortest that was seen.
fn send_ms(shortest: u32) -> u32 {
    (shortest * 3 / 2).max(300)
}

impl Finding {
    /// The text of a profile: the timing as found, the registers as a locked telegram showed them,
    /// the rest marked as assumed.
    ///
    /// # Errors
    /// [`CalibrateError::Profile`] for a name that cannot be one.
    pub fn profile(
        &self,
        name: &str,
        readout: &Readout,
        line: LineSettings,
        push_interval: Option<Duration>,
    ) -> Result<String, CalibrateError> {
        let mut text = head(name, readout, line, push_interval);
        let energies = energies(readout);
        let ascii = readout.protocol == Protocol::D0;
        text += "[locked]\nsource = \"a telegram of the owner's meter\"\nregisters = [\n";
        text += &identity(readout);
        for &(obis, scaler) in &energies {
            text += &energy(obis, scaler, ascii);
        }
        text += "]\n\n[unlocked]\nsource = \"assumed: as locked, with decimals and power\"\n";
        text += "registers = [\n";
        text += &identity(readout);
        for &(obis, _) in &energies {
            text += &energy(obis, -1, ascii);
        }
        text += if ascii {
            "    { obis = \"1-0:16.7.0*255\", unit = \"W\", scaler = 0, ascii = { unit = \"W\", digits = 6 } },\n"
        } else {
            "    { obis = \"1-0:16.7.0*255\", unit = \"W\", scaler = 0, width = 4, signed = true },\n"
        };
        text += "]\n\n";
        text += &self.pin();
        // What is written here must be readable here.
        Profile::parse(&format!("{name}.toml"), &text)?;
        Ok(text)
    }

    fn pin(&self) -> String {
        let period = self.period_ms;
        let press = send_ms(self.shortest_press_ms);
        let longest = (press * 3 / 2).max(2000);
        let found = "found by calibration";
        let intervals = [
            ("short_press", press, press * 3 / 2, [self.shortest_press_ms, longest], found),
            (
                "long_press",
                5500.max(longest + 1000),
                6500.max(longest + 2000),
                [5000.max(longest + 500), 20_000],
                "assumed: common practice among owners",
            ),
            ("between_presses", 300, 500, [100, period - 100], "assumed"),
            ("after_wake", period / 3, period / 2, [200, period - 100], "assumed"),
            ("next_digit", period * 5 / 4, period * 7 / 5, [period, period * 2 - 100], found),
        ];
        let mut text = format!("[pin]\ndigits = 4\nwake_presses = {}\n", self.wake_presses);
        for (key, send, slower, accept, source) in intervals {
            let _ = writeln!(
                text,
                "{key} = {{ send_ms = {send}, slower_ms = {slower}, accept_ms = {accept:?}, source = \"{source}\" }}"
            );
        }
        text += "return_to_normal_s = 120\ntries = 3\nstop_at = 2\n";
        text += "source = \"found by calibration; return to normal and tries are assumed\"\n\n";
        let (menu, behaviour) = match self.inf_presses {
            Some(presses) => (
                format!("[pin.menu]\ninf_presses = {presses}\nsource = \"{found}\"\n\n"),
                "permanent",
            ),
            None => (String::new(), "per_reading"),
        };
        text += &menu;
        let _ = writeln!(text, "[relock]\nbehaviour = \"{behaviour}\"\nsource = \"assumed\"");
        text
    }
}

fn head(
    name: &str,
    readout: &Readout,
    line: LineSettings,
    push_interval: Option<Duration>,
) -> String {
    let maker = readout
        .manufacturer
        .or_else(|| readout.server_id.as_ref().and_then(ServerId::manufacturer));
    let maker = maker.as_deref().unwrap_or("XXX");
    let quoted = toml::Value::String(name.to_owned());
    let framing = match line.framing {
        Framing::EightNone => "8N1",
        Framing::SevenEven => "7E1",
    };
    let ascii = readout.protocol == Protocol::D0;
    let protocol = match (ascii, push_interval) {
        (false, _) => "sml",
        (true, Some(_)) => "d0-push",
        (true, None) => "d0-request",
    };
    let push = match push_interval {
        None if ascii => String::new(),
        interval => {
            let ms = interval.map_or(2000, |interval| interval.as_millis().clamp(100, 3_600_000));
            format!("push_interval_ms = {ms}\n")
        }
    };
    let identification =
        if ascii { format!("identification = \"{maker}5UNKNOWN\"\n") } else { String::new() };
    format!(
        "name = {quoted}\nmaker = \"{maker}\"\nflag = \"{maker}\"\n\n\
         [line]\nprotocol = \"{protocol}\"\nbaud = {}\nframing = \"{framing}\"\n{push}\
         source = \"the owner's meter\"\n\n\
         [telegram]\nserver_id = \"din43863-5\"\n{identification}source = \"assumed\"\n\n",
        line.baud
    )
}

fn identity(readout: &Readout) -> String {
    let known = [ObisCode::DEVICE_ID, ObisCode::SERVER_ID]
        .into_iter()
        .find(|&obis| readout.entry(obis).is_some());
    known.map_or_else(String::new, |obis| {
        format!("    {{ obis = \"{obis}\", content = \"server-id\" }},\n")
    })
}

/// Each energy once with its scaler; a meter that shows none has the one that every meter has.
fn energies(readout: &Readout) -> Vec<(ObisCode, i8)> {
    let mut energies: Vec<(ObisCode, i8)> = Vec::new();
    for entry in &readout.entries {
        let is_energy =
            Quantity::of(entry.obis).is_some_and(|quantity| quantity.unit() == Unit::WATT_HOUR);
        if is_energy && energies.iter().all(|(obis, _)| *obis != entry.obis) {
            energies.push((entry.obis, entry.scaler.clamp(-4, 3)));
        }
    }
    if energies.is_empty() {
        energies.push((ObisCode::POSITIVE_ENERGY, 3));
    }
    energies
}

fn energy(obis: ObisCode, scaler: i8, ascii: bool) -> String {
    let form = if ascii { "ascii = { unit = \"kWh\", digits = 8 }" } else { "width = 8" };
    format!("    {{ obis = \"{obis}\", unit = \"Wh\", scaler = {scaler}, {form} }},\n")
}
