//! Counts skipped telegrams and bytes, so that a bad line does not flood the log.

use std::time::{Duration, Instant};

use ebp_meter::{decoder::Noise, diagnosis::Cause};

use crate::{command::silence::ALIGN, output::phrase::counted, tell::tell};

/// With --watch damaged telegrams are reported at most this often.
const BETWEEN: Duration = Duration::from_secs(60);

/// What was passed over.
#[derive(Default)]
pub struct Passed {
    damaged: usize,
    unreadable: usize,
    /// Bytes outside of telegrams.
    pub garbage_bytes: usize,
    /// Whether a file is read, which has an end.
    pub is_file: bool,
    /// Whether the line cuts off the eighth bit.
    pub seven_bits: bool,
    /// Why telegrams were damaged, as far as their bytes show it.
    pub cause: Option<Cause>,
    told: Option<(Instant, usize)>,
}

impl Passed {
    /// Takes it into account.
    pub fn count(&mut self, noise: &Noise) {
        tracing::debug!(?noise, "passed over");
        match noise {
            Noise::WrongChecksum { .. } => self.damaged += 1,
            Noise::Unreadable { .. } => self.unreadable += 1,
            Noise::Garbage { bytes } => self.garbage_bytes += bytes,
            Noise::SevenBitLine => self.seven_bits = true,
        }
    }

    /// One line on standard error, if anything was passed over.
    pub fn tell(&self) {
        let Some(text) = self.text() else { return };
        match &self.cause {
            Some(cause @ Cause::BitsLost) => tell!("ebp: passed over: {text}; {cause}: {ALIGN}"),
            Some(cause) => tell!("ebp: passed over: {text}; {cause}"),
            None => tell!("ebp: passed over: {text}"),
        }
    }

    /// The same while more may come: at once when the first damaged telegram came, then once a
    /// minute when there are more.
    pub fn tell_now_and_then(&mut self) {
        let count = self.damaged + self.unreadable;
        let is_due = match self.told {
            None => count > 0,
            Some((at, before)) => count > before && at.elapsed() >= BETWEEN,
        };
        if let Some(text) = self.text().filter(|_| is_due) {
            tell!("ebp: passed over so far: {text}");
            self.told = Some((Instant::now(), count));
        }
    }

    /// What was skipped, if anything. Bytes between telegrams are reported only for files: on a
    /// live line the first telegram is always caught in its middle.
    pub fn text(&self) -> Option<String> {
        let mut parts = Vec::new();
        if self.damaged > 0 {
            parts.push(format!("{} damaged (checksum wrong)", self.damaged));
        }
        if self.unreadable > 0 {
            parts.push(format!("{} unreadable", self.unreadable));
        }
        if self.garbage_bytes > 0 && self.is_file {
            let bytes = counted(self.garbage_bytes, "byte");
            parts.push(format!("{bytes} outside of telegrams"));
        }
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}
