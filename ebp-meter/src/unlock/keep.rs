//! Keeping detail up where it does not last by itself.
//!
//! Enters: how a model relocks and what unlocking achieved. Leaves: what is due when. Absent: doing
//! it, and the clock: times come in, measured from any fixed start.

use std::time::Duration;

use super::Lasting;
use crate::profile::{Profile, RelockBehaviour};

/// The press comes this much earlier than the profile says at the latest, for what else may take
/// time.
const MARGIN: Duration = Duration::from_secs(2);

/// How a meter's detail is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// It stays by itself (until a power failure).
    Permanent,
    /// A short press every so often.
    Press {
        /// From one press to the next.
        every: Duration,
        /// Without a press for so long the meter returns to normal, and needs its PIN again.
        within: Duration,
    },
    /// The PIN before each reading.
    PinPerReading {
        /// The meter shows its detail for so long after the last press.
        within: Duration,
    },
}

impl Keep {
    /// The way of that model after unlocking has achieved that; nothing for models without a lock.
    ///
    /// A meter whose profile promises `InF` but which does not offer it (operators configure it
    /// away), or of which nobody says where it stands, is kept open by presses.
    #[must_use]
    pub fn for_profile(profile: &Profile, lasting: Lasting) -> Option<Self> {
        let (pin, relock) = (profile.pin.as_ref()?, profile.relock.as_ref()?);
        let within = Duration::from_secs(pin.return_to_normal_s.into());
        Some(match (lasting, relock.behaviour) {
            (Lasting::Permanent, _) => Self::Permanent,
            (_, RelockBehaviour::KeepAlive | RelockBehaviour::Permanent) => {
                let every = Duration::from_secs(profile.keep_alive_s().into());
                // As much of a list that closes sooner.
                Self::Press { every: every.min(within * 5 / 6), within }
            }
            (_, RelockBehaviour::PerReading) => Self::PinPerReading { within },
        })
    }
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upkeep {
    /// Nothing for so long; `None` for ever.
    Nothing(Option<Duration>),
    /// One short press ([`super::Plan::keep_alive`]).
    Press,
    /// The whole PIN ([`super::Attempt`]).
    EnterPin,
}

/// Keeps account of a meter's last press.
#[derive(Debug, Clone)]
pub struct KeepUp {
    keep: Keep,
    /// The end of the last press in an open list; nothing when it is closed.
    last_press: Option<Duration>,
}

impl KeepUp {
    /// Begins with a meter that was unlocked by a press that ended then, or is not unlocked.
    #[must_use]
    pub const fn new(keep: Keep, last_press: Option<Duration>) -> Self {
        Self { keep, last_press }
    }

    /// A press was made, or the PIN was entered.
    pub const fn pressed(&mut self, at: Duration) {
        self.last_press = Some(at);
    }

    /// A telegram came without its detail: whatever was believed, the list is closed. After a power
    /// failure that is the first thing which is known of it.
    pub const fn lost(&mut self) {
        self.last_press = None;
    }

    /// What is due now. `reading_in` is the time to the next reading, zero for now.
    #[must_use]
    pub fn due(&self, now: Duration, reading_in: Duration) -> Upkeep {
        let Some(last) = self.last_press else { return self.closed(reading_in) };
        let since = now.saturating_sub(last);
        match self.keep {
            Keep::Permanent => Upkeep::Nothing(None),
            Keep::Press { within, .. } if since >= within => Upkeep::EnterPin,
            Keep::Press { every, .. } => {
                let due = every.saturating_sub(MARGIN);
                if since >= due { Upkeep::Press } else { Upkeep::Nothing(Some(due - since)) }
            }
            // Long enough open for this reading too.
            Keep::PinPerReading { within } if since + reading_in + MARGIN < within => {
                Upkeep::Nothing(Some(reading_in))
            }
            Keep::PinPerReading { .. } => self.closed(reading_in),
        }
    }

    const fn closed(&self, reading_in: Duration) -> Upkeep {
        match self.keep {
            Keep::PinPerReading { .. } if !reading_in.is_zero() => {
                Upkeep::Nothing(Some(reading_in))
            }
            _ => Upkeep::EnterPin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn presses_come_in_time_and_never_too_late() {
        let keep = Keep::Press { every: s(100), within: s(120) };
        let mut up = KeepUp::new(keep, Some(s(10)));
        assert_eq!(up.due(s(10), s(900)), Upkeep::Nothing(Some(s(98))));
        assert_eq!(up.due(s(108), s(900)), Upkeep::Press);
        assert_eq!(up.due(s(129), s(900)), Upkeep::Press);
        assert_eq!(up.due(s(130), s(900)), Upkeep::EnterPin, "a press would only wake it");
        up.pressed(s(108));
        assert_eq!(up.due(s(110), s(900)), Upkeep::Nothing(Some(s(96))));
        up.lost();
        assert_eq!(up.due(s(111), s(900)), Upkeep::EnterPin);
    }

    #[test]
    fn the_pin_comes_before_each_reading_and_not_between() {
        let mut up = KeepUp::new(Keep::PinPerReading { within: s(120) }, None);
        assert_eq!(up.due(s(0), s(60)), Upkeep::Nothing(Some(s(60))));
        assert_eq!(up.due(s(60), s(0)), Upkeep::EnterPin);
        up.pressed(s(90));
        assert_eq!(up.due(s(95), s(0)), Upkeep::Nothing(Some(s(0))), "read");
        assert_eq!(up.due(s(95), s(895)), Upkeep::Nothing(Some(s(895))));
        assert_eq!(up.due(s(990), s(0)), Upkeep::EnterPin);
    }

    #[test]
    fn what_is_permanent_needs_nothing_until_it_is_lost() {
        let mut up = KeepUp::new(Keep::Permanent, Some(s(1)));
        assert_eq!(up.due(s(1_000_000), s(0)), Upkeep::Nothing(None));
        up.lost();
        assert_eq!(up.due(s(1_000_001), s(0)), Upkeep::EnterPin);
    }
}
