//! The timing of PIN entry by light, and how a model is kept unlocked.
//!
//! Enters: the tables `[pin]`, `[relock]` and `[lock]`. Leaves: [`Pin`], [`Relock`], [`LockNote`].
//! Absent: any PIN; the plan of presses and its execution.

use std::{ops::RangeInclusive, time::Duration};

use serde::Deserialize;

/// A press or a pause: what is sent, and what the meter takes for it. All in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The length that is sent.
    pub send_ms: u32,
    /// The length that is sent in the second, slower attempt.
    pub slower_ms: u32,
    /// The shortest and the longest that the meter takes for this.
    pub accept_ms: [u32; 2],
    /// Where these are from.
    pub source: String,
}

impl Interval {
    /// The length to send.
    #[must_use]
    pub fn send(&self, slower: bool) -> Duration {
        Duration::from_millis(if slower { self.slower_ms } else { self.send_ms }.into())
    }

    /// What the meter takes for this.
    #[must_use]
    pub fn accept(&self) -> RangeInclusive<Duration> {
        let [shortest, longest] = self.accept_ms;
        Duration::from_millis(shortest.into())..=Duration::from_millis(longest.into())
    }
}

/// How the PIN is entered.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// Digits of a PIN.
    pub digits: u8,
    /// Presses from the normal display to the first digit.
    pub wake_presses: u8,
    /// Whether those presses are short or long.
    #[serde(default)]
    pub wake: Wake,
    /// The pause between the presses that lead to the first digit, where it is not that between two
    /// presses of one digit.
    pub between_wake: Option<Interval>,
    /// How long after the last of those presses the first digit is asked for, milliseconds: the
    /// display test that comes before it on models which one press leads there. A press during the
    /// test ends it and counts for nothing.
    #[serde(default)]
    pub display_test_ms: u32,
    /// A press that adds one.
    pub short_press: Interval,
    /// A press that switches.
    pub long_press: Interval,
    /// The pause between two presses of one digit.
    pub between_presses: Interval,
    /// The pause after the presses that lead to the first digit.
    pub after_wake: Interval,
    /// The pause that fixes a digit and leads to the next; longer than the meter takes for it, it
    /// sets a zero too many.
    pub next_digit: Interval,
    /// The longest period by which units of this model fix digits, milliseconds, where units differ:
    /// `next_digit` begins with the shortest then.
    pub period_to_ms: Option<u32>,
    /// The time without a press after which the meter returns to its normal display, seconds.
    pub return_to_normal_s: u32,
    /// Wrong PINs after which the meter refuses further ones for a time.
    pub tries: u8,
    /// Wrong PINs after which nothing more is tried here: fewer than `tries`.
    pub stop_at: u8,
    /// Whether wrong PINs block the meter at all.
    #[serde(default)]
    pub blocks: Blocking,
    /// Where `tries` and `blocks` are from; without one they are assumed.
    pub tries_source: Option<String>,
    /// How long the meter then refuses, seconds, where known.
    pub blocked_s: Option<u32>,
    /// The way through the menu after the right PIN, where known.
    pub menu: Option<Menu>,
    /// The source of these values; the intervals have their own.
    pub source: String,
}

impl Pin {
    /// The pause between the presses that lead to the first digit.
    #[must_use]
    pub fn between_wake(&self) -> &Interval {
        self.between_wake.as_ref().unwrap_or(&self.between_presses)
    }

    /// The presses that lead to the first digit.
    #[must_use]
    pub const fn wake_press(&self) -> &Interval {
        match self.wake {
            Wake::Short => &self.short_press,
            Wake::Long => &self.long_press,
        }
    }

    /// From the last press that leads to the first digit until that is asked for.
    #[must_use]
    pub fn display_test(&self) -> Duration {
        Duration::from_millis(self.display_test_ms.into())
    }

    /// Whether a source says how many wrong PINs block the meter, or that none do.
    #[must_use]
    pub fn tries_are_assumed(&self) -> bool {
        self.tries_source.as_deref().is_none_or(is_assumed)
    }

    /// The presses to `InF`, where a source names them for this model. Elsewhere a long press there
    /// could clear energies or the history, or switch the PIN query off: lists differ by model and
    /// by what the operator has configured away.
    #[must_use]
    pub fn sourced_inf_presses(&self) -> Option<u8> {
        self.menu.as_ref().filter(|menu| menu.is_sourced()).map(|menu| menu.inf_presses)
    }
}

/// How the presses are that lead from the normal display to the first digit.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wake {
    /// Short ones.
    #[default]
    Short,
    /// Long ones (Sagemcom Smarty BZ-SLP).
    Long,
}

/// Whether wrong PINs block a meter for a time.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blocking {
    /// Nobody says; `tries` is an assumption on the safe side.
    #[default]
    Unknown,
    /// They do, by its maker's word.
    Yes,
    /// They do not, by its maker's or operators' word: the PIN can be entered again at any time.
    Never,
}

/// Whether a source says that there is none.
pub(super) fn is_assumed(source: &str) -> bool {
    let source = source.to_lowercase();
    ["assumed", "common practice", "unknown", "guess"].iter().any(|word| source.contains(word))
}

/// The way through the menu after the right PIN.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Menu {
    /// Short presses to `InF`, where a long one switches the extended data on.
    pub inf_presses: u8,
    /// Short presses to `PIN`, where a long one switches the PIN query off or on.
    pub pin_presses: Option<u8>,
    /// Where these are from. With "assumed" in it nothing is switched by these numbers.
    pub source: String,
}

impl Menu {
    /// Whether a source names this way for the model.
    #[must_use]
    pub fn is_sourced(&self) -> bool {
        !is_assumed(&self.source)
    }
}

/// What keeps a model unlocked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relock {
    /// The way.
    pub behaviour: RelockBehaviour,
    /// Seconds from one press to the next, where presses keep it unlocked; 100 where nothing is said.
    pub keep_alive_s: Option<u32>,
    /// Where these are from.
    pub source: String,
}

/// How long a meter stays unlocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelockBehaviour {
    /// For ever once `InF` is on (or until a power failure), if the meter has that item: its operator
    /// decides. Where it has not, or nobody says where it stands, as [`Self::KeepAlive`].
    Permanent,
    /// As long as a press comes in time.
    KeepAlive,
    /// For one reading: the PIN is entered before each.
    PerReading,
}

/// The lock of a model without a source for how its PIN is entered.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockNote {
    /// What holds the details back.
    pub kind: LockKind,
    /// Where that is from.
    pub source: String,
}

/// What holds a model's details back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockKind {
    /// Nothing, though it sends no power: it has none to send.
    None,
    /// A PIN whose timing is unknown.
    PinOfUnknownTiming,
    /// A setting of the operator's: no PIN helps.
    Operator,
}
