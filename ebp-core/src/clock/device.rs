//! A measurement device's clocks: it has no battery, so that after a start without a network its
//! time of day is wrong until another clock sets it right.

use std::{str::FromStr, time::Duration};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{Clock, SystemClock};

/// One run of the machine, from its start to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BootId(pub Uuid);

/// All clocks of a device at the same instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The time of day, UTC; right only where the clock is synchronised.
    pub at: Timestamp,
    /// Which run of the machine.
    pub boot: BootId,
    /// How long that run has lasted, sleep included: never set, never wrong.
    pub since_boot: Duration,
}

impl Moment {
    /// The time of day of another instant of the same run.
    ///
    /// Nothing where it lies outside of what can be written as a date.
    #[must_use]
    pub fn time_of(&self, since_boot: Duration) -> Option<Timestamp> {
        self.started_at()?.checked_add(SignedDuration::try_from(since_boot).ok()?).ok()
    }

    /// When that run began.
    #[must_use]
    pub fn started_at(&self) -> Option<Timestamp> {
        self.at.checked_sub(SignedDuration::try_from(self.since_boot).ok()?).ok()
    }
}

/// The clocks of a measurement device.
///
/// Promises: within one [`boot`](Self::boot), [`since_boot`](Self::since_boot) never runs backwards
/// and is not touched when the time of day is set; another run has another identifier.
pub trait DeviceClock: Clock {
    /// Which run of the machine this is.
    fn boot(&self) -> BootId;

    /// How long this run has lasted, sleep included (`CLOCK_BOOTTIME`).
    fn since_boot(&self) -> Duration;

    /// Whether the time of day follows another clock.
    fn synchronised(&self) -> bool;

    /// All clocks at once.
    fn moment(&self) -> Moment {
        Moment { at: self.now(), boot: self.boot(), since_boot: self.since_boot() }
    }
}

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

#[cfg(all(target_os = "linux", feature = "spool"))]
fn since_boot() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(not(all(target_os = "linux", feature = "spool")))]
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
#[cfg(all(target_os = "linux", feature = "spool"))]
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

#[cfg(not(all(target_os = "linux", feature = "spool")))]
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

    #[test]
    fn the_time_of_an_earlier_instant_of_the_same_run() {
        let moment = Moment {
            at: "2026-01-31T12:00:00Z".parse().unwrap(),
            boot: BootId(Uuid::nil()),
            since_boot: Duration::from_secs(3600),
        };
        let earlier = moment.time_of(Duration::from_secs(60)).unwrap();
        assert_eq!(earlier.to_string(), "2026-01-31T11:01:00Z");
        assert_eq!(moment.started_at().unwrap().to_string(), "2026-01-31T11:00:00Z");
        assert_eq!(moment.time_of(Duration::MAX), None);
    }
}
