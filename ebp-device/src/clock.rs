//! The machine's clocks, and who says whether the time of day is right.
//!
//! Enters: the configured [`ClockSource`]. Leaves: the [`DeviceClock`] of this machine. Absent:
//! correcting a clock.

use std::{str::FromStr, time::Duration};

use ebp_core::clock::{BootId, Clock, DeviceClock, SystemClock};
use jiff::Timestamp;
use uuid::Uuid;

/// Who says whether the machine's clock is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClockSource {
    /// The kernel; but a virtual machine has its time from its host from the start, and needs nobody
    /// who says so.
    #[default]
    Automatic,
    /// The kernel, which learns it from whatever program synchronises the clock.
    Kernel,
    /// Nobody: the clock is right from the start, as with a battery.
    Trusted,
}

/// A name of none of them.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown clock `{0}`: write auto, kernel or trusted")]
pub struct UnknownClockSource(pub String);

impl FromStr for ClockSource {
    type Err = UnknownClockSource;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "auto" => Ok(Self::Automatic),
            "kernel" => Ok(Self::Kernel),
            "trusted" => Ok(Self::Trusted),
            other => Err(UnknownClockSource(other.to_owned())),
        }
    }
}

/// The machine's own clocks.
///
/// Where the kernel's state cannot be asked (another system than Linux, a container that forbids
/// it), the clock counts as synchronised: refusing to measure for ever would be worse, and such
/// machines have a battery or a host. Without a boot identifier or a clock that counts from the
/// start, all counts as one run, and a time is never corrected.
#[derive(Debug, Clone, Copy)]
pub struct DeviceSystemClock {
    is_trusted: bool,
    boot: BootId,
}

impl DeviceSystemClock {
    /// The machine's clocks, with the time of day trusted as `source` says.
    #[must_use]
    pub fn new(source: ClockSource) -> Self {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(Uuid::nil());
        let is_trusted = match source {
            ClockSource::Automatic => is_virtual(),
            ClockSource::Kernel => false,
            ClockSource::Trusted => true,
        };
        Self { is_trusted, boot: BootId(boot) }
    }
}

impl Clock for DeviceSystemClock {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }
}

impl DeviceClock for DeviceSystemClock {
    fn boot(&self) -> BootId {
        self.boot
    }

    fn since_boot(&self) -> Duration {
        since_boot()
    }

    fn synchronised(&self) -> bool {
        self.is_trusted || kernel_says_synchronised()
    }
}

#[cfg(target_os = "linux")]
fn since_boot() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
fn since_boot() -> Duration {
    Duration::ZERO
}

/// Whether this is a virtual machine, as an x86 processor tells it. Of another processor, or where
/// that cannot be read, it is not known, and the kernel's word holds.
fn is_virtual() -> bool {
    std::fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| {
        let mut flags = text.lines().filter(|line| line.starts_with("flags"));
        flags.any(|line| line.split_ascii_whitespace().any(|flag| flag == "hypervisor"))
    })
}

/// Whether the kernel believes that its time is right to within 16 seconds. It takes any program's
/// word for that (NTP, PTP, GPS) and believes less in it from second to second: nine hours after the
/// last word it no longer does. The state `TIME_ERROR` alone does not say it: chrony leaves it on
/// where it does not keep a battery's clock.
#[cfg(target_os = "linux")]
#[allow(clippy::useless_conversion, reason = "how wide the kernel's numbers are is the machine's")]
fn kernel_says_synchronised() -> bool {
    /// `STA_UNSYNC` in the state (adjtimex(2)).
    const TIME_ERROR: i32 = 5;
    /// Microseconds at which the kernel gives up (`NTP_PHASE_LIMIT`).
    const MAX_ERROR: i64 = 16_000_000;
    let mut state = rtime_clock::adjtime::Timex::new();
    match rtime_clock::adjtime::adjtimex(&mut state) {
        Ok(code) => code != TIME_ERROR || i64::from(state.0.maxerror) < MAX_ERROR,
        Err(_) => true,
    }
}

#[cfg(not(target_os = "linux"))]
fn kernel_says_synchronised() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_clocks_run() {
        let clock = DeviceSystemClock::new(ClockSource::Trusted);
        assert!(clock.synchronised());
        let (first, second) = (clock.moment(), clock.moment());
        assert!(first.since_boot <= second.since_boot && first.boot == second.boot);
        assert_eq!(clock.boot(), DeviceSystemClock::new(ClockSource::Kernel).boot());
    }

    #[test]
    fn sources_have_names() {
        assert_eq!("kernel".parse(), Ok(ClockSource::Kernel));
        let unknown = "Kernel".parse::<ClockSource>().unwrap_err();
        assert_eq!(unknown.to_string(), "unknown clock `Kernel`: write auto, kernel or trusted");
    }
}
