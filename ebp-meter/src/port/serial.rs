//! Serial devices: reading heads on USB, UARTs, ptys.
//!
//! Enters: a device's path and line settings. Leaves: [`SerialPort`], a locked raw line. Absent:
//! which devices there are, and what the bytes mean.

use std::{
    fs, io,
    os::fd::OwnedFd,
    path::Path,
    time::{Duration, Instant},
};

use rustix::{
    fs::{FlockOperation, Mode, OFlags, flock},
    io::Errno,
    termios::{QueueSelector, isatty, tcdrain, tcflush},
};
use serialport::{DataBits, ErrorKind, Parity, SerialPort as _, StopBits, TTYPort};

use super::{
    Framing, LineSettings, Port, PortError, PortName, Received,
    refused::refused,
    wait::{Ready, readable, writable},
};

/// How long a write may take beyond the time that its bits need.
const WRITE_SLACK: Duration = Duration::from_secs(5);

/// A serial device, held alone.
///
/// Two descriptors of the one device: the crate `serialport` holds the first with the exclusive
/// mode and the lock, and sets line and break; bytes go through the second, whose errors keep their
/// numbers and whose waiting is the same as that of the other ports.
pub struct SerialPort {
    name: PortName,
    line: LineSettings,
    lit: bool,
    bytes: OwnedFd,
    device: TTYPort,
}

impl SerialPort {
    /// Opens, locks and sets a device, and drops what had been waiting in its input.
    ///
    /// # Errors
    /// Returns `NotFound` if there is no such device, `PermissionDenied` if it may not be opened,
    /// `Busy` if another process has it open, `WrongKind` if it is no terminal, `Line` if it
    /// rejects the line settings, and `Io` for any other failure.
    pub fn open(path: &Path, line: LineSettings) -> Result<Self, PortError> {
        let name = PortName::Path(path.to_owned());
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let bytes = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|errno| refused(&name, path, errno.into()))?;
        if !isatty(&bytes) {
            return Err(PortError::WrongKind { port: name });
        }
        // Root passes the exclusive mode, and a failed open by the crate would end that mode for
        // the process which has it: check the lock first.
        match flock(&bytes, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => flock(&bytes, FlockOperation::Unlock).map_err(|e| io(&name, e))?,
            Err(Errno::WOULDBLOCK) => return Err(PortError::Busy { port: name }),
            Err(errno) => return Err(io(&name, errno)),
        }
        warn_of_lock_file(path);
        let (data_bits, parity) = framing(line.framing);
        let device = serialport::new(path.to_string_lossy(), line.baud)
            .data_bits(data_bits)
            .parity(parity)
            .stop_bits(StopBits::One);
        let device = TTYPort::open(&device).map_err(|error| match error.kind() {
            ErrorKind::NoDevice => PortError::Busy { port: name.clone() },
            ErrorKind::Io(_) => refused(&name, path, error.into()),
            _ => PortError::Line { port: name.clone(), line, source: error.into() },
        })?;
        tcflush(&bytes, QueueSelector::IFlush).map_err(|errno| io(&name, errno))?;
        Ok(Self { name, line, lit: false, bytes, device })
    }

    fn write_all(&self, mut bytes: &[u8]) -> Result<(), Errno> {
        // A character is at most 11 bits long.
        let line_time = Duration::from_secs(bytes.len() as u64 * 11) / self.line.baud.max(1);
        let deadline = Instant::now() + line_time + WRITE_SLACK;
        while !bytes.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            match writable(&self.bytes, left)? {
                Ready::Gone => return Err(Errno::IO),
                Ready::No if left.is_zero() => return Err(Errno::TIMEDOUT),
                Ready::No => {}
                Ready::Yes => match rustix::io::write(&self.bytes, bytes) {
                    Ok(written) => bytes = &bytes[written..],
                    Err(Errno::AGAIN | Errno::INTR) => {}
                    Err(errno) => return Err(errno),
                },
            }
        }
        loop {
            match tcdrain(&self.bytes) {
                Err(Errno::INTR) => {}
                done => return done,
            }
        }
    }

    /// The crate's errors have lost their numbers: ask the device itself whether it is gone.
    fn vanished(&self) -> bool {
        matches!(readable(&self.bytes, Duration::ZERO), Ok(Ready::Gone) | Err(_))
            || rustix::termios::tcgetattr(&self.bytes).is_err()
    }
}

impl Port for SerialPort {
    fn name(&self) -> &PortName {
        &self.name
    }

    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<Received, PortError> {
        match readable(&self.bytes, wait).map_err(|errno| io(&self.name, errno))? {
            Ready::No => return Ok(Received::Nothing),
            Ready::Gone => return Err(PortError::Vanished { port: self.name.clone() }),
            Ready::Yes => {}
        }
        match rustix::io::read(&self.bytes, &mut *buffer) {
            // A hung-up terminal reads as an end.
            Ok(0) if !buffer.is_empty() => Err(PortError::Vanished { port: self.name.clone() }),
            Ok(count) => Ok(Received::Bytes(count)),
            Err(Errno::AGAIN | Errno::INTR) => Ok(Received::Nothing),
            Err(errno) => Err(io(&self.name, errno)),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.write_all(bytes).map_err(|errno| io(&self.name, errno))
    }

    fn set_line(&mut self, line: LineSettings) -> Result<bool, PortError> {
        let (data_bits, parity) = framing(line.framing);
        let set = self
            .device
            .set_baud_rate(line.baud)
            .and_then(|()| self.device.set_data_bits(data_bits))
            .and_then(|()| self.device.set_parity(parity));
        match set {
            Ok(()) => {
                self.line = line;
                Ok(true)
            }
            Err(_) if self.vanished() => Err(PortError::Vanished { port: self.name.clone() }),
            Err(error) => {
                Err(PortError::Line { port: self.name.clone(), line, source: error.into() })
            }
        }
    }

    fn set_light(&mut self, on: bool) -> Result<bool, PortError> {
        let set = if on { self.device.set_break() } else { self.device.clear_break() };
        match set {
            Ok(()) => {
                self.lit = on;
                Ok(true)
            }
            Err(_) if self.vanished() => Err(PortError::Vanished { port: self.name.clone() }),
            Err(error) => Err(PortError::Io { port: self.name.clone(), source: error.into() }),
        }
    }

    fn is_live(&self) -> bool {
        true
    }
}

/// A head must not be left shining into the meter: it would be one endless key press.
impl Drop for SerialPort {
    fn drop(&mut self) {
        if self.lit {
            let _ = self.device.clear_break();
        }
    }
}

fn framing(framing: Framing) -> (DataBits, Parity) {
    match framing {
        Framing::EightNone => (DataBits::Eight, Parity::None),
        Framing::SevenEven => (DataBits::Seven, Parity::Even),
    }
}

/// The error of a device that was open: those of a device that is no more are `Vanished`.
fn io(name: &PortName, errno: Errno) -> PortError {
    let port = name.clone();
    match errno {
        Errno::IO | Errno::NXIO | Errno::NODEV | Errno::BADF => PortError::Vanished { port },
        errno => PortError::Io { port, source: io::Error::from(errno) },
    }
}

/// Programs of the older kind (minicom, pppd) keep no lock on the device but a file with their
/// process id. Such files outlive crashes, so that one is worth a hint and no more.
fn warn_of_lock_file(path: &Path) {
    let device = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let Some(device) = device.file_name().and_then(|name| name.to_str()) else { return };
    let lock = format!("/var/lock/LCK..{device}");
    let Ok(text) = fs::read_to_string(&lock) else { return };
    if let Ok(process) = text.trim().parse::<u32>()
        && Path::new("/proc").join(process.to_string()).exists()
    {
        tracing::warn!(lock, process, "another process says that it uses {device}");
    }
}
