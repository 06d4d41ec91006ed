//! Meters that do not exist.

pub mod light;
pub mod lock;
