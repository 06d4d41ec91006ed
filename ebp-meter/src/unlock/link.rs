//! A meter at a port, as unlocking sees it.
//!
//! Enters: a port with what decodes its telegrams. Leaves: [`Link`]. Absent: what is done with it.

use std::time::Duration;

use crate::{
    port::{LineSettings, Port, PortError},
    readout::Readout,
    session::{Session, SessionEvent},
};

/// A meter that can be heard and shone upon.
///
/// A stream that has ended is an error of [`Link::next`], for it would never wait.
pub trait Link: Send {
    /// The port, for light.
    fn port(&mut self) -> &mut dyn Port;

    /// The line's present settings, where they are known.
    fn line(&self) -> Option<LineSettings>;

    /// Takes what was read from the port in the pauses of a plan.
    ///
    /// # Errors
    /// Those of the port, which a dialogue with the meter may need.
    fn hear(&mut self, bytes: &[u8]) -> Result<(), PortError>;

    /// The next telegram, waiting at most so long for it.
    ///
    /// # Errors
    /// Returns [`PortError`] if the port fails.
    fn next(&mut self, wait: Duration) -> Result<Option<Readout>, PortError>;
}

impl Link for Session {
    fn port(&mut self) -> &mut dyn Port {
        self.port_mut()
    }

    fn line(&self) -> Option<LineSettings> {
        Self::line(self)
    }

    fn hear(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        Self::hear(self, bytes)
    }

    fn next(&mut self, wait: Duration) -> Result<Option<Readout>, PortError> {
        match Self::next(self, wait)? {
            SessionEvent::Readout(readout) => Ok(Some(*readout)),
            SessionEvent::Noise(_) | SessionEvent::TimedOut => Ok(None),
            SessionEvent::End => Err(PortError::Vanished { port: self.name().clone() }),
        }
    }
}
