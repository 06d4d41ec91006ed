//! The Data Aggregator's measurement cycle: every configured meter once in each slot, all at the
//! same time (thesis 4.2.1, 4.3.2).
//!
//! Enters: the configured meters, a way to read one, the clock. Leaves: measurements, each handed on
//! as soon as it is there. Absent: waiting for the next slot, consent, and where measurements are
//! kept: two closures ask for that and do it.
//!
//! A measurement belongs to the slot in which its telegram was complete. A reading that begins
//! before the end of a slot and ends after it is the next slot's measurement; there is then none of
//! the slot before, which is the truth.

mod read;

use std::{panic, sync::mpsc, thread};

use ebp_core::{
    clock::Clock,
    cycle::{Cycle, Slot},
    model::{Measurement, measurement_id},
};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    port::PortName,
    readout::{Integrity, Readout},
    session::ReadOptions,
};

pub use read::{ReadError, read_meter};

/// A meter as this device is configured to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredMeter {
    /// Its identifier in the survey.
    pub uuid: Uuid,
    /// The model's name, such as `MT175`, where it is known.
    pub model: Option<String>,
    /// Where its reading head is.
    pub port: PortName,
    /// Its protocol and speed, where they are known.
    pub options: ReadOptions,
}

/// What the cycle did for a meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was measured, and the measurement is kept.
    Measured(Measurement),
    /// It had been measured in this slot before.
    AlreadyMeasured,
}

/// Why a meter has no measurement in this slot yet; `E` is the reading's error, `K` the keeping's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MeasureError<E, K> {
    /// It could not be read.
    #[error("{0}")]
    Read(E),
    /// Its telegram has none of the values that the survey wants; nothing is kept of it.
    #[error("the meter sends no values of the survey")]
    NoSurveyValues,
    /// What it shows could not be kept.
    #[error("{0}")]
    Keep(K),
    /// Reading it failed by a fault of this program.
    #[error("reading the meter failed by a fault of this program")]
    Crashed,
}

/// What became of a meter in a cycle.
pub type Measured<E, K> = Result<Outcome, MeasureError<E, K>>;

/// One measurement cycle: reads every meter that is not measured in this slot yet, each on a thread
/// of its own, once.
///
/// `is_measured` is asked for each meter before it is read. `keep` is given each measurement as soon
/// as its telegram is complete, and says whether it is new (another process may have been faster).
/// Both are called on the caller's thread. `read` gives one telegram; [`Choice`] says which.
///
/// The result has the meters' order.
pub fn measure_all<E: Send, K>(
    meters: &[ConfiguredMeter],
    cycle: Cycle,
    clock: &dyn Clock,
    mut is_measured: impl FnMut(Uuid, Slot) -> Result<bool, K>,
    read: impl Fn(&ConfiguredMeter) -> Result<Readout, E> + Sync,
    mut keep: impl FnMut(&Measurement, Slot) -> Result<bool, K>,
) -> Vec<(Uuid, Measured<E, K>)> {
    let slot = cycle.slot(clock.now());
    let read = &read;
    let mut outcomes: Vec<_> = meters.iter().map(|_| Err(MeasureError::Crashed)).collect();
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for (index, meter) in meters.iter().enumerate() {
            match is_measured(meter.uuid, slot) {
                Ok(false) => {}
                Ok(true) => {
                    outcomes[index] = Ok(Outcome::AlreadyMeasured);
                    continue;
                }
                Err(error) => {
                    outcomes[index] = Err(MeasureError::Keep(error));
                    continue;
                }
            }
            let sender = sender.clone();
            scope.spawn(move || {
                // A decoder's fault in one meter's telegram must not cost the others theirs.
                let read = panic::AssertUnwindSafe(|| read(meter).map(|r| (r, clock.now())));
                if let Ok(read) = panic::catch_unwind(read) {
                    let _ = sender.send((index, read));
                }
            });
        }
        drop(sender);
        for (index, read) in receiver {
            outcomes[index] = read
                .map_err(MeasureError::Read)
                .and_then(|(readout, at)| measurement(&meters[index], &readout, at, cycle))
                .and_then(|(measurement, slot)| match keep(&measurement, slot) {
                    Ok(true) => Ok(Outcome::Measured(measurement)),
                    Ok(false) => Ok(Outcome::AlreadyMeasured),
                    Err(error) => Err(MeasureError::Keep(error)),
                });
        }
    });
    meters.iter().map(|meter| meter.uuid).zip(outcomes).collect()
}

fn measurement<E, K>(
    meter: &ConfiguredMeter,
    readout: &Readout,
    measured_at: Timestamp,
    cycle: Cycle,
) -> Result<(Measurement, Slot), MeasureError<E, K>> {
    let data = readout.survey();
    if data.is_empty() {
        return Err(MeasureError::NoSurveyValues);
    }
    // What databases keep of an instant; more would differ from what the account gives back.
    let measured_at =
        Timestamp::from_microsecond(measured_at.as_microsecond()).unwrap_or(measured_at);
    let slot = cycle.slot(measured_at);
    let uuid = measurement_id(meter.uuid, slot);
    Ok((Measurement { uuid, meter: meter.uuid, measured_at, data, flags: Vec::new() }, slot))
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
    best: Option<Readout>,
}

impl Choice {
    /// Takes a telegram into account; `true` when no better one can come.
    pub fn offer(&mut self, readout: Readout) -> bool {
        if self.best.as_ref().is_none_or(|best| worth(&readout) > worth(best)) {
            self.best = Some(readout);
        }
        self.best.as_ref().is_some_and(|best| {
            let (has_values, whole, _) = worth(best);
            has_values && whole
        })
    }

    /// The best telegram there was.
    #[must_use]
    pub fn into_best(self) -> Option<Readout> {
        self.best
    }
}

/// Values first, then wholeness, then how many values.
fn worth(readout: &Readout) -> (bool, bool, usize) {
    let values = readout.survey().len();
    (values > 0, readout.integrity != Integrity::Salvaged, values)
}

#[cfg(test)]
mod tests;
