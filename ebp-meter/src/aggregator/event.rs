//! Events of the measurement cycle.
//!
//! Enters: nothing. Leaves: [`Step`], [`Event`]. Absent: texts for people except errors.

use std::time::Duration;

use ebp_core::model::{IncidentType, Measurement, MeasurementData};

use super::{NotUnlocked, ReadError};
use crate::unlock::Lasting;

/// Why a meter has no measurement in this slot yet; `E` is the keeper's error.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError<E> {
    /// It could not be read.
    #[error(transparent)]
    Read(ReadError),
    /// Its telegram has none of the survey's values; nothing is stored.
    #[error("the meter sends no values of the survey")]
    NoSurveyValues,
    /// The measurement could not be stored.
    #[error("{0}")]
    Keep(E),
    /// Reading it failed because of a bug in this program.
    #[error("reading the meter failed by a fault of this program")]
    Crashed,
}

/// Something that happened at a meter.
#[derive(Debug)]
pub enum Event<E> {
    /// It was measured, and the measurement is stored.
    Measured(Measurement),
    /// It was measured, and the measurement is stored until its time is known.
    MeasuredUnplaced(MeasurementData),
    /// It had been measured in this slot before.
    AlreadyMeasured,
    /// It could not be measured.
    Failed(MeasureError<E>),
    /// An incident of it has begun or ended.
    Incident(IncidentType, bool),
    /// Its PIN is being entered.
    Unlocking,
    /// It shows its detail.
    Unlocked(Lasting),
    /// It does not.
    NotUnlocked(NotUnlocked),
    /// Another meter answers at its port than before.
    OtherMeter,
    /// A meter of that maker (FLAG id) answers, and the configured model is another one's.
    OtherMaker(String),
    /// This many per cent of its telegrams are damaged: the head may be slipping.
    ManyDamaged(u32),
    /// Its telegrams are complete again.
    FewDamaged,
    /// The USB device of its head was reset, or why not.
    Reset(Result<(), String>),
    /// State other than measurements could not be stored.
    NotKept(E),
}

/// What a step did.
#[derive(Debug)]
pub struct Step<E> {
    /// What happened, with the index of the meter that it concerns.
    pub events: Vec<(Option<usize>, Event<E>)>,
    /// That many measurements from before the clock was right have got their slots.
    pub placed: u64,
    /// Ask the Data API for consent now, and pass on the answer.
    pub ask_consent: bool,
    /// Step again after that time at the latest, and as soon as a head or the Data API reports.
    pub next: Duration,
    /// Nothing more is to be done: consent is revoked, or the one cycle is over.
    pub is_over: bool,
}

impl<E> Default for Step<E> {
    fn default() -> Self {
        Self {
            events: Vec::new(),
            placed: 0,
            ask_consent: false,
            next: Duration::MAX,
            is_over: false,
        }
    }
}
