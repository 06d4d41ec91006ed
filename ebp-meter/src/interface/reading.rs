//! Reading one meter for a measurement: the telegram that is wanted, of those that come.
//!
//! Enters: a configured meter, from when and how long it is listened to. Leaves: the telegram and
//! when it was complete, and how many others came. Absent: slots.
//!
//! An answer that is under way when the time is up is listened to further: it counts by its pauses
//! and not by its length, since at 300 baud it takes minutes.

use std::time::Duration;

use ebp_core::model::Flag;

use super::{ConfiguredMeter, Heard, ReadError, Reading, Telegram, bench::Bench};
use crate::{
    decoder::Noise,
    readout::{Integrity, Readout},
    session::{ReadOptions, Session, SessionEvent},
};

/// An answer under way is listened to for so long before it is looked at again.
const FURTHER: Duration = Duration::from_secs(5);

/// Reads the meter once: opens its port, takes the telegram that [`Choice`] prefers of those that
/// are complete within the time, and closes the port again.
pub(super) fn read_meter(
    meter: &ConfiguredMeter,
    reading: Reading,
    bench: &Bench<'_>,
) -> (Result<Box<Telegram>, ReadError>, Heard) {
    let mut heard = Heard::default();
    let address = meter.options.address;
    let detecting = ReadOptions { address, ..ReadOptions::default() };
    let options = if reading.detect { detecting } else { meter.options };
    let telegram = bench
        .session(&meter.port, Session::first_line(options), options)
        .map_err(ReadError::from)
        .and_then(|mut session| listen(&mut session, reading, bench, &mut heard));
    (telegram, heard)
}

fn listen(
    session: &mut Session,
    reading: Reading,
    bench: &Bench<'_>,
    heard: &mut Heard,
) -> Result<Box<Telegram>, ReadError> {
    let clock = bench.clock;
    let (begun, mut until) = (clock.since_boot(), reading.until);
    let mut choice = Choice::default();
    loop {
        let left = until.saturating_sub(clock.since_boot());
        match session.next(left)? {
            SessionEvent::Readout(readout) => {
                match readout.integrity {
                    Integrity::Salvaged => heard.damaged += 1,
                    _ => heard.good += 1,
                }
                let at = clock.moment();
                // A file has no time: what it holds is there at once.
                let is_timeless = !session.is_live();
                let late = if is_timeless { Duration::ZERO } else { session.over_within(&readout) };
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
            if session.answering().is_none() || now >= reading.latest {
                break;
            }
            until = now.saturating_add(FURTHER).min(reading.latest);
            (bench.goes_on)(until);
        }
    }
    choice.into_best().map(Box::new).ok_or_else(|| {
        let waited = clock.since_boot().saturating_sub(begun);
        match session.received() {
            0 => ReadError::Silent { waited },
            bytes => ReadError::Unintelligible { bytes, waited },
        }
    })
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
