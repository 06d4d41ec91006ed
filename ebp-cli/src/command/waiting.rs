//! Waiting for a telegram, and reports of progress.
//!
//! Enters: a time-out, and a meter that is waited for. Leaves: how long to wait next, whether to go
//! on. Absent: reading.

use std::time::{Duration, Instant};

use ebp_meter::{
    interface::MeterInterface,
    port::PortName,
    session::{Progress, Wrapping},
};

use super::silence::RAW_ACCEPTER;
use crate::{output::phrase::counted, tell::tell};

/// How often the progress of a long answer is reported.
pub const BETWEEN_WORDS: Duration = Duration::from_secs(10);

/// A wait for a telegram. An answer that is under way counts by its silence, not by its length.
pub struct Waiting {
    timeout: Duration,
    deadline: Instant,
    word_at: Instant,
}

impl Waiting {
    /// Begins now.
    pub fn new(timeout: Duration) -> Self {
        let now = Instant::now();
        Self { timeout, deadline: now + timeout, word_at: now + BETWEEN_WORDS }
    }

    /// How long to wait before [`Self::goes_on`] is asked.
    pub fn left(&self) -> Duration {
        self.deadline.min(self.word_at).saturating_duration_since(Instant::now())
    }

    /// Waits for a further telegram, so long from now on.
    pub fn renew(&mut self, timeout: Duration) {
        self.deadline = Instant::now() + timeout;
    }

    /// Nothing came within [`Self::left`]: whether to wait on. Tells how far an answer is.
    pub fn goes_on(&mut self, meter: &dyn MeterInterface) -> bool {
        let (now, answering) = (Instant::now(), meter.answering());
        if now >= self.word_at {
            self.word_at = now + BETWEEN_WORDS;
            if let Some(progress) = answering {
                tell_progress(meter.port_name(), progress);
            }
        }
        if now < self.deadline {
            return true;
        }
        let left = answering.and_then(|progress| self.timeout.checked_sub(progress.silence));
        self.deadline = now + left.unwrap_or_default();
        left.is_some_and(|left| !left.is_zero())
    }
}

/// Says how far an answer is.
pub fn tell_progress(port: &PortName, progress: Progress) {
    tell!("ebp: {}", words(port, progress));
}

/// How far an answer is, in words.
pub fn words(port: &PortName, progress: Progress) -> String {
    let bytes = counted(progress.bytes, "byte");
    match progress.registers {
        0 => format!("{port} has answered with {bytes}; waiting for its registers"),
        registers => {
            let registers = counted(registers, "register");
            format!("{port} is sending: {bytes}, {registers} so far")
        }
    }
}

/// Says once what a meter's bytes were wrapped in.
pub fn tell_wrapping(meter: &dyn MeterInterface) {
    let port = meter.port_name();
    match meter.wrapping() {
        Some(Wrapping::Telnet) if meter.is_live() => {
            tell!("ebp: {port} speaks Telnet, which is decoded here; better: {RAW_ACCEPTER}");
        }
        Some(Wrapping::Telnet) => {
            tell!("ebp: {port} was recorded from a Telnet bridge, which is undone here");
        }
        Some(Wrapping::HexText) => {
            tell!("ebp: {port} is hex text: the bytes that it encodes are read");
        }
        Some(Wrapping::ByteText) => {
            tell!("ebp: {port} is text of bytes: the bytes that it encodes are read");
        }
        None => {}
    }
}
