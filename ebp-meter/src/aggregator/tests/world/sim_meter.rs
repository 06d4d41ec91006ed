//! A simulated meter: how it is doing, and what it sends when.

use std::time::Duration;

use ebp_core::{clock::Moment, obis::ObisCode, quantity::Unit};
use jiff::Timestamp;

use crate::{
    profile::FlagId,
    readout::{Entry, Integrity, MeterTime, Protocol, Readout, ServerId, Value},
};

/// How a simulated meter is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Fine,
    Gone,
    Silent,
    Hangs,
    Crashes,
    /// Its answer takes three minutes.
    Slow,
    /// It sends nothing of the survey.
    Empty,
}

/// Which registers a meter shows.
#[derive(Debug, Clone, Copy)]
pub enum Shows {
    /// Energy and power.
    Total,
    /// Energy with decimals alone.
    NoPower,
    /// Two tariffs without their total.
    Tariffs,
    /// One of them.
    OneTariff,
}

/// A meter that pushes a telegram every so often.
#[derive(Debug, Clone)]
pub struct SimMeter {
    pub state: State,
    pub shows: Shows,
    pub locked: bool,
    pub pin_is_right: bool,
    /// Whether its detail outlasts the open list.
    pub offers_inf: bool,
    pub every: Duration,
    /// When the first telegram is complete.
    pub phase: Duration,
    /// How much earlier its telegrams may have been over than they are known to be.
    pub late: Duration,
    /// Watt hours beyond those that the power gives.
    pub extra_wh: i64,
    /// What its telegrams say of it: its maker and its own number.
    pub identity: Option<(&'static str, u8)>,
    pub reads: usize,
    pub unlocks: usize,
    pub presses: usize,
    /// How often the way to `InF` was to be taken, where it is known.
    pub inf_presses: usize,
    pub resets: usize,
    /// The list that the PIN opened closes then.
    pub open_until: Option<Duration>,
}

impl Default for SimMeter {
    fn default() -> Self {
        Self {
            state: State::Fine,
            shows: Shows::Total,
            locked: false,
            pin_is_right: true,
            offers_inf: true,
            every: Duration::from_millis(1_700),
            phase: Duration::from_millis(400),
            late: Duration::ZERO,
            extra_wh: 0,
            identity: None,
            reads: 0,
            unlocks: 0,
            presses: 0,
            inf_presses: 0,
            resets: 0,
            open_until: None,
        }
    }
}

impl SimMeter {
    pub fn is_detailed(&self, at: Duration) -> bool {
        !self.locked || self.open_until.is_some_and(|until| at <= until)
    }

    /// When the first telegram at or after that time is complete.
    pub fn next(&self, from: Duration) -> Duration {
        let since = from.saturating_sub(self.phase).as_nanos();
        let count = since.div_ceil(self.every.as_nanos());
        self.phase + self.every * u32::try_from(count).unwrap()
    }

    pub fn readout(&self, at: Moment, truth: Timestamp) -> Readout {
        // 360 W.
        let watt_hours = (truth.as_millisecond() - 1_769_000_000_000) / 10_000 + self.extra_wh;
        let entry = |obis, integer: i64, unit, scaler| Entry {
            obis,
            value: Value::Integer(integer.into()),
            unit: Some(unit),
            scaler,
            status: None,
            time: None,
            corrected: None,
        };
        let tariff = |number| ObisCode([1, 0, 1, 8, number, 255]);
        let power = entry(ObisCode::SUM_POWER, 360, Unit::WATT, 0);
        let entries = match (self.state, self.is_detailed(at.since_boot)) {
            (State::Empty, _) => Vec::new(),
            (_, true) => match self.shows {
                Shows::Total => {
                    let total = watt_hours * 10;
                    vec![entry(ObisCode::POSITIVE_ENERGY, total, Unit::WATT_HOUR, -1), power]
                }
                Shows::NoPower => {
                    vec![entry(ObisCode::POSITIVE_ENERGY, watt_hours * 10, Unit::WATT_HOUR, -1)]
                }
                Shows::Tariffs => {
                    let first = entry(tariff(1), watt_hours - 1_000, Unit::WATT_HOUR, 0);
                    vec![first, entry(tariff(2), 1_000, Unit::WATT_HOUR, 0), power]
                }
                Shows::OneTariff => vec![entry(tariff(1), watt_hours, Unit::WATT_HOUR, 0), power],
            },
            (_, false) => {
                vec![entry(ObisCode::POSITIVE_ENERGY, watt_hours / 1000, Unit::WATT_HOUR, 3)]
            }
        };
        Readout {
            protocol: Protocol::Sml,
            server_id: self.identity.map(|(_, number)| ServerId([number][..].into())),
            manufacturer: self
                .identity
                .and_then(|(maker, _)| FlagId::new(maker.as_bytes().try_into().ok()?)),
            meter_time: Some(MeterTime::SecIndex(u32::try_from(truth.as_second() / 1000).unwrap())),
            entries,
            unaddressed: Vec::new(),
            integrity: Integrity::Ok,
            bytes: 300,
        }
    }
}
