//! The rules of admission: measurements are accepted from the household's meters, within its
//! consent, with data points that are not empty and identify nobody. Also the key that each is
//! stored under.

use std::collections::BTreeMap;

use ebp_core::{
    contract::limits,
    cycle::Cycle,
    model::{Flag, Measurement, MeasurementIds, says_a_slot},
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// Why a measurement is refused; the text is sent to the client and quotes nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The household has no such meter.
    #[error("the household has no such meter")]
    UnknownMeter,
    /// It was measured when consent was not yet granted.
    #[error("measured before consent was granted")]
    BeforeConsent,
    /// It will be measured.
    #[error("measured in the future")]
    InTheFuture,
    /// It has no data points.
    #[error("there are no data points")]
    NoData,
    /// It has too many data points.
    #[error("there are more than {} data points", limits::DATA_POINTS)]
    TooManyPoints,
    /// A code stands in it twice.
    #[error("an OBIS code occurs twice among the data points")]
    RepeatedCode,
    /// A flag stands in it twice.
    #[error("a flag occurs twice")]
    RepeatedFlag,
    /// It carries the meter's own number.
    #[error("a data point identifies the meter")]
    IdentifiesMeter,
    /// Its identifier says a meter and a slot, and it is of others.
    #[error("a uuid of version 8 follows from meter and slot, and this is not its")]
    OtherSlot,
    /// Its month was archived: whether it is stored already cannot be determined any more.
    #[error("its month is archived")]
    Archived,
    /// It takes no slot of the survey's cycle, and its meter has as many measurements as it may.
    #[error("its meter has as many measurements as it may have by now")]
    QuotaUsedUp,
    /// Its identifier is taken by another one.
    #[error("another measurement has this uuid")]
    OtherContent,
    /// A member is missing or not of its form.
    #[error("`{0}` is missing or not of its form")]
    Malformed(&'static str),
}

/// A meter as a database knows it, with the identifiers of its measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownMeter {
    /// Its number in the database.
    pub number: i32,
    /// The identifiers of its slots.
    pub ids: MeasurementIds,
}

/// The place that a measurement takes, of which there is one.
///
/// The one of a slot is known by meter and slot, from which its identifier follows. Any other is
/// known by its identifier, over all meters and times, and its time is its slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// The meter's number in the database.
    pub meter: i32,
    /// Microseconds since the Unix epoch: when the slot begins. The measurement was taken then or
    /// within [`Cycle::LONGEST`] after.
    pub slot: i64,
    /// Its identifier, unless that follows from meter and slot.
    pub uuid: Option<Uuid>,
}

/// How long after its slot's start a measurement was taken, less than, in microseconds.
pub const LONGEST_SLOT: i64 = Cycle::LONGEST.duration().as_secs().cast_signed() * 1_000_000;

/// What there is one measurement of, in the order in which databases take them in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The meter's number, and when the slot begins.
    Slot(i32, i64),
    /// An identifier that says neither.
    Own(Uuid),
}

impl Place {
    /// What it is known by.
    #[must_use]
    pub fn key(&self) -> Key {
        self.uuid.map_or(Key::Slot(self.meter, self.slot), Key::Own)
    }
}

/// What measurements of one household are held against.
#[derive(Debug)]
pub struct Admission {
    meters: Vec<KnownMeter>,
    granted_at: Timestamp,
    latest: Timestamp,
}

impl Admission {
    /// For a household with these meters, whose consent was granted then, at this instant.
    #[must_use]
    pub fn new(meters: Vec<KnownMeter>, granted_at: Timestamp, received_at: Timestamp) -> Self {
        let tolerance =
            SignedDuration::try_from(limits::CLOCK_TOLERANCE).unwrap_or(SignedDuration::ZERO);
        let latest = received_at.checked_add(tolerance).unwrap_or(Timestamp::MAX);
        Self { meters, granted_at, latest }
    }

    /// Whether the measurement may be stored, and where.
    ///
    /// # Errors
    /// Returns the reason.
    pub fn check(&self, measurement: &Measurement) -> Result<Place, Refusal> {
        // A household has a few.
        let meter = self
            .meters
            .iter()
            .find(|meter| meter.ids.meter() == measurement.meter)
            .ok_or(Refusal::UnknownMeter)?;
        // Both to the microsecond, as they are kept.
        if measurement.measured_at.as_microsecond() < self.granted_at.as_microsecond() {
            return Err(Refusal::BeforeConsent);
        }
        if measurement.measured_at > self.latest {
            return Err(Refusal::InTheFuture);
        }
        if measurement.data.is_empty() {
            return Err(Refusal::NoData);
        }
        if measurement.data.len() > limits::DATA_POINTS {
            return Err(Refusal::TooManyPoints);
        }
        if has_twins(&measurement.data, |point| point.obis) {
            return Err(Refusal::RepeatedCode);
        }
        if measurement.data.iter().any(|point| point.obis.identifies()) {
            return Err(Refusal::IdentifiesMeter);
        }
        if measurement.flags.len() > Flag::ALL.len() || has_twins(&measurement.flags, |flag| *flag)
        {
            return Err(Refusal::RepeatedFlag);
        }
        place(meter, measurement)
    }
}

fn place(meter: &KnownMeter, measurement: &Measurement) -> Result<Place, Refusal> {
    let (uuid, at) = (measurement.uuid, measurement.measured_at.as_microsecond());
    if !says_a_slot(uuid) {
        return Ok(Place { meter: meter.number, slot: at, uuid: Some(uuid) });
    }
    let slot = meter.ids.slot(uuid).ok_or(Refusal::OtherSlot)?.as_microsecond();
    if (0..LONGEST_SLOT).contains(&at.saturating_sub(slot)) {
        Ok(Place { meter: meter.number, slot, uuid: None })
    } else {
        Err(Refusal::OtherSlot)
    }
}

/// The latest of a meter's measurements in a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latest {
    /// The meter's number in the database.
    pub meter: i32,
    /// When it was measured.
    pub measured_at: Timestamp,
    /// When it was received.
    pub received_at: Timestamp,
    /// Its flags, as they are stored.
    pub flags: Option<i16>,
}

/// The latest of each meter, in the order of the meters: whoever locks more than one does so in this
/// order.
pub fn latest_of(all: impl Iterator<Item = Latest>) -> Vec<Latest> {
    let mut latest = BTreeMap::<i32, Latest>::new();
    for one in all {
        let known = latest.entry(one.meter).or_insert(one);
        let received_at = known.received_at.max(one.received_at);
        if one.measured_at >= known.measured_at {
            *known = one;
        }
        known.received_at = received_at;
    }
    latest.into_values().collect()
}

/// Whether a key occurs twice. There are a few dozen at most, which are compared sooner than sorted.
fn has_twins<T, K: PartialEq>(all: &[T], key: impl Fn(&T) -> K) -> bool {
    all.iter()
        .enumerate()
        .any(|(place, one)| all[..place].iter().any(|before| key(before) == key(one)))
}

#[cfg(test)]
mod tests {
    use ebp_core::{model::DataPoint, obis::ObisCode};

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn point(obis: ObisCode) -> DataPoint {
        DataPoint { obis, value: 1.into() }
    }

    const METER: Uuid = Uuid::from_u128(1);

    fn known() -> KnownMeter {
        KnownMeter { number: 7, ids: MeasurementIds::for_meter(METER) }
    }

    fn place_of(change: impl FnOnce(&mut Measurement)) -> Result<Place, Refusal> {
        let mut measurement = Measurement {
            uuid: Uuid::from_u128(2),
            meter: METER,
            measured_at: at("2026-01-31T12:00:00Z"),
            data: vec![point(ObisCode::POSITIVE_ENERGY)],
            flags: Vec::new(),
        };
        change(&mut measurement);
        Admission::new([known()].into(), at("2026-01-01T00:00:00Z"), at("2026-01-31T12:00:10Z"))
            .check(&measurement)
    }

    fn check(change: impl FnOnce(&mut Measurement)) -> Result<(), Refusal> {
        place_of(change).map(drop)
    }

    #[test]
    fn a_place_is_the_slot_or_the_identifier() {
        let measured = at("2026-01-31T12:00:00Z").as_microsecond();
        let own = Place { meter: 7, slot: measured, uuid: Some(Uuid::from_u128(2)) };
        assert_eq!(place_of(|_| ()), Ok(own));
        let of = |start: &str| known().ids.id(Cycle::QUARTER_HOUR.slot(at(start)));
        let slot = |start: &str| Place { meter: 7, slot: at(start).as_microsecond(), uuid: None };
        for start in ["2026-01-31T12:00:00Z", "2026-01-30T12:15:00Z"] {
            assert_eq!(place_of(|m| m.uuid = of(start)), Ok(slot(start)));
        }
        // Before its slot, and a day after.
        for start in ["2026-01-31T12:15:00Z", "2026-01-30T12:00:00Z"] {
            assert_eq!(place_of(|m| m.uuid = of(start)), Err(Refusal::OtherSlot));
        }
        let other = MeasurementIds::for_meter(Uuid::nil());
        let foreign = other.id(Cycle::QUARTER_HOUR.slot(at("2026-01-31T12:00:00Z")));
        assert_eq!(place_of(|m| m.uuid = foreign), Err(Refusal::OtherSlot));
    }

    #[test]
    fn the_latest_of_each_meter() {
        let one = |meter, measured: i64, received: i64, flags| Latest {
            meter,
            measured_at: Timestamp::from_second(measured).unwrap(),
            received_at: Timestamp::from_second(received).unwrap(),
            flags,
        };
        let all =
            [one(7, 5, 9, None), one(3, 1, 9, Some(1)), one(7, 6, 8, Some(2)), one(7, 4, 9, None)];
        assert_eq!(latest_of(all.into_iter()), [one(3, 1, 9, Some(1)), one(7, 6, 9, Some(2))]);
    }

    #[test]
    fn each_reason() {
        assert_eq!(check(|_| ()), Ok(()));
        assert_eq!(check(|m| m.meter = Uuid::nil()), Err(Refusal::UnknownMeter));
        assert_eq!(check(|m| m.measured_at = at("2026-01-01T00:00:00Z")), Ok(()));
        let early = at("2025-12-31T23:59:59.999999Z");
        assert_eq!(check(|m| m.measured_at = early), Err(Refusal::BeforeConsent));
        assert_eq!(check(|m| m.measured_at = at("2026-01-31T12:05:10Z")), Ok(()));
        let late = at("2026-01-31T12:05:10.000001Z");
        assert_eq!(check(|m| m.measured_at = late), Err(Refusal::InTheFuture));
        assert_eq!(check(|m| m.data.clear()), Err(Refusal::NoData));
        let code = |i: u8| point(ObisCode([1, 0, 1, 8, i, 255]));
        assert_eq!(check(|m| m.data = (0..64).map(code).collect()), Ok(()));
        assert_eq!(check(|m| m.data = (0..65).map(code).collect()), Err(Refusal::TooManyPoints));
        assert_eq!(check(|m| m.data = vec![code(1), code(1)]), Err(Refusal::RepeatedCode));
        for obis in [ObisCode::SERVER_ID, ObisCode::DEVICE_ID] {
            assert_eq!(check(|m| m.data.push(point(obis))), Err(Refusal::IdentifiesMeter));
        }
        assert_eq!(check(|m| m.flags = Flag::ALL.into()), Ok(()));
        let twice = vec![Flag::ClockCorrected; 2];
        assert_eq!(check(|m| m.flags = twice), Err(Refusal::RepeatedFlag));
    }
}
