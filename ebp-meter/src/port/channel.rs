//! The interface of every port: reading a meter's bytes, and sending light to it.

use std::time::Duration;

use super::{LineSettings, PortError, PortName};

/// What a read brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// So many bytes, at least one.
    Bytes(usize),
    /// Nothing within the time.
    Nothing,
    /// Nothing, and nothing ever will: a file's or a pipe's end.
    End,
}

/// A meter's bytes and the light toward it.
///
/// Every implementation guarantees: a read returns as soon as one byte is there and at the latest
/// after the given time (sooner when a signal comes), without spinning; a device that vanished is
/// [`PortError::Vanished`], not an endless row of nothings; dropping a port frees the device.
pub trait Port: Send {
    /// The name it was opened by.
    fn name(&self) -> &PortName;

    /// Reads what is there, waiting at most `wait` for the first byte.
    ///
    /// # Errors
    /// Returns [`PortError::Vanished`] when the device was pulled out or the peer hung up.
    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<Received, PortError>;

    /// Sends bytes and waits until they are on the line.
    ///
    /// # Errors
    /// Returns [`PortError::ReadOnly`] for files and standard input.
    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError>;

    /// Changes the line settings; `false` where the port has none (TCP, files).
    ///
    /// # Errors
    /// Returns an error if the device rejects them.
    fn set_line(&mut self, line: LineSettings) -> Result<bool, PortError>;

    /// Switches the light of the reading head on or off by a break on the line; `false` where the
    /// port knows no break (TCP, files), so that the caller sends zero bytes instead.
    ///
    /// # Errors
    /// Returns an error if the device rejects it.
    fn set_light(&mut self, on: bool) -> Result<bool, PortError>;

    /// Whether the port goes on for ever: serial devices and bridges. Files, fifos and standard
    /// input are read to their end, though a pipe's bytes too come as they are written into it.
    fn is_live(&self) -> bool;
}
