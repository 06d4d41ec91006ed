//! The one button of a virtual meter: the window that light falls into, and the lock behind it.
//!
//! Enters: bytes with the time of their arrival. Leaves: whether the meter shows its details, and
//! the echo of the head's light. Absent: the pty, telegrams.

use std::time::Duration;

use super::{
    light::LightReceiver,
    lock::{Display, Lock},
    unit::{LockMemory, LockOptions},
};
use crate::{profile::Profile, unlock::Pin};

/// A lock with its window.
#[derive(Clone)]
pub struct Button {
    receiver: LightReceiver,
    lock: Lock,
    echoes: bool,
    echo: Vec<u8>,
    operator_off: bool,
}

impl Button {
    /// The button of a unit of that model with that PIN; nothing for models without a lock.
    #[must_use]
    pub fn new(profile: &Profile, pin: Pin, options: LockOptions) -> Option<Self> {
        let (echoes, operator_off) = (options.echoes, options.operator_off);
        let lock = Lock::new(profile, pin, options)?;
        let receiver = LightReceiver::new(profile.line.baud);
        Some(Self { receiver, lock, echoes, echo: Vec::new(), operator_off })
    }

    /// Bytes have come, or none in this time.
    pub fn light(&mut self, at: Duration, bytes: &[u8]) {
        for event in self.receiver.received(at, bytes) {
            self.lock.light(event.on, event.at);
        }
        self.lock.advance(at);
        if self.echoes {
            self.echo.extend_from_slice(bytes);
        }
    }

    /// The power was gone for a moment.
    pub fn power_failure(&mut self, at: Duration) {
        self.lock.power_failure(at);
    }

    /// Its lock goes on from what another remembered.
    pub fn restore(&mut self, memory: LockMemory) {
        self.lock.restore(memory);
    }

    /// The echo of its own light since the last call.
    pub fn take_echo(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.echo)
    }

    /// Whether the meter sends detailed values.
    #[must_use]
    pub const fn is_detailed(&self) -> bool {
        self.lock.is_detailed()
    }

    /// Whether the operator has switched the power off that the meter would send with its details.
    #[must_use]
    pub const fn is_operator_off(&self) -> bool {
        self.operator_off
    }

    /// What the display shows.
    #[must_use]
    pub fn display(&self) -> Display {
        self.lock.display()
    }

    /// The lock itself.
    #[must_use]
    pub const fn lock(&self) -> &Lock {
        &self.lock
    }
}
