//! Where a meter's bytes come from: serial lines, TCP bridges, files, standard input.
//!
//! Enters: a port's name as people type it and its line settings. Leaves: [`Port`], which gives
//! bytes and takes light. Absent: telegrams and their protocols.

mod file;
mod list;
mod open;
mod refused;
mod serial;
mod tcp;
pub mod telnet;
pub mod usb;
mod wait;

use std::{fmt, io, path::PathBuf, str::FromStr, time::Duration};

pub use list::{PortInfo, list, list_in};
pub use open::open;

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

impl FromStr for PortName {
    type Err = PortError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        if s == "-" {
            return Ok(Self::StandardInput);
        }
        if let Some(address) = s.strip_prefix("tcp://") {
            let valid = address.rsplit_once(':').is_some_and(|(host, port)| {
                !host.is_empty() && port.parse::<u16>().is_ok_and(|p| p > 0)
            });
            return if valid {
                Ok(Self::Tcp(address.to_owned()))
            } else {
                Err(PortError::InvalidName(s.to_owned()))
            };
        }
        if let Some(host) = web_host(s) {
            return Err(PortError::WebAddress(host.to_owned()));
        }
        if s.is_empty() || s.contains("://") {
            return Err(PortError::InvalidName(s.to_owned()));
        }
        Ok(Self::Path(PathBuf::from(s)))
    }
}

/// The host of a web server's address: without a password that may stand before it, and without a
/// path.
fn web_host(name: &str) -> Option<&str> {
    let (scheme, rest) = name.split_once("://")?;
    if !["http", "https", "ws", "wss"].iter().any(|web| scheme.eq_ignore_ascii_case(web)) {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    Some(authority.rsplit('@').next().unwrap_or_default())
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

/// Bits and parity of a character on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Framing {
    /// 8 data bits, no parity, 1 stop bit: SML.
    EightNone,
    /// 7 data bits, even parity, 1 stop bit: IEC 62056-21.
    SevenEven,
}

/// Line settings of a serial port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LineSettings {
    /// Bits per second.
    pub baud: u32,
    /// Bits and parity.
    pub framing: Framing,
}

impl LineSettings {
    /// 9600 8N1, at which nearly all meters push SML.
    pub const SML: Self = Self { baud: 9600, framing: Framing::EightNone };
    /// 9600 7E1, at which IEC 62056-21 mode D is pushed.
    pub const D0_PUSH: Self = Self { baud: 9600, framing: Framing::SevenEven };
    /// 300 7E1, at which IEC 62056-21 modes A to C begin.
    pub const D0_REQUEST: Self = Self { baud: 300, framing: Framing::SevenEven };
}

impl fmt::Display for LineSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let framing = match self.framing {
            Framing::EightNone => "8N1",
            Framing::SevenEven => "7E1",
        };
        write!(f, "{} {framing}", self.baud)
    }
}

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
/// Every implementation keeps these promises: a read returns as soon as one byte is there and at
/// the latest after the given time (sooner when a signal comes), without spinning; a device that vanished is
/// [`PortError::Vanished`], not an endless row of nothings; dropping a port frees the device.
pub trait Port: Send {
    /// The name it was opened by.
    fn name(&self) -> &PortName;

    /// Reads what is there, waiting at most `wait` for the first byte.
    ///
    /// # Errors
    /// [`PortError::Vanished`] when the device was pulled out or the peer hung up.
    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<Received, PortError>;

    /// Sends bytes and waits until they are on the line.
    ///
    /// # Errors
    /// [`PortError::ReadOnly`] for files and standard input.
    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError>;

    /// Changes the line settings; `false` where the port has none (TCP, files).
    ///
    /// # Errors
    /// When the device refuses them.
    fn set_line(&mut self, line: LineSettings) -> Result<bool, PortError>;

    /// Switches the light of the reading head on or off by a break on the line; `false` where the
    /// port knows no break (TCP, files), so that the caller sends zero bytes instead.
    ///
    /// # Errors
    /// When the device refuses it.
    fn set_light(&mut self, on: bool) -> Result<bool, PortError>;

    /// Whether the port goes on for ever: serial devices and bridges. Files, fifos and standard
    /// input are read to their end, though a pipe's bytes too come as they are written into it.
    fn is_live(&self) -> bool;
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_servers_address_is_told_without_its_password() {
        for name in ["http://admin:secret@pulse.local/data.json?node_id=1", "HTTPS://pulse.local"] {
            let error = name.parse::<PortName>().unwrap_err();
            assert!(
                matches!(&error, PortError::WebAddress(host) if host == "pulse.local"),
                "{error}"
            );
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn names() {
        assert_eq!("-".parse::<PortName>().unwrap(), PortName::StandardInput);
        assert_eq!(
            "tcp://meter.local:3333".parse::<PortName>().unwrap().to_string(),
            "tcp://meter.local:3333"
        );
        assert_eq!("/dev/ttyUSB0".parse::<PortName>().unwrap().to_string(), "/dev/ttyUSB0");
        for bad in [
            "",
            "tcp://",
            "tcp://host",
            "tcp://:1",
            "tcp://host:0",
            "tcp://host:99999",
            "rfc2217://x:1",
        ] {
            assert!(matches!(bad.parse::<PortName>(), Err(PortError::InvalidName(_))), "{bad}");
        }
    }
}
