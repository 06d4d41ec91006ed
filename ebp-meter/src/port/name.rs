//! The name of a port.

use std::{fmt, path::PathBuf};

/// What a port names: a device, a bridge, a file or standard input.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PortName {
    /// `-`: standard input.
    StandardInput,
    /// `tcp://host:port`: a bridge such as ser2net that hands on the bytes, raw or as Telnet.
    Tcp(String),
    /// A path: a serial device, a pty or a file; which of them shows when it is opened.
    Path(PathBuf),
}

impl fmt::Display for PortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StandardInput => f.write_str("standard input"),
            Self::Tcp(address) => write!(f, "tcp://{address}"),
            Self::Path(path) => write!(f, "{}", path.display()),
        }
    }
}
