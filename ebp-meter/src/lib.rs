//! Reading German household electricity meters.
//!
//! Enters: bytes from a reading head, models' profiles. Leaves: [`Readout`]s, measurements, light.
//! Deliberately absent: the cloud's databases, geometry.

pub mod d0;
pub mod decoder;
pub mod interface;
pub mod port;
pub mod profile;
pub mod readout;
pub mod scan;
pub mod session;
pub mod sml;
pub mod unlock;
pub mod virtual_meter;

pub use readout::Readout;
