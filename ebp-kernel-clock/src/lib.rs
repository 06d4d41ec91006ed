//! What Linux knows of how right its time of day is: adjtimex(2), which only reads here.
//!
//! Enters: nothing. Leaves: the clock's state and by how much it may be wrong. Absent: what that means for
//! a measurement (`ebp-device`), and setting a clock.
//!
//! It is the project's only `unsafe`, in a crate of its own. rustix and nix do not have this call, and
//! rtime-clock 0.15, which has, does not compile where numbers of the kernel have 32 bits: ARMv7, which
//! boards with 32-bit systems are.

#![cfg(target_os = "linux")]

use std::io;

/// What the kernel says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernelClock {
    /// The clock's state, such as `TIME_OK` (0) or `TIME_ERROR` (5).
    pub state: i32,
    /// By how much the time may be wrong, microseconds. It grows with time since the clock was set.
    pub max_error: i64,
}

/// Asks the kernel; nothing is changed.
///
/// # Errors
/// EPERM or ENOSYS where a process must not ask, as under systemd's `ProtectClock`.
pub fn kernel_clock() -> io::Result<KernelClock> {
    let (state, asked) = adjtimex();
    if state < 0 {
        return Err(io::Error::last_os_error());
    }
    #[allow(clippy::useless_conversion, reason = "how wide the number is is the machine's")]
    let max_error = i64::from(asked.maxerror);
    Ok(KernelClock { state, max_error })
}

#[expect(unsafe_code, reason = "no maintained library has the call on 32 bits")]
fn adjtimex() -> (i32, libc::timex) {
    // SAFETY: `timex` has nothing but integers (and a `timeval` and padding of integers), for which zero
    // is a value. `modes` is zero, which asks and changes nothing.
    let mut asked: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is of a whole `timex` that lives until the call has returned, and that nobody
    // else uses; the C library writes into it and keeps nothing.
    let state = unsafe { libc::adjtimex(&raw mut asked) };
    (state, asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_answers_the_same_each_time() {
        // In a container it may be forbidden: then it says so each time.
        let answers = || kernel_clock().map(|clock| clock.state).map_err(|error| error.kind());
        assert_eq!(answers(), answers());
        if let Ok(clock) = kernel_clock() {
            assert!((0..=5).contains(&clock.state) && clock.max_error >= 0, "{clock:?}");
        }
    }
}
