//! Opening a port by its name.
//!
//! Enters: a name and line settings. Leaves: the right kind of [`Port`], or an error that names
//! the port and what is in the way. Absent: how each kind reads.

use std::{fs, os::unix::fs::FileTypeExt};

use super::{
    LineSettings, Port, PortError, PortName, file::FilePort, refused::refused, serial::SerialPort,
    tcp,
};

/// Opens a port. The line settings count for serial devices only.
///
/// A path is a serial device if it is a terminal, which ptys are too; regular files and fifos are
/// read to their end.
///
/// # Errors
/// Returns any variant of [`PortError`] except `Vanished` and `ReadOnly`, according to why the port
/// cannot be opened.
pub fn open(name: &PortName, line: LineSettings) -> Result<Box<dyn Port>, PortError> {
    let path = match name {
        PortName::StandardInput => return Ok(Box::new(FilePort::standard_input()?)),
        PortName::Tcp(address) => return Ok(Box::new(tcp::TcpPort::connect(address)?)),
        PortName::Path(path) => path,
    };
    let kind = fs::metadata(path).map_err(|error| refused(name, path, error))?.file_type();
    if kind.is_char_device() {
        Ok(Box::new(SerialPort::open(path, line)?))
    } else if kind.is_file() || kind.is_fifo() {
        Ok(Box::new(FilePort::open(path)?))
    } else {
        Err(PortError::WrongKind { port: name.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_and_what_is_no_port() {
        let missing = PortName::Path("/nonexistent/ttyUSB0".into());
        let error = open(&missing, LineSettings::SML).err().unwrap();
        assert!(matches!(error, PortError::NotFound { .. }), "{error}");
        for other in ["/", "/dev/null"] {
            let error = open(&PortName::Path(other.into()), LineSettings::SML).err().unwrap();
            assert!(matches!(error, PortError::WrongKind { .. }), "{other}: {error}");
        }
    }
}
