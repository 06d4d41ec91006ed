//! When meters are read for outputs, between the readings of the measurement cycle, and what was heard.

use std::{collections::BTreeMap, time::Duration};

use ebp_core::{clock::Moment, model::MeasurementData};
use ebp_meter::{
    aggregator::Done,
    canonical::{MeterFigures, Pinned},
    readout::Integrity,
};

/// The shortest time in which a reading is begun: every meter that sends without a request has sent by
/// then.
const LEAST_TIME: Duration = Duration::from_secs(5);
/// A meter that stays silent is tried this often at least.
const LONGEST_PAUSE: Duration = Duration::from_secs(900);

/// The survey's values in a telegram.
#[derive(Debug, Clone, PartialEq)]
pub struct HeardTelegram {
    /// When it was complete.
    pub at: Moment,
    /// Its values.
    pub data: MeasurementData,
}

/// Readings for outputs.
#[derive(Debug)]
pub(super) struct Listening {
    interval: Duration,
    /// Whether meters are read in between: not where the cycle is as frequent.
    reads: bool,
    meters: BTreeMap<usize, State>,
    /// By the meters' index.
    figures: Vec<MeterFigures>,
    heard: Vec<(usize, HeardTelegram)>,
}

/// What is known of a meter.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// When it is to be read next, since the machine's start.
    due: Duration,
    /// When the reading under way was begun.
    begun: Option<Duration>,
    /// Readings in a row that failed.
    failures: u32,
}

impl Listening {
    /// Of meters whose models name these registers.
    pub(super) fn new(
        interval: Duration,
        cycle: Duration,
        pinned: impl Iterator<Item = Pinned>,
    ) -> Self {
        let figures = pinned.map(MeterFigures::new).collect();
        let (meters, heard) = (BTreeMap::new(), Vec::new());
        Self { interval, reads: interval < cycle, meters, figures, heard }
    }

    /// Whether a reading of that meter begins now, for which there is that much time.
    pub(super) fn begins(&mut self, meter: usize, now: Duration, room: Duration) -> bool {
        let state = self.meters.entry(meter).or_default();
        if !self.reads || now < state.due || room < LEAST_TIME {
            return false;
        }
        state.begun = Some(now);
        true
    }

    /// A job at that meter was done, of the cycle or for outputs.
    pub(super) fn hear(&mut self, meter: usize, done: &Done) {
        let state = self.meters.entry(meter).or_default();
        let begun = state.begun.take();
        match done {
            Done::Read { telegram: Ok(telegram), .. } => {
                *state = State { due: telegram.at.since_boot + self.interval, ..State::default() };
                if telegram.readout.integrity != Integrity::Salvaged
                    && let Some(figures) = self.figures.get_mut(meter)
                {
                    let data = figures.data(&telegram.readout);
                    self.heard.push((meter, HeardTelegram { at: telegram.at, data }));
                }
            }
            _ => {
                let Some(begun) = begun else { return };
                state.failures += 1;
                let pause = self.interval.saturating_mul(1 << state.failures.min(10));
                state.due = begun.saturating_add(pause.min(LONGEST_PAUSE.max(self.interval)));
            }
        }
    }

    pub(super) fn take_heard(&mut self) -> Vec<(usize, HeardTelegram)> {
        std::mem::take(&mut self.heard)
    }

    /// How long until the next of so many meters is due.
    pub(super) fn next_due(&self, meters: usize, now: Duration) -> Duration {
        if !self.reads {
            return Duration::MAX;
        }
        // What is due and does not fit in is looked at again when the cycle's step is over.
        let due = |meter| self.meters.get(&meter).map(|state| state.due.saturating_sub(now));
        (0..meters).filter_map(due).filter(|due| !due.is_zero()).min().unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use ebp_meter::interface::{Heard, ReadError};

    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn silence() -> Done {
        let waited = seconds(15);
        Done::Read { telegram: Err(ReadError::Silent { waited }), heard: Heard::default() }
    }

    #[test]
    fn a_silent_meter_is_tried_less_and_less_often() {
        let mut listening = Listening::new(seconds(10), seconds(900), [Pinned::new()].into_iter());
        assert!(!listening.begins(0, seconds(0), seconds(4)), "too little time");
        let mut tries = Vec::new();
        for now in 0..2_000 {
            if listening.begins(0, seconds(now), seconds(15)) {
                tries.push(now);
                listening.hear(0, &silence());
            }
        }
        assert_eq!(tries, [0, 20, 60, 140, 300, 620, 1_260]);
        assert_eq!(listening.next_due(1, seconds(2_000)), seconds(160));
        assert_eq!(listening.take_heard(), []);
    }

    #[test]
    fn a_cycle_that_is_as_frequent_is_enough() {
        let mut listening = Listening::new(seconds(900), seconds(900), [Pinned::new()].into_iter());
        assert!(!listening.begins(0, seconds(10_000), seconds(15)));
        assert_eq!(listening.next_due(1, seconds(10_000)), Duration::MAX);
    }
}
