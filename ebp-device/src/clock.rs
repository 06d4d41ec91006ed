//! The machine's clocks, and how it is determined whether the time of day is right.
//!
//! Enters: the configured [`ClockSource`]. Leaves: the [`DeviceClock`] of this machine, and what the
//! kernel hides of its clocks. Absent: correcting a clock.

use std::{str::FromStr, time::Duration};

use ebp_core::clock::{BootId, Clock, DeviceClock, SystemClock};
use jiff::Timestamp;
use uuid::Uuid;

/// How it is determined whether the machine's clock is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClockSource {
    /// By the kernel, except on a virtual machine, whose time comes from its host and is trusted
    /// from the start.
    #[default]
    Automatic,
    /// By the kernel, which the program that synchronises the clock informs.
    Kernel,
    /// It is trusted from the start, as on a machine with a battery.
    Trusted,
}

/// A text that is none of their names.
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

/// What the kernel hides from this process of the machine's clocks. A sandbox does that:
/// systemd's `ProtectClock` and `ProcSubset=pid`, the usual filters of system calls, containers.
#[derive(Debug, thiserror::Error)]
pub enum HiddenClock {
    /// Whether the time of day is right is not known, so it counts as wrong.
    #[error("the kernel does not say whether the clock is right (adjtimex: {0})")]
    Synchronisation(std::io::Error),
    /// Which run of the machine this is is not known, so each process counts as a run of its own:
    /// what one of them learned of the time does not count for the next.
    #[error("the kernel does not say which boot this is (/proc/sys/kernel/random/boot_id)")]
    Boot,
}

/// The machine's own clocks.
///
/// A clock of which the kernel does not say that it is right counts as wrong, unless it is trusted:
/// a board without a battery would date measurements by whatever time it woke up with. Measurements
/// are stored without a time meanwhile.
#[derive(Debug, Clone, Copy)]
pub struct DeviceSystemClock {
    is_trusted: bool,
    boot: BootId,
    hides_boot: bool,
}

impl DeviceSystemClock {
    /// The machine's clocks; `source` determines whether the time of day is trusted.
    #[must_use]
    pub fn new(source: ClockSource) -> Self {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .ok()
            .and_then(|text| text.trim().parse().ok());
        let is_trusted = match source {
            ClockSource::Automatic => is_virtual(),
            ClockSource::Kernel => false,
            ClockSource::Trusted => true,
        };
        let hides_boot = boot.is_none();
        Self { is_trusted, boot: BootId(boot.unwrap_or_else(Uuid::new_v4)), hides_boot }
    }

    /// What the kernel hides; nothing of it matters where the clock is trusted.
    #[must_use]
    pub fn hidden(&self) -> Vec<HiddenClock> {
        if self.is_trusted {
            return Vec::new();
        }
        let synchronisation = kernel_says_synchronised().err().map(HiddenClock::Synchronisation);
        let boot = self.hides_boot.then_some(HiddenClock::Boot);
        synchronisation.into_iter().chain(boot).collect()
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
        self.is_trusted || kernel_says_synchronised().unwrap_or(false)
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

/// Whether this is a virtual machine, according to an x86 processor. On another processor, or if it
/// cannot be read, it is unknown, and the kernel's state is used.
fn is_virtual() -> bool {
    std::fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| {
        let mut flags = text.lines().filter(|line| line.starts_with("flags"));
        flags.any(|line| line.split_ascii_whitespace().any(|flag| flag == "hypervisor"))
    })
}

/// Whether the kernel estimates its time to be right within 16 seconds. Programs (NTP, PTP, GPS)
/// set the estimated error, and the kernel increases it every second: nine hours after the last
/// update it exceeds the limit. The state `TIME_ERROR` alone is not enough: chrony leaves it set if
/// it does not maintain a battery-backed clock.
///
/// Returns an error where the kernel must not be asked (EPERM, ENOSYS).
#[cfg(target_os = "linux")]
fn kernel_says_synchronised() -> std::io::Result<bool> {
    /// `STA_UNSYNC` in the state (adjtimex(2)).
    const TIME_ERROR: i32 = 5;
    /// Microseconds at which the kernel gives up (`NTP_PHASE_LIMIT`).
    const MAX_ERROR: i64 = 16_000_000;
    let clock = ebp_kernel_clock::kernel_clock()?;
    Ok(clock.state != TIME_ERROR || clock.max_error < MAX_ERROR)
}

#[cfg(not(target_os = "linux"))]
fn kernel_says_synchronised() -> std::io::Result<bool> {
    Err(std::io::ErrorKind::Unsupported.into())
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

    /// As under `ProtectClock` or a bare `@system-service`: the clock is not known, so it is not right.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_clock_that_the_kernel_hides_is_not_right() {
        let hidden = std::thread::spawn(|| {
            ebp_testkit::sandbox::forbid_adjtimex();
            let hidden = DeviceSystemClock::new(ClockSource::Kernel);
            assert!(DeviceSystemClock::new(ClockSource::Trusted).synchronised());
            (hidden.synchronised(), hidden.hidden().iter().map(ToString::to_string).collect())
        });
        let (is_synchronised, hidden): (bool, Vec<String>) = hidden.join().unwrap();
        assert!(!is_synchronised);
        let said = "the kernel does not say whether the clock is right (adjtimex: Operation not \
                    permitted (os error 1))";
        assert_eq!(hidden, [said]);
    }

    #[test]
    fn sources_have_names() {
        assert_eq!("kernel".parse(), Ok(ClockSource::Kernel));
        let unknown = "Kernel".parse::<ClockSource>().unwrap_err();
        assert_eq!(unknown.to_string(), "unknown clock `Kernel`: write auto, kernel or trusted");
    }
}
