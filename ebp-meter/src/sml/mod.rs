//! Smart Message Language (DIN VDE 0418-63-9, BSI TR-03109-1 annex IV), as real meters send it.
//!
//! A meter pushes a frame every one to four seconds: `1b1b1b1b 01010101`, data, `1b1b1b1b 1a`, the
//! number of padding bytes, a checksum. The data are one SML file: messages, each a list of six
//! elements with its own checksum. The second of the three that meters send, `GetList.Res`, has the
//! meter's identity, its time, and a list of entries: OBIS code, status word, time, unit, scaler,
//! value, signature. Everything is an element of type and length: bytes, number of 1 to 8 bytes,
//! truth value, or list. `01`, the empty byte string, stands for absent.
//!
//! Enters: bytes. Leaves: [`Readout`](crate::Readout)s from [`Decoder`], which owns what it gives
//! away; or frames, messages and entries borrowed from the bytes, without an allocation:
//!
//! ```
//! use ebp_meter::sml::{encode, frame::frames, message::messages};
//! # let telegram = encode::Telegram { server_id: vec![1], file_id: 1, sec_index: None, list_name: None, entries: vec![] };
//! let bytes = encode::encode(&telegram).unwrap();
//! let mut scratch = Vec::new();
//! for frame in frames(&bytes).filter(|frame| frame.is_whole()) {
//!     for message in messages(frame.payload(&mut scratch)).flatten() {
//!         let Some(Ok(list)) = message.list_response() else { continue };
//!         for entry in list.entries().flatten() {
//!             println!("{} {:?}", entry.obis, entry.value);
//!         }
//!     }
//! }
//! ```
//!
//! What differs between meters is taken as it comes ([`frame`], [`cursor`], [`message`], [`list`]);
//! known faults in values are data ([`quirk`]). Absent: ports, and any trust in a length or a count.

pub mod crc;
pub mod cursor;
mod decode;
pub mod encode;
pub mod end;
pub mod frame;
pub mod list;
pub mod message;
pub mod quirk;
mod salvage;
mod time;

pub use decode::Decoder;
