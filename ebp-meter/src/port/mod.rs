//! Ports: serial lines, TCP bridges, files, standard input.
//!
//! Enters: a port's name as people type it and its line settings. Leaves: [`Port`], which gives
//! bytes and takes light. Absent: telegrams and their protocols.

mod channel;
mod error;
mod file;
mod line;
mod list;
mod name;
mod open;
mod parse;
mod refused;
mod serial;
mod tcp;
pub mod telnet;
pub mod usb;
mod wait;

pub use channel::{Port, Received};
pub use error::PortError;
pub use line::{Framing, LineSettings};
pub use list::{PortInfo, list, list_in};
pub use name::PortName;
pub use open::open;
