//! A measurement of an upload, as far as it could be read.

use ebp_core::{
    contract::limits,
    model::{Flag, Measurement, MeasurementData, parse_data},
};
use ebp_store::Refusal;
use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

/// A measurement as far as it could be read: whole, or its identifier and why not.
#[derive(Debug, PartialEq, Eq)]
pub enum Item {
    /// Whole.
    Measurement(Measurement),
    /// One that cannot be stored.
    Malformed(Uuid, Refusal),
}

/// A measurement with its data points as their text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written<'a> {
    uuid: Uuid,
    meter: Uuid,
    measured_at: Timestamp,
    #[serde(borrow)]
    data: &'a serde_json::value::RawValue,
    #[serde(default)]
    flags: Vec<Flag>,
}

impl Written<'_> {
    /// With its data points read; none if they cannot be.
    pub fn read(self) -> Option<Item> {
        let data = self.data.get();
        if data.len() > limits::MEASUREMENT_BYTES {
            return None;
        }
        let data = parse_data(data).ok()?;
        let Self { uuid, meter, measured_at, flags, .. } = self;
        Some(item(Measurement { uuid, meter, measured_at, data, flags }))
    }
}

/// What can be refused already is not kept for long.
pub fn item(measurement: Measurement) -> Item {
    let few = |data: &MeasurementData| data.len() <= limits::DATA_POINTS;
    if few(&measurement.data) {
        Item::Measurement(measurement)
    } else {
        Item::Malformed(measurement.uuid, Refusal::TooManyPoints)
    }
}
