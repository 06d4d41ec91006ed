//! Tells of a clock that the kernel hides from the device.

use ebp_device::{
    clock::{DeviceSystemClock, HiddenClock},
    config::DeviceConfig,
};

use crate::tell::tell;

/// Warns of what the kernel hides, with the remedy: measurements have no time for as long.
pub fn warn_of_what_is_hidden(config: &DeviceConfig) {
    for hidden in DeviceSystemClock::new(config.clock).hidden() {
        tell!("ebp: {hidden}: {}", remedy(&hidden));
    }
}

const fn remedy(hidden: &HiddenClock) -> &'static str {
    match hidden {
        HiddenClock::Synchronisation(_) => {
            "measurements wait without a time. Allow adjtimex (in the unit SystemCallFilter=adjtimex \
             clock_adjtime and no ProtectClock), or write clock = \"trusted\" if the machine has a \
             battery-backed clock"
        }
        HiddenClock::Boot => {
            "the time is learned anew by each start of the program. Take ProcSubset=pid out of the unit"
        }
    }
}
