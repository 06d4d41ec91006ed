//! Resetting a reading head that hangs, as pulling it out and plugging it in again would.
//!
//! Enters: a port's name, the root of sysfs. Leaves: a USB device that the kernel has set up again.
//! Absent: the decision when to reset, which the configuration has to allow.
//!
//! The kernel takes a device away and brings it back when `0` and `1` are written to its file
//! `authorized` (Documentation/usb/authorization.rst). That needs root, or a udev rule that grants
//! the file to the service's user.

use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::PortName;

/// How long the device is away.
const AWAY: Duration = Duration::from_millis(500);

/// Why a device was not reset.
#[derive(Debug, thiserror::Error)]
pub enum UsbResetError {
    /// The port is no device of USB, or is gone.
    #[error("{port} is no USB device that is there")]
    NotUsb {
        /// Which.
        port: PortName,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Takes the port's USB device away and brings it back; `sys` is where sysfs is, `/sys`.
///
/// # Errors
/// Returns [`UsbResetError`] if the device cannot be found or reset. A device that was deauthorized
/// is authorized again in that case, too.
pub fn reset(port: &PortName, sys: &Path) -> Result<(), UsbResetError> {
    let not_usb = || UsbResetError::NotUsb { port: port.clone() };
    let file = device_of(port, sys).ok_or_else(not_usb)?.join("authorized");
    let write = |text: &str| {
        fs::write(&file, text).map_err(|source| UsbResetError::Io { path: file.clone(), source })
    };
    write("0")?;
    thread::sleep(AWAY);
    write("1")
}

/// The folder in sysfs of the USB device that the port belongs to.
#[must_use]
pub fn device_of(port: &PortName, sys: &Path) -> Option<PathBuf> {
    let PortName::Path(path) = port else { return None };
    let device = fs::canonicalize(path).ok()?;
    let name = device.file_name()?;
    let interface = fs::canonicalize(sys.join("class/tty").join(name).join("device")).ok()?;
    interface
        .ancestors()
        .find(|folder| folder.join("authorized").is_file() && folder.join("idVendor").is_file())
        .map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn the_device_above_the_terminal_is_reset() {
        let root = tempfile::tempdir().unwrap();
        let sys = root.path().join("sys");
        let device = sys.join("devices/usb1/1-1");
        let interface = device.join("1-1:1.0/ttyUSB0");
        fs::create_dir_all(&interface).unwrap();
        fs::create_dir_all(sys.join("class/tty/ttyUSB0")).unwrap();
        symlink(&interface, sys.join("class/tty/ttyUSB0/device")).unwrap();
        for file in ["authorized", "idVendor"] {
            fs::write(device.join(file), "1").unwrap();
        }
        // An interface has such a file, too, but is no device.
        fs::write(device.join("1-1:1.0/authorized"), "1").unwrap();
        let dev = root.path().join("ttyUSB0");
        fs::write(&dev, "").unwrap();
        let link = root.path().join("by-id");
        symlink(&dev, &link).unwrap();
        let port = PortName::Path(link);
        assert_eq!(device_of(&port, &sys), Some(fs::canonicalize(&device).unwrap()));
        fs::write(device.join("authorized"), "x").unwrap();
        reset(&port, &sys).unwrap();
        assert_eq!(fs::read_to_string(device.join("authorized")).unwrap(), "1");
        assert_eq!(fs::read_to_string(device.join("1-1:1.0/authorized")).unwrap(), "1");
    }

    #[test]
    fn what_is_no_usb_device_is_left_alone() {
        let port: PortName = "/dev/null".parse().unwrap();
        let error = reset(&port, Path::new("/nonexistent")).unwrap_err();
        assert_eq!(error.to_string(), "/dev/null is no USB device that is there");
        assert_eq!(device_of(&"tcp://a:1".parse().unwrap(), Path::new("/sys")), None);
    }
}
