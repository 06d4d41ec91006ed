//! ASCII registers of IEC 62056-21, which the field calls D0 after the optical port.
//!
//! Enters: the bytes of meters that push registers unasked (mode D) or answer a request (modes A
//! to C), at 7 or 8 data bits. Leaves: readouts; the request itself as a [`Dialogue`]. Absent:
//! ports and waiting, and programming mode: nothing is ever written into a meter.
//!
//! A telegram (eBZ DD3, type OD, after the maker's manual):
//! ```text
//! /EBZ5DD3BZ06ETA_107            maker, baud rate's character, type
//!
//! 1-0:96.1.0*255(1EBZ0100000000) address, value
//! 1-0:1.8.0*255(000125.25688570*kWh)
//! 1-0:16.7.0*255(000259.20*W)
//! !
//! ```
//! In modes A to C the registers stand between STX and ETX, and a block check character follows.
//! Customer interfaces (DSMR P1) put a checksum behind the `!`.

mod address;
pub(crate) mod crc;
mod decoder;
mod dialogue;
mod frame;
mod identification;
mod register;

pub use address::{Address, InvalidAddress};
pub use decoder::Decoder;
pub use dialogue::{Dialogue, Turn};
pub(crate) use identification::Identification;
pub(crate) use register::parse_address;
