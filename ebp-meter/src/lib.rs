//! Reading German household electricity meters.
//!
//! Enters: bytes from a reading head, models' profiles. Leaves: [`Readout`]s, measurements, light.
//! Deliberately absent: the cloud's databases, geometry.

pub mod d0;
pub mod decoder;
pub mod port;
pub mod readout;
pub mod scan;
pub mod session;
pub mod sml;

pub use readout::Readout;
