//! Errors of a port.

use std::io;

use super::{LineSettings, PortName};

/// Why a port cannot be used; every variant names the port.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// The name is of no known form.
    #[error(
        "`{0}` names no port: give a device such as /dev/ttyUSB0, tcp://host:port, a file, or -"
    )]
    InvalidName(String),
    /// It is the address of a web page; a meter's bytes are not read from one.
    #[error(
        "{0} is a web server there: give the bridge's raw port as tcp://host:port (its settings name \
         it), or hand over what it answers with `curl -s ADDRESS | ebp read -`"
    )]
    WebAddress(String),
    /// There is no such device or file.
    #[error("{port} does not exist")]
    NotFound {
        /// Which.
        port: PortName,
    },
    /// The user may not open it.
    #[error("no permission to open {port}{}", group_hint(.group.as_deref()))]
    PermissionDenied {
        /// Which.
        port: PortName,
        /// The group that may, where the device has one other than root's.
        group: Option<String>,
    },
    /// Another process has it.
    #[error("{port} is in use by another process")]
    Busy {
        /// Which.
        port: PortName,
    },
    /// It is neither a terminal device nor a file nor a pipe.
    #[error("{port} is neither a serial device nor a file")]
    WrongKind {
        /// Which.
        port: PortName,
    },
    /// The bridge could not be reached.
    #[error("cannot reach {port}: {source}")]
    Unreachable {
        /// Which.
        port: PortName,
        /// Why.
        source: io::Error,
    },
    /// It was there and is gone: pulled out, closed, hung up.
    #[error("{port} is gone")]
    Vanished {
        /// Which.
        port: PortName,
    },
    /// It can be read but not written.
    #[error("{port} cannot be written to")]
    ReadOnly {
        /// Which.
        port: PortName,
    },
    /// The device refuses the line settings.
    #[error("{port} cannot be set to {line}: {source}")]
    Line {
        /// Which.
        port: PortName,
        /// To what.
        line: LineSettings,
        /// Why.
        source: io::Error,
    },
    /// Anything else.
    #[error("{port}: {source}")]
    Io {
        /// Which.
        port: PortName,
        /// What.
        source: io::Error,
    },
}

fn group_hint(group: Option<&str>) -> String {
    group.map_or_else(String::new, |group| format!(" (it belongs to the group {group})"))
}
