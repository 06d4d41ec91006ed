//! Smart Message Language.

pub mod crc;
pub mod cursor;
pub mod encode;
pub mod frame;
