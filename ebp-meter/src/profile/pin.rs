//! How a model is unlocked by light, and what keeps it unlocked.
//!
//! Enters: the tables `[pin]` and `[relock]`. Leaves: [`Pin`], [`Relock`].
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
    /// Short presses from the normal display to the first digit.
    pub wake_presses: u8,
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
    /// Without a press for so long the meter returns to its normal display, seconds.
    pub return_to_normal_s: u32,
    /// Wrong PINs after which the meter refuses further ones for a time.
    pub tries: u8,
    /// Wrong PINs after which nothing more is tried here: fewer than `tries`.
    pub stop_at: u8,
    /// How long the meter then refuses, seconds, where known.
    pub blocked_s: Option<u32>,
    /// The way through the menu after the right PIN, where known.
    pub menu: Option<Menu>,
    /// Where these are from; the intervals name theirs.
    pub source: String,
}

/// The way through the menu after the right PIN.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Menu {
    /// Short presses to `InF`, where a long one switches the extended data on.
    pub inf_presses: u8,
    /// Short presses to `PIN`, where a long one switches the PIN query off or on.
    pub pin_presses: Option<u8>,
    /// Where these are from.
    pub source: String,
}

/// What keeps a model unlocked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relock {
    /// The way.
    pub behaviour: RelockBehaviour,
    /// For [`RelockBehaviour::KeepAlive`]: seconds from one press to the next.
    pub keep_alive_s: Option<u32>,
    /// Where these are from.
    pub source: String,
}

/// How long a meter stays unlocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelockBehaviour {
    /// For ever once `InF` is on (or until a power failure).
    Permanent,
    /// As long as a press comes in time.
    KeepAlive,
    /// For one reading: the PIN is entered before each.
    PerReading,
}
