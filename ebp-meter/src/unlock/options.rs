//! What is asked of an attempt to unlock beyond the model's profile.

use std::time::Duration;

use crate::profile::{Profile, RelockBehaviour};

/// What is asked of an attempt beyond the profile.
#[derive(Debug, Clone)]
pub struct UnlockOptions {
    /// How long the first telegram may take.
    pub first_telegram: Duration,
    /// How long after the PIN the detail may take to appear; `None` for five telegrams, at least
    /// ten seconds.
    pub verify: Option<Duration>,
    /// Whether to try again with the slower variant.
    pub slower: bool,
    /// Whether to switch `InF` on where a source names the way to it.
    pub inf: bool,
    /// The presses to `InF` that the meter's owner has counted: they go before the profile's.
    pub inf_presses: Option<u8>,
    /// Whether to look, after the long press, if the detail outlasts the open list. It takes two minutes.
    pub confirm: bool,
    /// Whether to wait where the meter needs rest; else that is a refusal.
    pub wait_for_rest: bool,
    /// Whether this meter's earlier tries no longer count: its owner vouches for PIN and model.
    pub pardon: bool,
}

/// Everything that helps.
impl Default for UnlockOptions {
    fn default() -> Self {
        Self {
            first_telegram: Duration::from_secs(30),
            verify: None,
            slower: true,
            inf: true,
            inf_presses: None,
            confirm: true,
            wait_for_rest: true,
            pardon: false,
        }
    }
}

impl UnlockOptions {
    /// The presses to `InF` behind the PIN, where a long press there is asked for and its place is
    /// known: from the meter's owner, or from a source for the model. Anywhere else a long press
    /// could clear energies or the history, or switch the PIN query off.
    #[must_use]
    pub fn inf_presses(&self, profile: &Profile) -> Option<u8> {
        let sourced = || match profile.keeps_unlocked() {
            Some(RelockBehaviour::Permanent) => profile.pin.as_ref()?.sourced_inf_presses(),
            _ => None,
        };
        if self.inf { self.inf_presses.or_else(sourced) } else { None }
    }
}
