//! An upload's body: unpacked and read at the same time, one measurement after the other. Each is
//! held against its bounds before the next one is read.
//!
//! A body in the format that devices send is read in one pass. Any other is read again piece by
//! piece, so that a malformed item does not affect the rest and is reported by its name.
//!
//! Enters: a body and how it is packed. Leaves: its measurements, or why it is not read. Absent:
//! storing them.

use std::io::{BufReader, Read};

use ebp_core::contract::limits;

use super::{
    bounded::{AHEAD, Bounded, Bounds, Cut},
    item::Item,
    packing::Packing,
    pieces::{self, Stopped},
    whole,
};
use crate::problem::ApiError;

/// What is unpacked of a body before it is read; one of more is read as it is unpacked, which takes
/// longer.
const AT_ONCE: usize = 1 << 20;

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

#[cfg(test)]
mod tests;
