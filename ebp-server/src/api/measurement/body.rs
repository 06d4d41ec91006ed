//! An upload's body: unpacked and read at the same time, one measurement after the other. Each is
//! held against its bounds before the next one is read.
//!
//! A body of the form that devices send is read in one go. Any other is begun anew and looked at
//! piece by piece, so that what is malformed does not hold up the rest and is told by its name.

use std::io::{BufReader, Read};

use ebp_core::{
    contract::limits,
    model::{Flag, Measurement, MeasurementData, parse_data},
};
use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    bounded::{AHEAD, Bounded, Bounds, Cut},
    packing::Packing,
    pieces::{self, Stopped},
    whole,
};
use crate::problem::ApiError;
use ebp_store::Refusal;

/// What is unpacked of a body before it is read; one of more is read as it is unpacked, which takes
/// longer.
const AT_ONCE: usize = 1 << 20;

/// A measurement as far as it could be read: whole, or its identifier and why not.
#[derive(Debug, PartialEq, Eq)]
pub enum Item {
    /// Whole.
    Measurement(Measurement),
    /// One that cannot be stored.
    Malformed(Uuid, Refusal),
}

/// What was uploaded.
#[derive(Debug, PartialEq, Eq)]
pub struct Upload {
    /// The measurements.
    pub items: Vec<Item>,
    /// Octets of the body once unpacked.
    pub octets: usize,
}

/// Reads the measurements. One that is malformed does not hold up the others, unless its
/// identifier is, by which the answer would name it.
pub fn read(body: &[u8], packing: Packing) -> Result<Upload, ApiError> {
    let Some(mut unpacked) = packing.reader(body)? else { return read_slice(body) };
    let broken = || ApiError::Invalid(format!("the body is no {}", packing.name()));
    let mut head = Vec::new();
    let room = AT_ONCE as u64 + 1;
    unpacked.by_ref().take(room).read_to_end(&mut head).map_err(|_| broken())?;
    if head.len() <= AT_ONCE {
        return read_slice(&head);
    }
    let bounds = Bounds::new(limits::UPLOAD_UNPACKED_BYTES, limits::MEASUREMENT_BYTES);
    let stream = Bounded::new(head.chain(unpacked), &bounds);
    let mut reader = serde_json::Deserializer::from_reader(BufReader::with_capacity(AHEAD, stream));
    let read = pieces::read_stream(&mut reader, &bounds);
    match (bounds.cut(), read) {
        (None, Ok(items)) => Ok(Upload { items, octets: bounds.read() }),
        (None, Err(stopped)) => Err(stopped.into()),
        (Some(Cut::Broken), _) => Err(broken()),
        (Some(Cut::Piece), _) => Err(Stopped::LargePiece.into()),
        (Some(Cut::Whole), _) => Err(ApiError::TooLarge(format!(
            "the body unpacks to more than {} bytes",
            limits::UPLOAD_UNPACKED_BYTES
        ))),
    }
}

fn read_slice(body: &[u8]) -> Result<Upload, ApiError> {
    let items = match whole::read(body) {
        Some(items) => items,
        None => pieces::read_slice(body)?,
    };
    Ok(Upload { items, octets: body.len() })
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

#[cfg(test)]
mod tests;
