//! Smart Message Language.

pub mod crc;
pub mod encode;
pub mod frame;
