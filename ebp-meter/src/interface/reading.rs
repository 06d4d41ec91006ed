//! Reading one meter: the telegram that is wanted, of those that come.
//!
//! Enters: a meter's interface, from when and how long it is listened to. Leaves: the telegram and
//! when it was complete, and how many others came. Absent: slots.
//!
//! An answer that is under way when the time is up is listened to further: it counts by its pauses
//! and not by its length, since at 300 baud it takes minutes.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use ebp_core::{
    clock::{DeviceClock, Moment},
    model::Flag,
};

use super::{Environment, MeterInterface, ReadError};
use crate::{
    decoder::Noise,
    readout::{Integrity, Readout},
    session::SessionEvent,
};

/// An answer under way is listened to for so long before it is looked at again.
const FURTHER: Duration = Duration::from_secs(5);
/// The longest single wait for any telegram before the stop flag is looked at.
const SLICE: Duration = Duration::from_millis(250);

/// Which telegram is wanted: the first that is complete at `from` or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// From then on, by the time since the machine's start. The port is opened at once, so that a
    /// telegram which is under way then is not cut.
    pub from: Duration,
    /// How long is waited, by the same time.
    pub until: Duration,
    /// How long is waited at most for an answer that is under way at [`Self::until`]: at 300 baud one
    /// takes minutes.
    pub latest: Duration,
    /// Find protocol and line settings out, whatever the model's profile says of them.
    pub detect: bool,
}

/// A telegram and when it was complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telegram {
    /// What it says.
    pub readout: Readout,
    /// When it was known to be complete.
    pub at: Moment,
    /// How much earlier its last byte may have been there: nothing for a whole telegram, which is known
    /// to be complete with it.
    pub late: Duration,
}

/// How many telegrams came, whichever of them was wanted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// Whole ones.
    pub good: u32,
    /// Such whose checksum was wrong, that said nothing readable, or that were salvaged.
    pub damaged: u32,
}

/// The next telegram, whatever it shows, within that time.
///
/// # Errors
/// [`ReadError::Silent`] or [`ReadError::Unintelligible`] when none came, [`ReadError::Stopped`] within
/// a quarter of a second of the stop flag, those of the port.
pub fn read(
    meter: &mut dyn MeterInterface,
    wait: Duration,
    environment: &Environment,
) -> Result<Readout, ReadError> {
    let pace = environment.pace();
    let until = pace.now().saturating_add(wait);
    loop {
        if environment.stop.load(Ordering::Relaxed) {
            return Err(ReadError::Stopped);
        }
        let left = until.saturating_sub(pace.now());
        match meter.next(left.min(SLICE))? {
            SessionEvent::Readout(readout) => return Ok(*readout),
            SessionEvent::End => break,
            SessionEvent::Noise(_) | SessionEvent::TimedOut => {}
        }
        if left.is_zero() {
            break;
        }
    }
    Err(nothing(meter, wait))
}

/// Takes the telegram that [`Choice`] prefers of those that are complete within the time. `goes_on` is
/// told until when a reading goes on beyond its time, because its meter is answering. While `stop` is
/// raised it ends with what comes next, or with its time.
///
/// # Errors
/// [`ReadError::Silent`] or [`ReadError::Unintelligible`] when no telegram was complete in time,
/// [`ReadError::Stopped`], those of the port.
pub fn measure(
    meter: &mut dyn MeterInterface,
    reading: Reading,
    clock: &dyn DeviceClock,
    stop: &AtomicBool,
    goes_on: &dyn Fn(Duration),
    heard: &mut Heard,
) -> Result<Box<Telegram>, ReadError> {
    let (begun, mut until) = (clock.since_boot(), reading.until);
    let mut choice = Choice::default();
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err(ReadError::Stopped);
        }
        let left = until.saturating_sub(clock.since_boot());
        match meter.next(left)? {
            SessionEvent::Readout(readout) => {
                match readout.integrity {
                    Integrity::Salvaged => heard.damaged += 1,
                    _ => heard.good += 1,
                }
                let at = clock.moment();
                // A file has no time: what it holds is there at once.
                let is_timeless = !meter.is_live();
                let late = if is_timeless { Duration::ZERO } else { meter.over_within(&readout) };
                // What may have been said long ago is no measurement of now.
                let is_wanted = (at.since_boot >= reading.from || is_timeless)
                    && Flag::of_time_bound(late).is_some();
                if is_wanted && choice.offer(Telegram { readout: *readout, at, late }) {
                    break;
                }
            }
            SessionEvent::Noise(Noise::WrongChecksum { .. } | Noise::Unreadable { .. }) => {
                heard.damaged += 1;
            }
            SessionEvent::Noise(_) | SessionEvent::TimedOut => {}
            SessionEvent::End => break,
        }
        let now = clock.since_boot();
        if now >= until {
            if meter.answering().is_none() || now >= reading.latest {
                break;
            }
            until = now.saturating_add(FURTHER).min(reading.latest);
            goes_on(until);
        }
    }
    let waited = || clock.since_boot().saturating_sub(begun);
    choice.into_best().map(Box::new).ok_or_else(|| nothing(meter, waited()))
}

/// Why no telegram came in that time.
fn nothing(meter: &dyn MeterInterface, waited: Duration) -> ReadError {
    match meter.received() {
        0 => ReadError::Silent { waited },
        bytes => ReadError::Unintelligible { bytes, waited },
    }
}

/// Which of the telegrams that come within a reading's time becomes the measurement.
///
/// The first whole one with values of the survey does, and ends the reading. A salvaged one (its
/// frame is damaged, the checksum of the message inside is right) is taken only when the time is up
/// without a whole one: its values are exact, but the head has slipped or the line is noisy, so that
/// another telegram a second later is worth waiting for. Without a checksum at all (IEC 62056-21
/// mode D) there is no better one to wait for.
#[derive(Debug, Default)]
pub struct Choice {
    best: Option<Telegram>,
}

impl Choice {
    /// Takes a telegram into account; `true` when no better one can come.
    pub fn offer(&mut self, telegram: Telegram) -> bool {
        let better = |best: &Telegram| worth(&telegram.readout) > worth(&best.readout);
        if self.best.as_ref().is_none_or(better) {
            self.best = Some(telegram);
        }
        self.best.as_ref().is_some_and(|best| {
            let (has_values, whole, _) = worth(&best.readout);
            has_values && whole
        })
    }

    /// The best telegram there was.
    #[must_use]
    pub fn into_best(self) -> Option<Telegram> {
        self.best
    }
}

/// Values first, then wholeness, then how many values.
fn worth(readout: &Readout) -> (bool, bool, usize) {
    let values = readout.survey().len();
    (values > 0, readout.integrity != Integrity::Salvaged, values)
}
