//! Deviations of a unit's lock from its model, and its stored state.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::menu::{Harm, MenuList};

/// How a unit differs from its model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockOptions {
    /// Whether the item `InF` is there; some operators configure it away, and the items behind it move
    /// up.
    pub inf_offered: bool,
    /// The items of the list, where they are not those of the model's profile.
    pub menu: Option<MenuList>,
    /// Whether the operator has switched the extended data off: then no PIN brings power, but only
    /// decimals.
    pub operator_off: bool,
    /// Whether `InF` is on at the start.
    pub inf_on: bool,
    /// Whether the PIN is asked for at the start.
    pub asks_pin: bool,
    /// Whether the head receives its own light.
    pub echoes: bool,
    /// How fast the meter's own clock runs, parts in a million; -20000 is 2 % slow.
    pub drift_ppm: i32,
    /// How long entry is blocked if the profile does not say.
    pub blocked: Duration,
}

impl Default for LockOptions {
    fn default() -> Self {
        Self {
            inf_offered: true,
            menu: None,
            operator_off: false,
            inf_on: false,
            asks_pin: true,
            echoes: false,
            drift_ppm: 0,
            blocked: Duration::from_secs(3600),
        }
    }
}

/// What a lock remembers while its program is not running, as if the meter had stayed on the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockMemory {
    /// Whether `InF` is on.
    pub inf: bool,
    /// Whether the PIN is asked for.
    pub asks_pin: bool,
    /// Wrong PINs since the last right one.
    pub wrong: u8,
    /// Unintended effects of long presses.
    #[serde(default, skip_serializing_if = "Harm::is_none")]
    pub harm: Harm,
}
