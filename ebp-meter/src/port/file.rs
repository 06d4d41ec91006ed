//! Recorded bytes: files, fifos and standard input, read to their end.
//!
//! Enters: a path, or nothing for standard input. Leaves: [`FilePort`]. Absent: writing.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
    time::Duration,
};

use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
};

use super::{
    LineSettings, Port, PortError, PortName, Received,
    refused::refused,
    wait::{Ready, readable},
};

/// A file, a fifo or standard input. A pipe's bytes come as they are written into it.
pub struct FilePort {
    name: PortName,
    bytes: OwnedFd,
}

impl FilePort {
    /// Opens a regular file or a fifo; a fifo may still be without a writer.
    ///
    /// # Errors
    /// Returns `NotFound` if there is no such file, `PermissionDenied` if it may not be read, and
    /// `Io` for any other failure.
    pub fn open(path: &Path) -> Result<Self, PortError> {
        let name = PortName::Path(path.to_owned());
        // Without NONBLOCK, opening a fifo would wait for its writer, for ever and unasked.
        let flags = OFlags::RDONLY | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let bytes = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|errno| refused(&name, path, errno.into()))?;
        Ok(Self { name, bytes })
    }

    /// Standard input.
    ///
    /// # Errors
    /// Returns `Io` if standard input is closed.
    pub fn standard_input() -> Result<Self, PortError> {
        let name = PortName::StandardInput;
        // Its flags are shared with other processes and stay as they are: every read follows a poll.
        match io::stdin().as_fd().try_clone_to_owned() {
            Ok(bytes) => Ok(Self { name, bytes }),
            Err(source) => Err(PortError::Io { port: name, source }),
        }
    }

    fn error(&self, errno: Errno) -> PortError {
        PortError::Io { port: self.name.clone(), source: errno.into() }
    }
}

impl Port for FilePort {
    fn name(&self) -> &PortName {
        &self.name
    }

    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<Received, PortError> {
        match readable(&self.bytes, wait).map_err(|errno| self.error(errno))? {
            Ready::No => return Ok(Received::Nothing),
            // A pipe whose last writer has closed.
            Ready::Gone => return Ok(Received::End),
            Ready::Yes => {}
        }
        match rustix::io::read(&self.bytes, &mut *buffer) {
            Ok(0) if !buffer.is_empty() => Ok(Received::End),
            Ok(count) => Ok(Received::Bytes(count)),
            Err(Errno::AGAIN | Errno::INTR) => Ok(Received::Nothing),
            // Standard input may be a terminal that hangs up.
            Err(Errno::IO) => Err(PortError::Vanished { port: self.name.clone() }),
            Err(errno) => Err(self.error(errno)),
        }
    }

    fn write(&mut self, _bytes: &[u8]) -> Result<(), PortError> {
        Err(PortError::ReadOnly { port: self.name.clone() })
    }

    fn set_line(&mut self, _line: LineSettings) -> Result<bool, PortError> {
        Ok(false)
    }

    fn set_light(&mut self, _on: bool) -> Result<bool, PortError> {
        Ok(false)
    }

    fn is_live(&self) -> bool {
        false
    }
}
