//! What a sandbox forbids, as the service manager or a container does.

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

/// Numbers of system calls that differ between processors.
#[cfg(target_arch = "x86_64")]
const ADJTIMEX: [i64; 2] = [159, 305];
#[cfg(target_arch = "aarch64")]
const ADJTIMEX: [i64; 2] = [171, 266];

/// From here on adjtimex(2) and clock_adjtime(2) fail with EPERM in this thread and in all processes
/// that it starts, as under systemd's `ProtectClock=yes`.
///
/// # Panics
/// If the kernel knows no filters of system calls.
pub fn forbid_adjtimex() {
    const EPERM: u32 = 1;
    let calls = ADJTIMEX.into_iter().map(|call| (call, Vec::new())).collect();
    let filter = SeccompFilter::new(
        calls,
        SeccompAction::Allow,
        SeccompAction::Errno(EPERM),
        std::env::consts::ARCH.try_into().unwrap(),
    );
    let program: BpfProgram = filter.unwrap().try_into().unwrap();
    apply_filter(&program).unwrap();
}
